"""From a ranking to playback, on a real server."""

import asyncio
from datetime import timedelta

import pytest
from redis import Redis

from moodstream.contracts.events import PlaybackChanged, SongsRanked, utc_now
from moodstream.errors import MoodstreamError
from services.player.main import PlayerSettings, create_output, create_rules
from services.player.outputs import Outcome
from shared.bus.connection import Bus
from shared.delivery import dead_letters
from shared.settings import load
from tests.support.asking import ask
from tests.support.gateways import connected_bus
from tests.support.players import SONGS, ScriptedOutput, command, playback_where, player, ranked, state_is, status


async def playbacks(bus: Bus) -> list[PlaybackChanged]:
    return [one for one in reversed(await bus.newest(PlaybackChanged, 100)) if isinstance(one, PlaybackChanged)]


async def test_it_says_that_it_is_ready(redis_url: str) -> None:
    async with player(redis_url, ScriptedOutput()) as bus:
        assert (await state_is(bus, "ready")).output == "browser"


async def test_the_best_song_plays_once_even_if_told_twice(redis_url: str) -> None:
    output = ScriptedOutput()
    async with player(redis_url, output) as bus:
        first = ranked(SONGS[1], SONGS[2])
        await bus.publish(first)
        await state_is(bus, "playing")
        second = ranked(SONGS[2])
        for event in (first, second, first):
            await bus.publish(event)
        await playback_where(bus, lambda event: event.song == SONGS[2])
        await asyncio.sleep(0.3)
        events = [event for event in await playbacks(bus) if event.song]
    assert output.calls == ["play s1", "play s2"]
    assert [(event.state, event.song and event.song.id) for event in events] == [("playing", "s1"), ("playing", "s2")]
    assert (events[0].session_id, events[0].trace_id) == (first.session_id, first.trace_id)
    assert events[0].id == PlaybackChanged.following(first, state="playing", output="browser").id


async def test_an_expired_or_older_ranking_does_not_play(redis_url: str) -> None:
    output = ScriptedOutput()
    async with player(redis_url, output) as bus:
        await bus.publish(ranked(SONGS[0], expires_at=utc_now() - timedelta(seconds=1)))
        await bus.publish(ranked(SONGS[1]))
        await state_is(bus, "playing")
        await bus.publish(ranked(SONGS[2], at=utc_now() - timedelta(seconds=30)))
        await asyncio.sleep(0.3)
    assert output.calls == ["play s1"]


