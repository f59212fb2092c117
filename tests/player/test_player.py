"""From a ranking to playback, on a real server."""

import asyncio
from datetime import timedelta

import pytest

from services.player.main import PlayerSettings, create_output, create_service
from services.player.outputs import LogOutput, Outcome
from services.player.queue import Queue
from shared.app import build_app, create_bus
from shared.bus import Bus
from shared.circumplex import Mood
from shared.delivery import create_groups
from shared.errors import MoodstreamError
from shared.events import PlaybackChanged, Song, SongsRanked, expiry, new_id, utc_now
from shared.settings import load

SONGS = tuple(Song(id=f"s{n}", title=f"Song {n}", artist="A") for n in range(3))


class CountingOutput(LogOutput):
    """Plays nothing and counts."""

    def __init__(self) -> None:
        self.played: list[str] = []

    async def play(self, song: Song) -> Outcome:
        self.played.append(song.id)
        return Outcome("playing")


def ranked(*songs: Song, **fields: object) -> SongsRanked:
    return SongsRanked(
        **{
            "offer_id": "o",
            "picked": SONGS[0],
            "mood": Mood.SAD,
            "ranking": (),
            "play": songs,
            "session_id": new_id(),
            "expires_at": expiry(SongsRanked),
            **fields,
        }  # type: ignore[arg-type]
    )


async def start(url: str, output: CountingOutput) -> Bus:
    settings = load(PlayerSettings, redis_url=url)
    bus = create_bus(settings)
    build_app(bus, create_service(settings, bus, output))
    await bus.connect()
    await create_groups(bus)
    await bus.broker.start()
    return bus


async def playbacks(bus: Bus, count: int) -> list[PlaybackChanged]:
    got = list[PlaybackChanged]()
    async with asyncio.timeout(5):
        async for entry in bus.follow({PlaybackChanged: "0-0"}, block_ms=50):
            if entry is not None and isinstance(entry[1], PlaybackChanged):
                got.append(entry[1])
                if len(got) == count:
                    break
    return got


async def test_the_best_song_plays_once_even_if_told_twice(redis_url: str) -> None:
    output = CountingOutput()
    bus = await start(redis_url, output)
    first = ranked(SONGS[1], SONGS[2])
    for event in (first, first, ranked(SONGS[2])):
        await bus.publish(event)
    events = await playbacks(bus, 2)
    await bus.close()
    assert output.played == ["s1", "s2"]
    assert [(event.state, event.song and event.song.id) for event in events] == [("playing", "s1"), ("playing", "s2")]
    assert events[0].session_id == first.session_id
    assert events[0].trace_id == first.trace_id


async def test_an_expired_or_older_ranking_does_not_play(redis_url: str) -> None:
    output = CountingOutput()
    bus = await start(redis_url, output)
    await bus.publish(ranked(SONGS[0], expires_at=utc_now() - timedelta(seconds=1)))
    await bus.publish(ranked(SONGS[1]))
    await bus.publish(ranked(SONGS[2], at=utc_now() - timedelta(seconds=30)))
    await playbacks(bus, 1)
    await asyncio.sleep(0.2)
    await bus.close()
    assert output.played == ["s1"]


async def test_commands_of_the_page(redis_url: str) -> None:
    output = CountingOutput()
    bus = await start(redis_url, output)
    await bus.publish(ranked(SONGS[0], SONGS[1]))
    await playbacks(bus, 1)
    states = [(await bus.ask("player.command", {"command": name})).result for name in ("pause", "resume", "next")]
    wrong = await bus.ask("player.command", {"command": "explode"})
    await bus.close()
    assert [state["state"] for state in states if isinstance(state, dict)] == ["paused", "playing", "playing"]
    assert output.played == ["s0", "s1"]
    assert wrong.error == "command must be pause, resume or next"


def test_the_queue_ends() -> None:
    queue = Queue()
    assert queue.replace((), utc_now()) is None
    assert queue.replace(SONGS[:2], utc_now()) == SONGS[0]
    assert [queue.next(), queue.next(), queue.next()] == [SONGS[1], None, None]


def test_spotify_without_a_client_id_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_SPOTIFY_CLIENT_ID"):
        create_output(load(PlayerSettings, player="spotify"))


def test_an_unknown_player_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_PLAYER"):
        load(PlayerSettings, player="gramophone")
