"""A site learns from all visits together, within bounds; it can be listed and forgotten."""

import time
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from moodstream.contracts.events import FeedbackGiven, SongsOffered, SongsRanked
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.requests import LearnedSongs
from services.recommender.choice.circumstances import UNLIKE, Circumstances
from services.recommender.choice.learned import MAX_FACTOR, MAX_SHIFT, Counts, Learned, believed, chances
from services.recommender.choice.library import Library
from services.recommender.learned_store import HALF_LIFE_S, LearnedStore
from services.recommender.visits import Visits
from tests.support.asking import ask
from tests.support.random_songs import catalogue, saved
from tests.support.recommenders import Site, picked, recommender, site

SONG = "0" * 22


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.build(catalogue(400))


def surest(library: Library, mood: Mood) -> str:
    """The song that belongs most to a mood."""
    return library.song(int(library.moods.memberships[:, MOODS.index(mood)].argmax())).id


def offered(library: Library, mood: Mood, song: str, learned: dict[Mood, Learned], rounds: int = 400) -> float:
    causes = [str(uuid4()) for _ in range(rounds)]
    return float(
        np.mean([song in {one.id for one in library.offer(mood, cause, learned=learned).songs} for cause in causes])
    )


def test_what_five_visitors_call_wrong_is_not_offered_for_that_mood_any_more(library: Library) -> None:
    song = surest(library, Mood.CALM)
    before = offered(library, Mood.CALM, song, {})
    assert before > 0
    called = {visitors: Learned({song: Counts(wrong=visitors)}) for visitors in (1, 5, 50)}
    assert offered(library, Mood.CALM, song, {Mood.CALM: called[1]}) > before / 2
    assert offered(library, Mood.CALM, song, {Mood.CALM: called[5]}) == 0
    ranked = library.ranked(SONG, 100, Mood.CALM, learned={Mood.CALM: called[5]})
    assert song not in {entry.song.id for entry in ranked}
    assert offered(library, Mood.CALM, song, {Mood.SAD: called[50]}) == pytest.approx(before, abs=0.1)


def test_who_agrees_weighs_against_who_calls_it_wrong() -> None:
    assert believed(0.8, Counts()) == pytest.approx(0.8)
    assert believed(0.8, Counts(wrong=5)) < believed(0.8, Counts(wrong=5, taken=20)) < 0.8
    assert believed(0.8, Counts(taken=1000)) < 1


def test_what_is_taken_comes_oftener_and_what_is_skipped_rarer_but_never_out_of_bounds(library: Library) -> None:
    song = surest(library, Mood.HAPPY)
    before = offered(library, Mood.HAPPY, song, {})
    liked = offered(library, Mood.HAPPY, song, {Mood.HAPPY: Learned({song: Counts(taken=1e6)})})
    skipped = offered(library, Mood.HAPPY, song, {Mood.HAPPY: Learned({song: Counts(refused=1e6)})})
    assert before < liked < 1.2 * MAX_FACTOR * before
    assert 0.7 / MAX_FACTOR * before < skipped < before
    extremes = Learned({"a": Counts(taken=1e9), "b": Counts(refused=1e9)}).leanings(["a", "b", "c"], str(uuid4()))
    assert extremes == pytest.approx([1, -1, 0], abs=1e-3)
    assert chances(extremes) == pytest.approx([MAX_FACTOR, 1 / MAX_FACTOR, 1], abs=0.01)


def test_a_ranking_moves_by_no_more_than_the_bound(library: Library) -> None:
    plain = library.ranked(SONG, 20, Mood.HAPPY)
    learned = {Mood.HAPPY: Learned({entry.song.id: Counts(taken=1e6) for entry in plain[10:]})}
    moved = library.ranked(SONG, 20, Mood.HAPPY, learned=learned)
    assert moved != plain
    likeness = [entry.similarity for entry in moved]
    assert max(np.maximum.accumulate(likeness[::-1])[::-1] - likeness) <= MAX_SHIFT + 1e-3
    assert library.ranked(SONG, 20, Mood.HAPPY, learned={Mood.SAD: learned[Mood.HAPPY]}) == plain


