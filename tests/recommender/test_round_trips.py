"""How often the recommender asks Redis for an offer and a ranking: on a slow line each time costs most of a second."""

from pathlib import Path

import pytest

from moodstream.contracts.events import SongsOffered
from moodstream.contracts.moods import MOODS
from tests.support.random_songs import saved
from tests.support.recommenders import picked, recommender, site
from tests.support.redis_process import Line, Server

TRIES = 5
"""Heartbeats and reads that wait for news are counted, too; the fewest of several tries is the handler's own."""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return saved(tmp_path, 400)


async def test_an_offer_takes_seven_round_trips_and_a_ranking_nine(tmp_path: Path, catalogue: Path) -> None:
    """Three of them are those of every event: tests/shared/delivery/test_slow_line.py."""
    offers, rankings = list[int](), list[int]()
    with Server(tmp_path / "redis") as server:
        line = Line(server.port)
        line.start()
        async with recommender(f"redis://127.0.0.1:{line.port}/0", catalogue), site(server.url) as outside:
            for number in range(TRIES):
                outside.session = f"{outside.session[:-1]}{number}"
                before = line.round_trips
                await outside.mood(MOODS[number % 4], phase="start")
                offers.append(line.round_trips - before)
                offer = (await outside.all(SongsOffered))[-1]
                before = line.round_trips
                await outside.publish_and_wait(picked(offer))
                rankings.append(line.round_trips - before)
        line.stop()
    print(f"an offer: {offers}, a ranking: {rankings}")
    assert min(offers) <= 7
    assert min(rankings) <= 9