async def test_what_was_ranked_before_the_player_came_plays(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus:
        await bus.publish(ranked(SONGS[3]))
    output = ScriptedOutput()
    async with player(redis_url, output) as bus:
        await state_is(bus, "playing")
    assert output.calls == ["play s3"]


async def test_commands_of_the_page(redis_url: str) -> None:
    output = ScriptedOutput()
    async with player(redis_url, output, volume_max=60) as bus:
        await bus.publish(ranked(SONGS[0], SONGS[1]))
        await state_is(bus, "playing")
        states = [(await ask(bus, "player.command", {"command": name})).result for name in ("pause", "resume", "next")]
        volume = (await ask(bus, "player.command", {"command": "volume", "percent": 90})).result
        wrong = await ask(bus, "player.command", {"command": "explode"})
        nowhere = await ask(bus, "player.command", {"command": "transfer", "device": "Kitchen"})
        shown = await status(bus)
    assert [state["state"] for state in states if isinstance(state, dict)] == ["paused", "playing", "playing"]
    assert output.calls == ["play s0", "pause", "resume", "play s1", "volume 60"]
    assert isinstance(volume, dict)
    assert (volume["volume"], volume["song"]) == (60, SONGS[1].model_dump(mode="json"))
    assert (wrong.error or "").startswith("player.command: command: Input should be 'play', 'queue', 'next', ")
    assert nowhere.error == "the player browser has no devices to choose from"
    assert (shown["state"], shown["coming"], shown["missing"]) == ("playing", [], [])


async def test_a_slow_output_delays_no_answer_and_the_newest_wish_is_what_it_does_next(redis_url: str) -> None:
    output = ScriptedOutput()
    output.takes_s = 1.5
    async with player(redis_url, output) as bus:
        for song in SONGS:
            await bus.publish(ranked(song))
            await asyncio.sleep(0.1)
        begun = asyncio.get_running_loop().time()
        answer = await ask(bus, "player.command", {"command": "volume", "percent": 20})
        assert answer.error is None
        assert asyncio.get_running_loop().time() - begun < 1.2
        await playback_where(bus, lambda event: event.song == SONGS[3])
    assert [one for one in output.calls if one.startswith("play")] == ["play s0", "play s3"]


async def test_of_two_players_one_commands_and_the_other_takes_over_with_what_was_known(redis_url: str) -> None:
    first, second = ScriptedOutput(), ScriptedOutput()
    async with player(redis_url, second) as bus:
        await bus.publish(ranked(*SONGS))
        await state_is(bus, "playing")
        # two of one process would share a name and so a lease
        async with connected_bus(redis_url) as other:
            assert (await other.redis.get(other.key("lease", "player"))).endswith(b" " + other.consumer.encode())
            for renewal in range(3):
                await other.redis.set(other.key("lease", "player"), f"{renewal} another-player-1")
                await asyncio.sleep(0.7)
                if renewal == 0:
                    await bus.publish(command("next"))
            assert second.calls == ["play s0"]
            await other.redis.delete(other.key("lease", "player"))
            await asyncio.sleep(1)
        await ask(bus, "player.command", {"command": "next"}, timeout_s=3)
        assert second.calls[-1] == "play s1"
        start = await bus.last_id(PlaybackChanged)
    async with player(redis_url, first) as bus:
        await playback_where(bus, lambda event: event.song == SONGS[1], start)
        await ask(bus, "player.command", {"command": "next"}, timeout_s=3)
    assert first.calls == ["play s1", "play s2"]


@pytest.mark.parametrize("heard", [True, False])
async def test_a_player_that_was_killed_over_a_play_has_it_heard_once(redis_url: str, heard: bool) -> None:
    """Its output may have got the command or not: the next player looks, and says what it finds under the same id."""
    killed, after, ranking = ScriptedOutput(), ScriptedOutput(), ranked(*SONGS)
    killed.takes_s = 60
    async with player(redis_url, killed) as bus:
        await bus.publish(ranking)
        async with asyncio.timeout(10):
            while not killed.calls:
                await asyncio.sleep(0.02)
    after.already = Outcome("playing", song=SONGS[0]) if heard else None
    async with player(redis_url, after) as bus:
        shown = await state_is(bus, "playing")
        await bus.publish(ranking)
        await asyncio.sleep(0.5)
    assert shown.id == PlaybackChanged.following(ranking, state="playing", output="").id
    assert after.calls == ([] if heard else ["play s0"])


async def test_a_failure_is_told_and_the_song_plays_when_it_has_passed(redis_url: str) -> None:
    output = ScriptedOutput()
    output.fails = [Outcome("unavailable", "Out of order; it is tried again.")]
    async with player(redis_url, output) as bus:
        ranking = ranked(SONGS[0])
        await bus.publish(ranking)
        shown = await state_is(bus, "unavailable")
        assert shown.message == "Out of order; it is tried again."
        played = await state_is(bus, "playing")
    assert output.calls == ["play s0", "play s0"]
    assert (played.trace_id, played.id != shown.id) == (ranking.trace_id, True)


async def test_what_is_no_ranking_is_put_aside_and_delays_nobody(redis_url: str) -> None:
    output = ScriptedOutput()
    async with player(redis_url, output) as bus:
        await bus.redis.xadd(bus.stream(SongsRanked), {"__data__": b"garbage"})
        await bus.publish(ranked(SONGS[0]))
        await state_is(bus, "playing", within_s=3)
        async with asyncio.timeout(10):
            while not await bus.redis.xlen(f"{bus.stream(SongsRanked)}:dead"):
                await asyncio.sleep(0.05)
        assert await bus.redis.xinfo_groups(bus.stream(SongsRanked)) == [], "nobody would read what a group is given"
    assert output.calls == ["play s0"]


BROKEN = (b"garbage", b"{}", b'{"id": "no", "type": "SongsRanked"}', b"\xff\xfe")


async def test_what_is_no_ranking_is_put_aside_once_whoever_plays(redis_url: str) -> None:
    """Also where the player comes so late that it knows nothing else any more; put back, it is put aside again."""

    async def letters(bus: Bus, count: int) -> list[dict[bytes, bytes]]:
        async with asyncio.timeout(10):
            while len(found := await bus.redis.xrange(f"{bus.stream(SongsRanked)}:dead")) < count:
                await asyncio.sleep(0.05)
        return [fields for _, fields in found]

    async with player(redis_url, ScriptedOutput()) as bus:
        wrong = [await bus.redis.xadd(bus.stream(SongsRanked), {"__data__": body}) for body in BROKEN]
        wrong.append(await bus.redis.xadd(bus.stream(SongsRanked), {"other": "field"}))
        found = await letters(bus, len(wrong))
        assert [one[b"entry"] for one in found] == wrong
        assert {one[b"group"] for one in found} == {b"player"}
        assert all(one[b"error"] for one in found)
        assert tuple(one[b"__data__"] for one in found[:-1]) == BROKEN
    for kept in ("kept", "nothing kept"):
        output = ScriptedOutput()
        async with player(redis_url, output) as bus:
            await bus.publish(ranked(SONGS[0] if kept == "kept" else SONGS[1]))
            async with asyncio.timeout(10):
                while not output.calls:
                    await asyncio.sleep(0.05)
            assert len(await letters(bus, len(wrong))) == len(wrong), kept
            await bus.redis.delete(bus.key("player", "kept"))
    async with player(redis_url, ScriptedOutput()) as bus:
        with Redis.from_url(redis_url) as client:
            [first, *_] = dead_letters.letters(client, bus.prefix)
            assert dead_letters.replay(client, bus.prefix, {first["letter"]}) == 1
        async with asyncio.timeout(10):
            while (await letters(bus, len(wrong)))[-1][b"__data__"] != BROKEN[0]:
                await asyncio.sleep(0.05)


async def test_while_redis_takes_nothing_the_player_waits_and_then_goes_on(redis_url: str) -> None:
    output = ScriptedOutput()
    async with player(redis_url, output) as bus:
        await state_is(bus, "ready")
        await bus.redis.config_set("maxmemory", "1")
        await asyncio.sleep(2)
        await bus.redis.config_set("maxmemory", "0")
        await bus.publish(ranked(SONGS[0]))
        await state_is(bus, "playing")
    assert output.calls == ["play s0"]


def test_spotify_without_a_client_id_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_SPOTIFY_CLIENT_ID"):
        create_output(load(PlayerSettings, player="spotify"))


def test_an_unknown_player_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_PLAYER"):
        load(PlayerSettings, player="gramophone")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"quiet_hours": "at night"}, "MOODSTREAM_QUIET_HOURS"),
        ({"volume_min": 60, "volume_max": 40}, "MOODSTREAM_VOLUME_MIN"),
    ],
)
def test_rules_that_make_no_sense_are_one_line(settings: dict[str, object], words: str) -> None:
    with pytest.raises(MoodstreamError, match=words):
        create_rules(load(PlayerSettings, **settings), None)


@pytest.mark.parametrize("address", ["host:", "host:port", ":6600", "host:70000", "bar..local:6600", "my host", "::1"])
def test_a_wrong_address_of_mpd_is_one_line(address: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_MPD_ADDRESS"):
        create_output(load(PlayerSettings, player="mpd", mpd_address=address))


@pytest.mark.parametrize("address", ["http://localhost:8080/x", "http://192.168.1.2/x", "ftp://127.0.0.1", "x"])
def test_a_redirect_address_that_spotify_refuses_is_one_line(address: str) -> None:
    settings = load(PlayerSettings, player="spotify", spotify_client_id="id", spotify_redirect_uri=address)
    with pytest.raises(MoodstreamError, match="MOODSTREAM_SPOTIFY_REDIRECT_URI"):
        create_output(settings)
