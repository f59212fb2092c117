"""The recommender among real streams: moods in, offers out; picks in, rankings out."""

import logging
import os
import subprocess
import sys
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from pydantic import JsonValue

from moodstream.contracts.events import (
    Event,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    utc_now,
)
from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice import events_made
from services.recommender.choice.events_made import RankingOptions
from services.recommender.choice.history import Past
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.reloader import Reloader
from services.recommender.sources import FileSource
from services.recommender.visits import Visits
from shared.delivery.consume import create_groups
from tests.support.asking import ask
from tests.support.random_songs import saved, table
from tests.support.recommenders import GROUP, Site, mood_changed, picked, recommender, site, until


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("songs"), 400)


@pytest.fixture(scope="module")
def library(catalogue: Path) -> Library:
    return Library.build(Catalogue.load(catalogue))


async def published(site: Site, kind: type[Event], count: int) -> bool:
    return len(await site.all(kind)) >= count


async def ranked(site: Site, count: int) -> bool:
    """So many rankings are out, and the visitor of the last one is no longer choosing."""
    choosing = await site.bus.redis.exists(site.bus.key("choosing", site.session))
    return not choosing and await published(site, SongsRanked, count)


async def test_a_mood_is_answered_by_five_songs_of_it_and_a_pick_by_a_ranking(
    redis_url: str, catalogue: Path, library: Library
) -> None:
    async with recommender(redis_url, catalogue) as site:
        mood = await site.mood(Mood.SAD, phase="start")
        (offer,) = await site.all(SongsOffered)
        assert offer.id == str(uuid5(UUID(mood.id), "SongsOffered"))
        assert (offer.session_id, offer.trace_id, offer.camera_id) == (mood.session_id, mood.trace_id, "camera")
        assert offer.mood == Mood.SAD
        assert offer.expires_at > utc_now()
        sad = set(library.moods.positions(Mood.SAD).tolist())
        assert len({song.id for song in offer.songs}) == len({song.artist for song in offer.songs}) == 5
        assert {library.catalogue.position(song.id) for song in offer.songs} < sad
        pick = picked(offer, 3)
        await site.publish_and_wait(pick)
        (ranking,) = await site.all(SongsRanked)
        assert ranking.id == str(uuid5(UUID(pick.id), "SongsRanked"))
        assert (ranking.offer_id, ranking.picked, ranking.mood) == (offer.id, offer.songs[3], Mood.SAD)
        assert ranking.ranking == library.ranked(offer.songs[3].id, 10, Mood.SAD)
        assert {library.catalogue.position(entry.song.id) for entry in ranking.ranking} < sad
        assert offer.songs[3] not in ranking.play
        assert list(ranking.play) == [entry.song for entry in ranking.ranking]


async def test_settings_say_how_many_are_ranked_and_what_plays(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue, ranked=3, play="pick", similarity="article") as site:
        await site.mood(Mood.CALM)
        (offer,) = await site.all(SongsOffered)
        await site.publish_and_wait(picked(offer))
        (ranking,) = await site.all(SongsRanked)
        assert len(ranking.ranking) == 3
        assert list(ranking.play) == [offer.songs[0], *(entry.song for entry in ranking.ranking)]


async def test_what_is_no_new_mood_is_not_answered(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, reason="heartbeat")
        await site.mood(Mood.UNSURE, phase="start")
        await site.mood(Mood.NOBODY)
        await site.publish_and_wait(mood_changed(Mood.HAPPY, None))
        await site.publish_and_wait(mood_changed(Mood.HAPPY, site.session, expires_at=utc_now() - timedelta(seconds=1)))
        assert await site.all(SongsOffered) == []


async def test_no_offer_while_a_visitor_is_choosing_nor_of_the_same_mood_again(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, phase="start")
        await site.mood(Mood.SAD)
        (offer,) = await site.all(SongsOffered)
        assert offer.mood == Mood.HAPPY
        lifetime = await site.bus.redis.ttl(site.bus.key("choosing", site.session))
        assert 80 < lifetime <= 90
        await site.publish_and_wait(picked(offer, offer_id="another offer"))
        await site.mood(Mood.SAD)
        assert len(await site.all(SongsOffered)) == 1
        await site.publish_and_wait(picked(offer))
        await site.mood(Mood.UNSURE)
        await site.mood(Mood.HAPPY)
        assert len(await site.all(SongsOffered)) == 1
        await site.mood(Mood.SAD, reason="forced")
        assert [offered.mood for offered in await site.all(SongsOffered)] == [Mood.HAPPY, Mood.SAD]


