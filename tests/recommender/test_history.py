"""What happened in a visit changes what comes next; reasons are the parts of the score."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodstream.contracts.events import FeedbackGiven, PlaybackChanged, SongsOffered, SongsRanked, utc_now
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import MAX_HISTORY
from moodstream.errors import MoodstreamError
from services.__main__ import main
from services.recommender.choice.after_history import Candidates
from services.recommender.choice.history import Past, in_order, what_counts
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.history_store import HEARD_TO_ITS_END
from services.recommender.models.session import NEARNESS, SESSION, Happened, SessionModel, SessionRanking
from tests.support.asking import ask
from tests.support.random_songs import catalogue, saved, table
from tests.support.recommenders import picked, recommender


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.build(catalogue(400))


@pytest.fixture(scope="module")
def ranking(library: Library) -> SessionRanking:
    assert library.after_history is not None
    assert isinstance(library.after_history.ranking, Candidates)
    return library.after_history.ranking.ranking


def ids(library: Library) -> list[str]:
    return [str(one) for one in library.catalogue.frame["id"]]


def test_a_pick_without_a_history_is_ranked_as_if_there_were_no_model(library: Library) -> None:
    plain = Library.build(catalogue(400), LibraryOptions(history="off"))
    for song in ids(library)[:20]:
        alone = library.ranked(song, 10, Mood.HAPPY)
        assert alone == plain.ranked(song, 10, Mood.HAPPY)
        assert alone == library.ranked(song, 10, Mood.HAPPY, history=[Past(song, "picked", 60.0)])
        assert not any(entry.because for entry in alone)


def test_the_parts_of_a_score_sum_to_it_and_are_what_the_weights_say(library: Library, ranking: SessionRanking) -> None:
    model = SessionModel.load()
    happened = [
        Happened(3, "liked"),
        Happened(9, "skipped", 120),
        Happened(40, "picked", 4000),
        Happened(7, "wrong_mood"),
    ]
    everything = np.arange(400)
    found = ranking.after(happened, everything, 0)
    assert sorted(found.positions) == sorted(set(range(400)) - {3, 9, 40, 7})
    assert found.parts.sum(axis=1) + found.prior == pytest.approx(found.scores)
    assert found.scores == pytest.approx(ranking.scores(happened)[found.positions], abs=1e-4)
    assert (np.diff(found.scores) <= 2e-5).all()
    vectors = model.vectors(library.catalogue.inputs, *library.catalogue.names).astype(float)
    weights = model.weights(vectors[[3, 9, 40, 7]].astype(np.float32), happened)
    assert weights[[0, 2]].sum() == pytest.approx(1)
    assert (weights[[0, 2]] > 0).all()
    assert (weights[[1, 3]] < 0).all()
    at = [3, 9, 40, 7]
    far = ((library.points[:, None] - library.points[at][None]) ** 2).sum(axis=2) / library.typical
    worth = vectors @ vectors[at].T - NEARNESS * far
    expected = ((worth - worth.mean(axis=0)) * weights)[found.positions]
    assert found.parts == pytest.approx(expected, abs=1e-3)
    few = ranking.after(happened, everything, 5)
    assert few.positions.tolist() == found.positions[:5].tolist()


def test_what_was_skipped_lowers_what_is_like_it_and_what_is_newer_or_liked_counts_more(
    ranking: SessionRanking,
) -> None:
    before, after = ranking.scores([Happened(1)]), ranking.scores([Happened(1), Happened(2, "skipped")])
    change = after - before
    assert change[2] < 0
    assert np.corrcoef(change, ranking.scores([Happened(2)]))[0, 1] < -0.9
    model = SessionModel.load()
    alike = np.zeros((2, len(model.prior)), np.float32)
    newer = model.weights(alike, [Happened(1, age_s=7200), Happened(2)])
    liked = model.weights(alike, [Happened(1), Happened(2, "liked")])
    assert newer == pytest.approx([1 / 4, 3 / 4])
    assert liked == pytest.approx([1 / 3, 2 / 3])


def test_only_skips_leave_a_ranking(ranking: SessionRanking) -> None:
    found = ranking.after([Happened(5, "skipped")], np.arange(400), 3)
    assert len(found.positions) == 3
    assert np.isfinite(found.scores).all()


def test_the_last_thing_said_of_a_song_counts_and_a_wrong_mood_for_that_mood_alone() -> None:
    at = {"a": 0, "b": 1, "c": 2}
    history = [
        Past("a", "skipped", 50),
        Past("a", "liked", 40),
        Past("a", "picked", 10),
        Past("b", "wrong_mood", 30, Mood.CALM),
        Past("gone", "liked", 5),
        Past("c", "picked", 60),
        Past("c", "heard", 20),
    ]
    assert [(one.position, one.kind) for one in what_counts(history, at, Mood.CALM)] == [
        (0, "liked"),
        (1, "wrong_mood"),
        (2, "heard"),
    ]
    assert [one.position for one in what_counts(history, at, Mood.SAD)] == [0, 2]


def test_of_ten_thousand_events_the_newest_count(library: Library) -> None:
    names = ids(library)
    long = in_order([names[at % 400] for at in range(10_000)])
    happened = what_counts(long, library.catalogue.positions, None)
    assert [one.position for one in happened] == [
        library.catalogue.position(names[at % 400]) for at in range(9_800, 10_000)
    ]
    assert len(happened) == MAX_HISTORY
    assert len(library.ranked(names[0], 10, history=long)) == 10


def test_a_reason_names_songs_that_moved_it_the_most_telling_first(library: Library) -> None:
    names = ids(library)
    history = [Past(names[1], "liked", 10.0), Past(names[2], "heard", 300.0)]
    ranked = library.ranked(names[0], 10, Mood.HAPPY, history=history)
    assert {library.moods.mood(library.catalogue.position(entry.song.id)) for entry in ranked} == {Mood.HAPPY}
    assert ranked != library.ranked(names[0], 10, Mood.HAPPY)
    for entry in ranked:
        weights = [abs(one.weight) for one in entry.because]
        assert weights == sorted(weights, reverse=True)
        assert {one.song.id for one in entry.because} <= set(names[:3])
    assert {one.kind for entry in ranked for one in entry.because} == {"picked", "liked", "heard"}


def test_a_catalogue_of_one_song_has_nothing_to_go_on_with() -> None:
    library = Library.build(catalogue(1))
    (song,) = ids(library)
    assert library.after([song], 10) == ()
    assert library.ranked(song, 10, history=[Past("gone", "liked", 0.0)]) == ()


@pytest.mark.parametrize("change", ["no file", "no arrays", "another shape", "no prior", "other inputs", "no names"])
def test_a_model_that_is_none_is_one_line(tmp_path: Path, change: str) -> None:
    path = tmp_path / "session.npz"
    with np.load(SESSION) as file:
        arrays = {name: file[name] for name in file.files}
    if change == "no arrays":
        path.write_bytes(b"PK\x03\x04 and nothing more")
    elif change != "no file":
        changed: dict[str, Any] = {
            "another shape": arrays | {"query": arrays["query"][:3]},
            "no prior": {name: array for name, array in arrays.items() if name != "prior"},
            "no names": {name: array for name, array in arrays.items() if not name.startswith("artists_")},
            "other inputs": arrays | {"weights0": arrays["weights0"][:-1]},
        }[change]
        np.savez(path, **changed)
    with pytest.raises(MoodstreamError, match=r"^cannot use the model of sessions [^\n]+$"):
        SessionModel.load(path)


def test_songs_next_prints_what_comes_next_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--catalogue", str(saved(tmp_path, 300)), "--json"]
    names = table(300)["id"].tolist()
    assert main(["songs", "next", "-n", "0", "--any-mood", *where, "--", *names[:3]]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ids"] == names[:3]
    assert {entry["id"] for entry in found["ranking"]} == set(names[3:])
    assert all(set(entry) == {"id", "title", "score", "because"} for entry in found["ranking"])
    scores = [entry["score"] for entry in found["ranking"]]
    assert scores == sorted(scores, reverse=True)
    assert {one["id"] for entry in found["ranking"] for one in entry["because"]} == set(names[:3])
    assert main(["songs", "next", "-n", "2", *where[:-1], *names[:3]]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    for refused, words in (
        ([*names[:2], "nothing"], "no song with the id 'nothing' in the catalogue"),
        (["-n", "-1", names[0]], "cannot rank -1 songs"),
    ):
        assert main(["songs", "next", *where, *refused]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


def test_songs_next_says_when_the_model_is_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSTREAM_HISTORY_MODEL", "off")
    path = saved(tmp_path, 50)
    assert main(["songs", "next", "--catalogue", str(path), table(50)["id"][0]]) == 1
    assert "MOODSTREAM_HISTORY_MODEL is off" in capsys.readouterr().err


async def test_a_visit_has_a_history_until_it_ends(redis_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path, 400)
    async with recommender(redis_url, path) as site:
        await site.mood(Mood.SAD, phase="start")
        (offer,) = await site.all(SongsOffered)
        first, second, third = offer.songs[:3]
        playing = {"state": "playing", "output": "log", "session_id": site.session}
        assert first.duration_ms is not None
        heard_s = HEARD_TO_ITS_END * first.duration_ms / 1000 + 1
        over = utc_now().timestamp() - 10
        await site.publish_and_wait(picked(offer, at=datetime.fromtimestamp(over - heard_s - 1, UTC)))
        began = PlaybackChanged.model_validate({**playing, "song": first, "at": over - heard_s})
        louder = began.model_copy(update={"id": "louder", "volume": 40})
        other = PlaybackChanged.model_validate({**playing, "song": second, "at": over})
        soon = PlaybackChanged.model_validate({**playing, "song": third, "at": over + 5})
        for event in (began, louder, other, soon):
            await site.publish_and_wait(event)
        await site.publish_and_wait(FeedbackGiven(kind="like", song_id=second.id, session_id=site.session))
        await site.publish_and_wait(picked(offer, 3))
        *_, ranking = await site.all(SongsRanked)
        because = {(one.song.id, one.kind) for entry in ranking.ranking for one in entry.because}
        assert because == {(first.id, "heard"), (second.id, "liked"), (offer.songs[3].id, "picked")}
        assert 0 < await site.bus.redis.ttl(site.bus.key("went", site.session)) <= 86_400

        reply = await ask(site.bus, "songs.next", {"ids": [first.id, second.id], "n": 3}, 5)
        assert isinstance(reply.result, dict)
        assert len(reply.result["ranking"]) == 3  # type: ignore[arg-type]
        refused = await ask(site.bus, "songs.next", {"ids": []}, 5)
        assert str(refused.error).startswith("songs.next: ids: ")

        await site.mood(Mood.NOBODY, phase="end")
        assert await site.bus.redis.keys("*went*") == []