async def test_counts_fade_and_a_visit_counts_once(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(redis_url) as around:
        store = LearnedStore(around.bus)
        now = time.time()
        for visit in ("a", "a", "b"):
            counted = await store.note(visit, Mood.CALM, SONG, "wrong")
        assert counted
        assert not await store.note("b", Mood.CALM, SONG, "wrong")
        assert not await store.note("b", Mood.NOBODY, SONG, "wrong")
        assert (await store.read())[Mood.CALM].songs[SONG].wrong == pytest.approx(2, rel=1e-3)
        monkeypatch.setattr("services.recommender.learned_store.time.time", lambda: now + HALF_LIFE_S)
        assert (await store.read())[Mood.CALM].songs[SONG].wrong == pytest.approx(1, rel=1e-3)
        await store.note("c", Mood.CALM, SONG, "wrong")
        assert (await store.read())[Mood.CALM].songs[SONG].wrong == pytest.approx(2, rel=1e-3)
        monkeypatch.setattr("services.recommender.learned_store.time.time", lambda: now + 20 * HALF_LIFE_S)
        assert await store.read() == {}
        assert not await around.bus.redis.exists(around.bus.key("learned", "calm"))


async def test_what_was_learned_under_other_circumstances_counts_less(redis_url: str) -> None:
    evening, morning = Circumstances("evening", False, True), Circumstances("morning", False, True)
    async with site(redis_url) as around:
        store = LearnedStore(around.bus)
        await store.note("a", Mood.HAPPY, SONG, "taken", evening)
        await store.note("b", Mood.HAPPY, SONG, "refused", morning)
        await store.note("c", Mood.HAPPY, SONG, "wrong", morning)
        await store.note("d", Mood.HAPPY, SONG, "taken")
        assert not await store.note("a", Mood.HAPPY, SONG, "taken", morning), "a visit counts once, whatever the hour"
        whole = (await store.read())[Mood.HAPPY].songs[SONG]
        assert astuple(whole) == pytest.approx((2, 0, 1, 1), rel=1e-3)
        late = (await store.read(evening))[Mood.HAPPY].songs[SONG]
        assert astuple(late) == pytest.approx((2, 0, UNLIKE, 1), rel=1e-3)
        early = (await store.read(morning))[Mood.HAPPY].songs[SONG]
        assert astuple(early) == pytest.approx((1 + UNLIKE, 0, 1, 1), rel=1e-3)
        assert await store.clear("another") == 0
        assert await store.clear(SONG) == 1
        assert await store.read() == {}


async def test_a_site_learns_by_its_own_clock_and_by_company(redis_url: str, tmp_path: Path) -> None:
    async with recommender(redis_url, saved(tmp_path, 400), learn=True, time_zone="Asia/Tokyo") as around:
        await visit(around, Mood.CALM, "like", at=datetime(2026, 11, 27, 23, tzinfo=UTC), faces=3)
        names = await around.bus.redis.hkeys(around.bus.key("learned", "calm"))
        # 8 o'clock on Saturday
        assert {name.split()[0] for name in names} == {b"taken/m11"}


async def test_an_offer_of_a_version_without_circumstances_is_known(redis_url: str) -> None:
    async with site(redis_url) as around:
        await around.bus.redis.set(around.bus.key("offered", "a"), "calm")
        assert await Visits(around.bus).last_offer("a") == (Mood.CALM, None)


async def visit(site: Site, mood: Mood, *kinds: str, **fields: Any) -> SongsOffered:
    """A new visitor is offered songs, says this of the first, and goes."""
    site.session = str(uuid4())
    await site.mood(mood, phase="start", **fields)
    offer = (await site.all(SongsOffered))[-1]
    for kind in kinds:
        said = {"kind": kind, "song_id": offer.songs[0].id, "session_id": site.session}
        await site.publish_and_wait(
            FeedbackGiven.model_validate(said | ({"mood": mood} if kind == "wrong_mood" else {}))
        )
    await site.publish_and_wait(picked(offer, 1))
    await site.mood(Mood.NOBODY, phase="end")
    return offer


async def test_a_site_that_learns_lists_and_forgets(redis_url: str, tmp_path: Path) -> None:
    async with recommender(redis_url, saved(tmp_path, 400), learn=True) as around:
        first = await visit(around, Mood.CALM, "wrong_mood", "skip", "skip")
        song, other = first.songs[0].id, first.songs[1].id
        for _ in range(4):
            await around.publish_and_wait(
                FeedbackGiven(kind="wrong_mood", song_id=song, session_id=str(uuid4()), mood=Mood.CALM)
            )
        reply = await ask(around.bus, "learned.list", {}, 5)
        learned = LearnedSongs.model_validate(reply.result)
        assert learned.learns
        disputed, taken = learned.songs
        assert (disputed.id, disputed.mood, disputed.kept_out) == (song, Mood.CALM, True)
        assert disputed.wrong == pytest.approx(5, abs=0.01)
        assert disputed.refused == pytest.approx(1, abs=0.01), "a visit counts once"
        assert (taken.id, taken.kept_out) == (other, False)
        assert taken.taken == pytest.approx(1, abs=0.01)
        for _ in range(6):
            assert song not in {one.id for one in (await visit(around, Mood.CALM)).songs}
        assert (await around.all(SongsRanked))[-1].ranking
        assert (await ask(around.bus, "learned.forget", {"id": song}, 5)).result == {"forgotten": 1}
        assert song not in str((await ask(around.bus, "learned.list", {}, 5)).result)
        assert (await ask(around.bus, "learned.forget", {}, 5)).result["forgotten"] > 0  # type: ignore[index,operator,call-overload]
        assert (await ask(around.bus, "learned.list", {}, 5)).result == {"learns": True, "songs": []}


async def test_a_site_that_shall_not_learn_does_not(redis_url: str, tmp_path: Path) -> None:
    async with recommender(redis_url, saved(tmp_path, 100)) as around:
        await visit(around, Mood.CALM, "wrong_mood", "like")
        assert await around.bus.redis.keys("*learned*") == []
        assert (await ask(around.bus, "learned.list", {}, 5)).result == {"learns": False, "songs": []}
        assert (await ask(around.bus, "learned.forget", {}, 5)).result == {"forgotten": 0}