async def test_a_mood_chosen_by_hand_replaces_the_songs_of_the_wrong_one_at_once(
    redis_url: str, catalogue: Path
) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, phase="start")
        await site.mood(Mood.SAD, reason="forced")
        await site.mood(Mood.SAD, reason="forced", repeated=True)
        await site.mood(Mood.SAD, reason="forced")  # chosen once more: other songs of it
        first, second, third = await site.all(SongsOffered)
        assert [first.mood, second.mood, third.mood] == [Mood.HAPPY, Mood.SAD, Mood.SAD]
        assert second.songs != third.songs
        await site.mood(Mood.HAPPY)  # the camera goes on reading, but somebody is choosing
        assert len(await site.all(SongsOffered)) == 3


async def test_an_offer_is_renewed_with_its_songs_or_with_others(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, phase="start")
        (offer,) = await site.all(SongsOffered)
        ids = [song.id for song in offer.songs]
        body: dict[str, JsonValue] = {
            "session_id": site.session,
            "camera_id": "camera",
            "mood": "happy",
            "songs": [*ids],
        }
        kept = await ask(site.bus, "songs.renew", body, 5)
        others = await ask(site.bus, "songs.renew", body | {"other": True}, 5)
        lost = await ask(site.bus, "songs.renew", body | {"songs": [*ids[:4], "no song"]}, 5)
        offers = (await site.all(SongsOffered))[1:]
        assert [{"offer_id": one.id} for one in offers] == [kept.result, others.result, lost.result]
        assert {(one.session_id, one.camera_id, one.mood) for one in offers} == {(site.session, "camera", Mood.HAPPY)}
        assert offers[0].songs == offer.songs
        assert offers[0].expires_at > offer.expires_at
        assert not set(ids) & {song.id for song in offers[1].songs}
        assert [len(set(one.songs)) for one in offers] == [5, 5, 5]
        await site.mood(Mood.SAD)  # still choosing
        await site.publish_and_wait(picked(offers[-1]))
        assert (await site.all(SongsRanked))[-1].offer_id == offers[-1].id
        assert len(await site.all(SongsOffered)) == 4
        refused = await ask(site.bus, "songs.renew", body | {"mood": "unsure"}, 5)
        assert refused.error is not None


async def test_sessions_know_nothing_of_each_other_and_are_forgotten_at_their_end(
    redis_url: str, catalogue: Path
) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, phase="start")
        first, site.session = site.session, "another"
        await site.mood(Mood.HAPPY, phase="start")
        assert len(await site.all(SongsOffered)) == 2
        site.session = first
        await site.mood(Mood.NOBODY, phase="end")
        assert await site.bus.redis.keys(f"*{first}*") == []
        assert len(await site.bus.redis.keys("*another*")) == 2
        await site.mood(Mood.HAPPY, phase="start")
        assert len(await site.all(SongsOffered)) == 3


async def test_auto_mode_picks_by_itself_and_goes_on_with_the_next_mood(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue, auto=True) as site:
        for count, mood in enumerate((Mood.ANGRY, Mood.CALM), 1):
            await site.mood(mood)
            await until(partial(ranked, site, count))
        offers, picks = await site.all(SongsOffered), await site.all(SongPicked)
        assert [offer.mood for offer in offers] == [Mood.ANGRY, Mood.CALM]
        for offer, pick in zip(offers, picks, strict=True):
            assert (pick.by, pick.offer_id, pick.mood) == ("auto", offer.id, offer.mood)
            assert (pick.session_id, pick.trace_id) == (offer.session_id, offer.trace_id)
            again = events_made.create_auto_pick(offer)
            assert (again.id, again.song_id) == (pick.id, pick.song_id)
            assert pick.song_id in {song.id for song in offer.songs}


async def test_expired_picks_and_unknown_songs_are_dropped(
    redis_url: str, catalogue: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY)
        (offer,) = await site.all(SongsOffered)
        await site.publish_and_wait(picked(offer, expires_at=utc_now() - timedelta(seconds=1)))
        with caplog.at_level(logging.WARNING, "moodstream"):
            await site.publish_and_wait(picked(offer, song_id="nothing"))
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert [record.getMessage() for record in warnings if record.name == "moodstream.recommender"] == [
            "a pick was dropped: no song with the id 'nothing' in the catalogue"
        ]
        assert await site.all(SongsRanked) == []
        await site.publish_and_wait(picked(offer, 1))
        assert len(await site.all(SongsRanked)) == 1


