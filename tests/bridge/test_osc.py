"""OSC over real UDP: values at a set rate, smooth and in their ranges; control back in."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pythonosc.udp_client import SimpleUDPClient

from moodstream.contracts.events import Source, StatusChanged
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.bridge.osc.endpoints import parse_endpoints
from services.bridge.osc.glide import Glide
from services.bridge.osc.packets import messages_in
from services.bridge.osc.values import CameraValues
from services.bridge.rate_limited_log import RateLimitedLog
from tests.support.bridges import bridge, hearing_osc, until
from tests.support.gateways import answer, connected_bus
from tests.support.ports import free_port
from tests.support.scenes import faces_read, mood_changed, new_session, playing, probabilities

Heard = Sequence[tuple[float, str, tuple[Any, ...]]]


def values(heard: Heard, address: str) -> list[Any]:
    return [values[0] for _, name, values in heard if name == address]


async def test_values_glide_at_the_set_rate_and_stay_in_their_ranges(redis_url: str) -> None:
    async with (
        hearing_osc() as (port, heard),
        bridge(redis_url, osc_to=f"127.0.0.1:{port}", osc_rate=50, osc_smoothing_s=0.1) as bus,
    ):
        await until(lambda: len(values(heard, "/valence")) > 3)
        assert set(values(heard, "/valence")) == {0.0}
        begun, sent = time.monotonic(), len(values(heard, "/valence"))
        await bus.publish(mood_changed(Mood.HAPPY, new_session(), confidence=0.9))
        await bus.publish(faces_read())
        await until(lambda: values(heard, "/confidence")[-1] > 0.89)
        rate = (len(values(heard, "/valence")) - sent) / (time.monotonic() - begun)
        await bus.publish(mood_changed(Mood.SAD, new_session(), confidence=0.9))
        await until(lambda: values(heard, "/valence")[-1] < -0.5)
    assert 20 < rate < 55
    moods = values(heard, "/mood")
    assert moods.index("happy") < moods.index("sad")
    assert {1, 2} <= set(values(heard, "/mood/number"))
    for address in ("/valence", "/arousal"):
        assert all(-1 <= value <= 1 for value in values(heard, address))
    falling = values(heard, "/valence")[values(heard, "/valence").index(max(values(heard, "/valence"))) :]
    assert all(a >= b for a, b in itertools.pairwise(falling))
    assert len({value for value in falling if -0.4 < value < 0.4}) >= 3  # no jump
    assert values(heard, "/people")[-1] == 1
    assert values(heard, "/faces/count")[-1] == 1
    assert values(heard, "/faces/1/mood")[-1] == "happy"
    for name, share in (("x", 210 / 640), ("y", 120 / 480), ("width", 180 / 640), ("height", 180 / 480)):
        assert values(heard, f"/faces/1/{name}")[-1] == pytest.approx(share, abs=1e-6)
    assert values(heard, "/probability/sad")[-1] > 0.5


def test_boxes_at_the_edge_stay_in_their_range_and_one_face_less_does_not_move_the_others() -> None:
    camera = CameraValues("camera-1", Glide(0.25))
    left, right = (faces_read().faces[0].model_copy(update={"box": box}) for box in ((-9, 0, 90, 480), (600, 9, 90, 9)))
    reading = faces_read()
    camera.apply_event(reading.model_copy(update={"faces": (left, right)}))
    assert camera.glide.now["/faces/1/x"] == 0.0
    assert camera.glide.now["/faces/1/height"] == 1.0
    camera.apply_event(reading.model_copy(update={"faces": (right,)}))
    assert camera.glide.now["/faces/1/x"] == 0.0  # glides there
    camera.glide.step(10)
    assert camera.glide.now["/faces/1/x"] == pytest.approx(600 / 640)
    assert not [name for name in camera.glide.now if name.startswith("/faces/2/")]
    camera.apply_event(reading.model_copy(update={"faces": (left,), "size": None}))


async def test_each_camera_and_the_song_have_addresses_of_their_own(redis_url: str) -> None:
    async with hearing_osc() as (port, heard), bridge(redis_url, osc_to=f"127.0.0.1:{port}", osc_smoothing_s=0) as bus:
        await until(lambda: len(values(heard, "/valence")) > 1)
        await bus.publish(mood_changed(Mood.HAPPY, new_session()))
        await bus.publish(mood_changed(Mood.SAD, new_session(), camera_id="hall"))
        await bus.publish(mood_changed(Mood.CALM, new_session(), camera_id="hand-1-2"))
        await bus.publish(faces_read())
        await bus.publish(playing())
        await until(lambda: "playing" in values(heard, "/song/state") and "sad" in values(heard, "/camera/hall/mood"))
        await until(
            lambda: values(heard, "/camera/hall/valence")[-1:] and values(heard, "/camera/hall/valence")[-1] < 0
        )
        await until(lambda: values(heard, "/camera/camera-1/faces/1/mood"))
        await bus.publish(StatusChanged(service="camera", part="hall", state="offline"))
        await asyncio.sleep(0.5)
        gone = len(values(heard, "/camera/hall/people"))
        await asyncio.sleep(0.3)
        assert len(values(heard, "/camera/hall/people")) == gone
    assert set(values(heard, "/mood")) - {"nobody"} == {"happy"}
    assert set(values(heard, "/camera/camera-1/mood")) == {"happy"}
    assert values(heard, "/song/title")[-1] == "Kites over Kilve"
    assert values(heard, "/song/artist")[-1] == "Ola Verano"
    assert not [name for _, name, _ in heard if name.startswith("/camera/hand-")]


async def test_control_comes_back_in(redis_url: str) -> None:
    port = free_port()
    async with connected_bus(redis_url) as others, bridge(redis_url, osc_listen=f"127.0.0.1:{port}"):
        for camera_id in ("camera-1", "hall"):
            await others.publish(StatusChanged(service="camera", part=camera_id, state="online", reason="live"))
        with contextlib.closing(SimpleUDPClient("127.0.0.1", port)) as client:
            for address, value, kind, expected in (
                ("/force", "sad", "mood.choose", {"camera_id": "camera-1", "mood": "sad"}),
                ("/force", ["calm", "hall"], "mood.choose", {"camera_id": "hall", "mood": "calm"}),
                ("/next", [], "player.command", {"command": "next"}),
                ("/toggle", 1.0, "player.command", {"command": "pause"}),
                ("/mute", [], "player.command", {"command": "volume", "percent": 0}),
            ):
                task = await answer(others, kind)
                for nonsense in (
                    ("/force", 7),
                    ("/force", "bored"),
                    ("/force", ["sad", "nowhere"]),
                    ("/force", ["sad", "a/\x1b"]),
                    ("/dance", 1),
                    ("/next", 0.0),
                ):
                    client.send_message(*nonsense)
                client._sock.sendto(b"\xff no OSC", ("127.0.0.1", port))
                client.send_message(address, value)
                assert (await task).body == expected


async def test_a_flood_of_nonsense_fills_no_log_and_stops_no_command(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with bridge(redis_url, osc_listen=f"127.0.0.1:{port}"), connected_bus(redis_url) as others:
        with contextlib.closing(SimpleUDPClient("127.0.0.1", port)) as client:
            for number in range(2_000):
                client.send_message(f"/fader/{number % 7}", 0.5)
                if number % 50 == 0:
                    await asyncio.sleep(0)
            task = await answer(others, "player.command")
            await asyncio.sleep(0.2)
            client.send_message("/next", [])
            assert (await task).body == {"command": "next"}
    assert 1 <= len([one for one in caplog.records if "no command has the address" in one.message]) <= 5


def test_a_rate_limited_log_counts_what_it_left_out(caplog: pytest.LogCaptureFixture) -> None:
    limited = RateLimitedLog(logging.getLogger("moodstream.bridge"), every_s=0.1)
    for number in range(5):
        limited.warning("no %d", number)
    time.sleep(0.15)
    limited.warning("no %d", 5)
    assert [one.getMessage() for one in caplog.records] == ["no 0", "no 5 (and 4 more)"]


async def test_a_taken_port_is_one_line(redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with hearing_osc() as (port, _), bridge(redis_url, osc_listen=f"127.0.0.1:{port}") as bus:
        await asyncio.wait_for(bus.stopping.wait(), 5)
    assert "MOODSTREAM_OSC_LISTEN" in capsys.readouterr().err


def test_endpoints() -> None:
    assert parse_endpoints("127.0.0.1:9000, studio:7000 [::1]:9", "X") == [
        ("127.0.0.1", 9000),
        ("studio", 7000),
        ("::1", 9),
    ]
    for wrong in ("9000", "host:", "host:port", "host:0", "host:70000", "a..b:9", f"{64 * 'a'}.local:9"):
        with pytest.raises(MoodstreamError, match="X: must look like"):
            parse_endpoints(wrong, "X")


def test_gliding_is_the_same_at_any_rate_and_never_overshoots() -> None:
    coarse, fine = Glide(0.25), Glide(0.25)
    for one, steps in ((coarse, 2), (fine, 200)):
        one.aim("v", -1.0)
        one.aim("v", 1.0)
        for _ in range(steps):
            one.step(0.5 / steps)
    assert coarse.now["v"] == pytest.approx(fine.now["v"])
    assert coarse.now["v"] == pytest.approx(1 - 2 * 2.718281828**-2)


def _text(text: str) -> bytes:
    return text.encode() + b"\0" * (4 - len(text.encode()) % 4)


def _bundle(ahead_s: float, *elements: bytes) -> bytes:
    ntp = int((time.time() + 2_208_988_800 + ahead_s) * 2**32)
    return b"#bundle\0" + ntp.to_bytes(8, "big") + b"".join(len(one).to_bytes(4, "big") + one for one in elements)


NEXT = _text("/next") + _text(",")
DIALECTS = {
    "from the future": (_bundle(3_600, NEXT), ["/next"]),
    "from the past": (_bundle(-3_600, NEXT, NEXT), ["/next", "/next"]),
    "bundle in a bundle": (_bundle(60, _bundle(90, NEXT)), ["/next"]),
    "no type tags": (_text("/next"), ["/next"]),
    "text without type tags": (_text("/force") + _text("happy"), ["/force", "happy"]),
    "a symbol": (_text("/force") + _text(",S") + _text("sad"), ["/force", "sad"]),
    "a character before a text": (_text("/force") + _text(",cs") + b"\0\0\0a" + _text("sad"), ["/force", 97, "sad"]),
    "infinity": (_text("/force") + _text(",Is") + _text("sad"), ["/force", None, "sad"]),
    "cut short": (NEXT[:-3], []),
    "an element longer than the bundle": (_bundle(0, NEXT)[:-4], []),
    "endless nesting": (b"#bundle\0" + b"\0" * 8, []),
    "no text": (b"/\xff\xff\0,\0\0\0", []),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_datagrams_are_read_as_other_receivers_read_them(dialect: str) -> None:
    datagram, expected = DIALECTS[dialect]
    read = [value for message in messages_in(datagram) for value in (message.address, *message)]
    assert read == expected


def test_deep_nesting_ends() -> None:
    datagram = NEXT
    for _ in range(2_000):
        datagram = _bundle(0, datagram)
    assert list(messages_in(datagram)) == []


async def test_time_tags_patterns_and_other_dialects_are_obeyed_while_the_loop_goes_on(redis_url: str) -> None:
    port = free_port()
    async with bridge(redis_url, osc_listen=f"127.0.0.1:{port}"), connected_bus(redis_url) as others:
        with contextlib.closing(SimpleUDPClient("127.0.0.1", port)) as client:
            for datagram, kind, expected in (
                (_bundle(60, NEXT), "player.command", {"command": "next"}),
                (_text("/n*"), "player.command", {"command": "next"}),
                (_text("/{resume,dance}"), "player.command", {"command": "resume"}),
                (_text("/force") + _text(",Sf") + _text("sad") + b"\x3f\x80\0\0", "mood.choose", {"mood": "sad"}),
            ):
                task = await answer(others, kind)
                client._sock.sendto(_text("/force") + _text(",sf") + _text("calm") + b"\0" * 4, ("127.0.0.1", port))
                client._sock.sendto(_text("/[") + _text(","), ("127.0.0.1", port))
                client._sock.sendto(datagram, ("127.0.0.1", port))
                assert expected.items() <= (await task).body.items()


async def test_a_receiver_that_cannot_be_found_does_not_hold_up_the_others(redis_url: str) -> None:
    async with (
        hearing_osc() as (port, heard),
        bridge(redis_url, osc_to=f"nowhere.invalid:9 127.0.0.1:{port}", osc_rate=50),
    ):
        await until(lambda: len(values(heard, "/valence")) > 3)


async def test_one_that_is_switched_off_and_comes_back_does_not_hold_up_the_others(redis_url: str) -> None:
    """To a port at which nothing listens the system refuses to send."""
    off = free_port()
    async with (
        hearing_osc() as (port, heard),
        bridge(redis_url, osc_to=f"127.0.0.1:{off} 127.0.0.1:{port} [::1]:{off}", osc_rate=50),
    ):
        await until(lambda: len(values(heard, "/valence")) > 10)
        async with hearing_osc(off) as (_, back):
            await until(lambda: len(values(back, "/valence")) > 3)


def test_each_source_is_sent_until_it_says_nothing_any_more() -> None:
    camera = CameraValues("camera-1", Glide(0.0))
    words = Source(kind="words", probabilities=probabilities(Mood.SAD, 0.9), weight=0.75)
    sent = []
    for sources in ((), (words,), ()):
        camera.apply_event(mood_changed(Mood.SAD, new_session(), sources=sources))
        told = [one for packet in camera.messages() for one in messages_in(packet)]
        sent.append({one.address: tuple(one.params) for one in told if "/source/" in one.address})
    assert sent == [
        {},
        {"/source/words/mood": ("sad",), "/source/words/weight": (0.75,)},
        {"/source/words/mood": ("nobody",), "/source/words/weight": (0.0,)},
    ]