async def test_killed_between_publish_and_acknowledgement_the_same_event_is_made_again(
    redis_url: str, catalogue: Path, library: Library
) -> None:
    """A worker did everything but acknowledge; what it held is claimed."""
    async with site(redis_url) as around:
        bus, mood = around.bus, mood_changed(Mood.HAPPY, around.session)
        offer = events_made.create_offer(mood, library)
        pick = picked(offer)
        ranking = events_made.create_ranking(pick, library, RankingOptions())
        assert await Visits(bus).open_offer(around.session, offer.id)
        for cause, outcome in ((mood, offer), (pick, ranking)):
            await bus.publish(cause)
            await bus.publish(outcome)
            stream = bus.stream(type(cause))
            await bus.redis.xgroup_create(stream, GROUP, id="0")
            ((_, ((entry, _),)),) = await bus.redis.xreadgroup(GROUP, "dead", {stream: ">"}, count=1)
            await bus.redis.xclaim(stream, GROUP, "dead", 0, [entry], idle=60_000)
    async with recommender(redis_url, catalogue) as around:
        for kind in (SongsOffered, SongsRanked):
            await until(partial(published, around, kind, 2))
        for kind in (SongsOffered, SongsRanked):
            first, second = await around.all(kind)
            changing = {"at", "expires_at"}
            assert first.model_dump(exclude=changing) == second.model_dump(exclude=changing)


async def test_requests_are_answered(redis_url: str, catalogue: Path, library: Library) -> None:
    async with recommender(redis_url, catalogue) as site:
        song = library.catalogue.song(7)
        reply = await ask(site.bus, "songs.offer", {"mood": "calm"}, 5)
        assert reply.error is None
        assert isinstance(reply.result, dict)
        offered = reply.result["songs"]
        assert isinstance(offered, list)
        assert len(offered) == 5
        reply = await ask(site.bus, "songs.similar", {"id": song.id, "n": 3}, 5)
        assert reply.result == {
            "id": song.id,
            "ranking": [entry.model_dump(mode="json") for entry in library.ranked(song.id, 3)],
        }


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("songs.offer", {}, "songs.offer: mood: Field required"),
        ("songs.offer", {"mood": "nobody"}, "songs.offer: mood: Input should be 'angry', 'happy', 'sad' or 'calm'"),
        ("songs.offer", {"mood": ["happy"]}, "songs.offer: mood: Input should be 'angry'"),
        ("songs.similar", {"id": "nothing"}, "no song with the id 'nothing'"),
        ("songs.similar", {"id": "x", "n": 0}, "songs.similar: n: "),
        ("songs.similar", {"id": 7}, "songs.similar: id: "),
    ],
)
async def test_bad_requests_get_one_clear_line(
    redis_url: str, catalogue: Path, kind: str, body: dict[str, object], error: str
) -> None:
    async with recommender(redis_url, catalogue) as site:
        reply = await ask(site.bus, kind, body, 5)  # type: ignore[arg-type]
        assert reply.result is None
        assert reply.error is not None
        assert error in reply.error
        assert "\n" not in reply.error


async def test_a_new_catalogue_is_used_and_a_broken_one_is_not(
    redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path, 100)
    async with recommender(redis_url, path) as site:
        assert (await ask(site.bus, "songs.offer", {"mood": "sad"}, 5)).error is None
        path.write_bytes(b"PAR1 and nothing more")

        async def refused() -> bool:
            return "keeping the old catalogue" in caplog.text

        await until(refused)
        assert (await ask(site.bus, "songs.offer", {"mood": "sad"}, 5)).error is None
        Catalogue(table(60).assign(artist="Somebody new")).save(path)

        async def used() -> bool:
            return "Somebody new" in str((await ask(site.bus, "songs.offer", {"mood": "sad"}, 5)).result)

        await until(used)
    assert caplog.text.count("keeping the old catalogue") == 1


async def test_who_chooses_among_songs_that_an_import_has_replaced_gets_others(redis_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path, 100)
    async with recommender(redis_url, path) as site:
        chosen, choosing = Site(site.bus), Site(site.bus)
        for visit in (chosen, choosing):
            await visit.mood(Mood.SAD, phase="start")
        first, second = await site.all(SongsOffered)
        await site.publish_and_wait(picked(first))
        Catalogue(table(100).assign(artist="The same songs")).save(path)

        async def used() -> bool:
            return "The same songs" in str((await ask(site.bus, "songs.offer", {"mood": "sad"}, 5)).result)

        await until(used)
        assert len(await site.all(SongsOffered)) == 2
        Catalogue(table(60).assign(id=[f"new-{at}" for at in range(60)])).save(path)
        await until(partial(published, site, SongsOffered, 3))
        *_, renewed = await site.all(SongsOffered)
        assert (renewed.session_id, renewed.camera_id, renewed.mood) == (choosing.session, "camera", Mood.SAD)
        assert renewed.id == str(uuid5(UUID(second.id), "SongsOffered"))
        assert len({song.id for song in renewed.songs}) == 5
        assert all(song.id.startswith("new-") for song in renewed.songs)
        await site.publish_and_wait(picked(renewed))
        assert [one.offer_id for one in await site.all(SongsRanked)] == [first.id, renewed.id]


async def test_all_four_moods_have_offers(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue, auto=True) as site:
        for mood in MOODS:
            site.session = mood
            await site.mood(mood, phase="start")
        assert [offer.mood for offer in await site.all(SongsOffered)] == list(MOODS)


async def test_groups_begin_with_the_first_entry(redis_url: str, catalogue: Path) -> None:
    """What was published before the first start is not lost."""
    async with site(redis_url) as around:
        await around.bus.publish(mood_changed(Mood.SAD, around.session))
        await create_groups(around.bus)
    async with recommender(redis_url, catalogue) as around:
        await until(partial(published, around, SongsOffered, 1))
        assert len(await around.all(MoodChanged)) == 1


def test_without_a_catalogue_the_process_ends_with_one_line(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.parquet"
    environment = os.environ | {
        "MOODSTREAM_REDIS_URL": redis_url,
        "MOODSTREAM_CATALOGUE": str(path),
        "MOODSTREAM_LOG_LEVEL": "ERROR",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "services.recommender.main"],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"moodstream: no catalogue at {path}")


async def test_a_broken_catalogue_at_the_start_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(MoodstreamError, match="cannot read"):
        await Reloader(FileSource(path), lambda _: LibraryOptions(), date.today).load()


async def test_feedback_is_kept_for_the_session_and_the_profile_can_be_listed_and_cleared(
    redis_url: str, catalogue: Path, library: Library
) -> None:
    async with recommender(redis_url, catalogue) as site:
        await site.mood(Mood.HAPPY, phase="start")
        (offer,) = await site.all(SongsOffered)
        song = offer.songs[0].id

        def ids(*history: Past) -> list[str]:
            return [entry.song.id for entry in library.ranked(song, 10, Mood.HAPPY, history=history)]

        liked = offer.songs[1].id
        said = FeedbackGiven(kind="like", song_id=liked, session_id=site.session, profile="Ada")
        await site.publish_and_wait(said)
        await site.publish_and_wait(said)
        await site.publish_and_wait(picked(offer))
        (ranking,) = await site.all(SongsRanked)
        assert [entry.song.id for entry in ranking.ranking] == ids(Past(liked, "liked", 0.5)) != ids()
        for whose in ({"session_id": site.session}, {"profile": "Ada"}):
            reply = await ask(site.bus, "feedback.list", whose, 5)  # type: ignore[arg-type]
            assert isinstance(reply.result, dict)
            assert [entry["song_id"] for entry in reply.result["feedback"]] == [liked]  # type: ignore[index,union-attr,call-overload]
        lifetimes = [await site.bus.redis.ttl(key) for key in await site.bus.redis.keys("*said*")]
        assert all(0 < lifetime <= 86_400 for lifetime in lifetimes)
        await site.mood(Mood.NOBODY, phase="end")
        assert await site.bus.redis.keys("*said*") == []
        assert (await ask(site.bus, "feedback.clear", {"profile": "Ada"}, 5)).result == {"cleared": 1}
        assert (await ask(site.bus, "feedback.list", {"profile": "Ada"}, 5)).result == {"feedback": []}
        assert "name a session_id" in str((await ask(site.bus, "feedback.clear", {}, 5)).error)


async def test_a_song_that_played_is_not_offered_for_a_while(redis_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path, 40)
    songs = Library.build(Catalogue.load(path), LibraryOptions(method="quadrant"))
    happy = songs.moods.positions(Mood.HAPPY).tolist()
    async with recommender(redis_url, path, song_moods="quadrant") as site:
        for at in happy[:-1]:
            await site.publish_and_wait(PlaybackChanged(state="playing", output="log", song=songs.song(at)))
        await site.mood(Mood.HAPPY, phase="start")
        (offer,) = await site.all(SongsOffered)
        assert offer.songs[0] == songs.song(happy[-1])
        assert not {song.id for song in offer.songs} & {songs.song(at).id for at in happy[:-1]}
        assert offer.filled


async def test_a_goal_leads_away_from_the_mood(redis_url: str, catalogue: Path) -> None:
    async with recommender(redis_url, catalogue, goal="lift") as site:
        await site.mood(Mood.SAD, phase="start")
        (offer,) = await site.all(SongsOffered)
        await site.publish_and_wait(picked(offer))
        (ranking,) = await site.all(SongsRanked)
        assert ranking.goal == "lift"
        assert list(ranking.play) != [entry.song for entry in ranking.ranking]
        reply = await ask(site.bus, "songs.mood", {"id": ranking.play[-1].id}, 5)
        assert isinstance(reply.result, dict)
        assert reply.result["mood"] == "happy"
        reply = await ask(site.bus, "songs.path", {"id": offer.songs[0].id, "goal": "calm", "n": 4}, 5)
        assert isinstance(reply.result, dict)
        assert len(reply.result["songs"]) == 4  # type: ignore[arg-type]
