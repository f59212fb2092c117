"""Webhooks to a real receiver on the loopback: signed, kept, tried again, never to where they must not go."""

import asyncio
import contextlib
import time
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from moodstream.contracts.events import utc_now
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.bridge.webhooks.outbox import LEASE_S, Letter, Outbox, enable, read_standing
from services.bridge.webhooks.receivers import Receiver, read_receivers
from services.bridge.webhooks.sender import MAX_REST_S, TIMEOUT_S, Sender
from services.bridge.webhooks.workers import PAUSES_S, Webhook
from services.cli.redis_client import connected
from shared.bus.connection import Bus
from shared.networks import is_public
from shared.web.webhook_secret import new_secret
from tests.support.bridges import Endpoint, bridge, endpoint, receivers_file, until
from tests.support.gateways import connected_bus
from tests.support.scenes import mood_changed, new_session, playing

SECRET = new_secret()


def receiver(one: Endpoint, **fields: Any) -> dict[str, Any]:
    return {"name": "lights", "url": one.url, "secrets": [SECRET], "private": True} | fields


def ids(one: Endpoint) -> list[str]:
    return [posted.headers["webhook-id"] for posted in one.got]


class Delivering:
    """A receiver's queue and worker, with short pauses."""

    def __init__(self, bus: Bus, one: Endpoint, pauses_s: tuple[float, ...] = (0.05, 0.05), **fields: Any) -> None:
        self.hook = Webhook(bus, Receiver(**receiver(one, **fields)), pauses_s)

    async def __aenter__(self) -> Webhook:
        self._task = asyncio.create_task(self.hook.run())
        return self.hook

    async def __aexit__(self, *_: object) -> None:
        while not self._task.done():  # as shared.app.service does: libraries lose cancellations
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.5)


async def test_an_event_arrives_signed_and_only_what_was_asked_for(redis_url: str, tmp_path: Path) -> None:
    async with endpoint() as one:
        async with connected_bus(redis_url) as before:
            await before.publish(mood_changed(Mood.ANGRY, new_session()))  # happened before anybody had asked
        async with bridge(redis_url, webhooks=receivers_file(tmp_path, receiver(one))) as bus:
            session = new_session()
            await bus.publish(playing())
            await bus.publish(mood_changed(Mood.SAD, session, reason="heartbeat"))
            event = mood_changed(Mood.HAPPY, session)
            await bus.publish(event)
            await bus.publish(event)
            await until(lambda: one.got)
            await asyncio.sleep(0.2)
    [posted] = one.got
    assert posted.headers["webhook-id"] == event.id
    body = Verifier(SECRET).verify(posted.body, posted.headers)
    assert body["type"] == "MoodChanged"
    assert body["data"]["mood"] == "happy"
    for wrong in (posted.body + b" ", posted.body.replace(b"happy", b"angry")):
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(wrong, posted.headers)


async def test_while_secrets_change_both_are_good(redis_url: str) -> None:
    old, new = new_secret(), new_secret()
    async with connected_bus(redis_url) as bus, endpoint() as one, Delivering(bus, one, secrets=[new, old]) as hook:
        await hook.put(mood_changed(Mood.SAD, new_session()))
        await until(lambda: one.got)
    for secret in (old, new):
        assert Verifier(secret).verify(one.got[0].body, one.got[0].headers)["type"] == "MoodChanged"
    with pytest.raises(WebhookVerificationError):
        Verifier(new_secret()).verify(one.got[0].body, one.got[0].headers)


async def test_a_receiver_that_was_away_gets_everything_also_what_expired_and_across_a_restart(
    redis_url: str, tmp_path: Path
) -> None:
    file_of = receivers_file
    async with endpoint() as one:
        file = file_of(tmp_path, receiver(one))
        sent = [mood_changed(Mood.SAD, new_session()) for _ in range(6)]
        sent[1] = sent[1].model_copy(update={"expires_at": sent[1].at})
        async with bridge(redis_url, webhooks=file) as bus:
            await bus.publish(sent[0])
            await until(lambda: one.got)
            await one.stop()
            for event in sent[1:3]:
                await bus.publish(event)
            await until(lambda: waiting(redis_url) == 2)
        async with connected_bus(redis_url) as others:  # the bridge is down, too
            for event in sent[3:5]:
                await others.publish(event)
        async with bridge(redis_url, webhooks=file) as bus:
            await until(lambda: waiting(redis_url) == 4)
            await one.start()
            await bus.publish(sent[5])  # its arrival tells that the receiver is back
            await until(lambda: len(set(ids(one))) == 6)
            # stopped before the receiver's answer came, the bridge would rightly keep the letter and send it again
            await until(lambda: waiting(redis_url) == 0)
    assert set(ids(one)) == {event.id for event in sent}


@pytest.mark.parametrize("turns", range(12))
async def test_stopped_at_any_moment_nothing_that_waits_is_held_back(redis_url: str, turns: int) -> None:
    async with connected_bus(redis_url) as bus, endpoint() as one:
        one.status = lambda _: (500, "")
        await Outbox(bus, "lights").put("letter", "{}")
        hook = asyncio.create_task(Webhook(bus, Receiver(**receiver(one)), (0.0, 0.0, 0.0)).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        while not hook.done():
            hook.cancel()
            await asyncio.wait([hook], timeout=0.5)
        found = await Outbox(bus, "lights").take_next()
        assert isinstance(found, Letter) or (found is not None and found < 1.0)


def waiting(redis_url: str) -> Any:
    with connected(redis_url) as client:
        return read_standing(client, "mood:", "lights")["waiting"]


async def test_a_failing_message_is_tried_again_less_often_and_given_up_and_holds_up_no_other(redis_url: str) -> None:
    bad, good = mood_changed(Mood.SAD, new_session()), mood_changed(Mood.HAPPY, new_session())
    async with connected_bus(redis_url) as bus, endpoint() as one:
        one.status = lambda posted: (500 if posted.headers["webhook-id"] == bad.id else 200, "")
        async with Delivering(bus, one, (0.1, 0.4)) as hook:
            await hook.put(bad)
            await hook.put(good)
            await until(lambda: len(one.got) == 4)
            await asyncio.sleep(0.6)
    assert len(one.got) == 4
    assert ids(one)[:2] == [bad.id, good.id]
    tries = [posted.at for posted in one.got if posted.headers["webhook-id"] == bad.id]
    assert 0.08 < tries[1] - tries[0] < 0.35 < tries[2] - tries[1]
    with connected(redis_url) as client:
        state = read_standing(client, "mood:", "lights")
    assert state | {"delivered": 1, "given_up": 1, "waiting": 0, "last_error": "status 500"} == state


def test_attempts_go_on_for_a_day() -> None:
    assert 24 * 3600 <= sum(PAUSES_S) < 26 * 3600
    assert list(PAUSES_S) == sorted(PAUSES_S)


async def test_gone_means_never_again_until_enabled(redis_url: str) -> None:
    async with (
        connected_bus(redis_url) as bus,
        endpoint(status=lambda _: (410, "")) as one,
        Delivering(bus, one) as hook,
    ):
        await hook.put(mood_changed(Mood.SAD, new_session()))
        await until(lambda: len(one.got) == 1)
        await until(lambda: look_at(redis_url)["disabled"] == one.url)
        await hook.put(mood_changed(Mood.SAD, new_session()))
        await asyncio.sleep(0.2)
        assert len(one.got) == 1
        assert waiting(redis_url) == 0
        with connected(redis_url) as client:
            enable(client, "mood:", "lights")
        one.status = lambda _: (200, "")
        await hook.put(mood_changed(Mood.SAD, new_session()))
        await until(lambda: len(one.got) == 2)


def look_at(redis_url: str) -> Any:
    with connected(redis_url) as client:
        return read_standing(client, "mood:", "lights")


async def test_redirects_are_not_followed_and_rests_are_kept(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus, endpoint() as target, endpoint() as one:
        one.status = lambda _: (
            (307, f"location: {target.url}\r\n") if len(one.got) == 1 else (429, "retry-after: 3600\r\n")
        )
        async with Delivering(bus, one) as hook:
            await hook.put(mood_changed(Mood.SAD, new_session()))
            await until(lambda: len(one.got) == 2)
            await asyncio.sleep(0.3)
            due_s = await Outbox(bus, "lights").take_next()
    assert target.got == []
    assert len(one.got) == 2
    assert isinstance(due_s, float)
    assert 3500 < due_s <= 3600


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"),
    [
        ("7", 7, 7),
        ("99999999999999999999", MAX_REST_S, MAX_REST_S),
        ("in two minutes", 100, 120),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("\xff", 0, 0),
    ],
)
async def test_how_long_a_receiver_wants_to_rest(asked: str, least_s: float, most_s: float) -> None:
    if asked == "in two minutes":
        asked = format_datetime(utc_now() + timedelta(minutes=2), usegmt=True)
    async with endpoint(status=lambda _: (503, f"retry-after: {asked}\r\n")) as one:
        sender = Sender(Receiver(**receiver(one)))
        answer = await sender.send("id", "{}")
        await sender.close()
    assert answer.status == 503
    assert least_s <= answer.rest_s <= most_s


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000,
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n",
    ],
)
async def test_a_receiver_that_talks_nonsense_is_a_failure_and_no_more(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = Sender(Receiver(name="x", url=f"http://127.0.0.1:{port}/", secrets=(SECRET,), private=True), timeout_s=2)
    got = await sender.send("id", "{}")
    await sender.close()
    server.close()
    assert not got.accepted
    assert got.reason
    assert not got.gone


ENDLESS = (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 500, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 900)


@pytest.mark.parametrize("more", ENDLESS)
async def test_a_receiver_that_never_ends_keeps_nobody_busy(more: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(more)
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = Sender(Receiver(name="x", url=f"http://127.0.0.1:{port}/", secrets=(SECRET,), private=True))
    begun = time.monotonic()
    got = await sender.send("id", "{}")
    assert not got.accepted
    assert time.monotonic() - begun < TIMEOUT_S / 2, "it ends long before its time is over"
    await sender.close()
    server.close()


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "nobody.invalid", "[::1%25nowhere]"])
async def test_a_name_that_is_none_is_a_failure_and_no_more(host: str) -> None:
    sender = Sender(Receiver(name="x", url=f"https://{host}/", secrets=(SECRET,), private=True), timeout_s=5)
    answer = await sender.send("id", "{}")
    await sender.close()
    assert answer.status is None
    assert answer.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"])
async def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    async with endpoint() as one:
        refused = Receiver(name="x", url=f"https://{host}:{one.port}/", secrets=(SECRET,))
        sender = Sender(refused, timeout_s=2)
        answer = await sender.send("id", "{}")
        await sender.close()
    assert answer.status is None
    assert "private address" in answer.reason
    assert one.got == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_full_queue_lets_go_of_what_is_due_last(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus:
        outbox = Outbox(bus, "lights", max_waiting=3)
        for number in range(3):
            assert await outbox.put(str(number), "{}") == 0
        first = await outbox.take_next()
        assert isinstance(first, Letter)
        await outbox.retry_later(first, 60, unreachable=True)
        assert await outbox.put("3", "{}") == 1
        assert look_at(redis_url)["dropped"] == 1
        left = [letter.id for letter in [await outbox.take_next() for _ in range(4)] if isinstance(letter, Letter)]
    assert left == ["1", "2", "3"]


async def test_a_clock_that_is_set_back_makes_nothing_wait_longer(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected_bus(redis_url) as bus:
        outbox, now_s = Outbox(bus, "lights"), time.time()
        monkeypatch.setattr("services.bridge.webhooks.outbox.time.time", lambda: now_s)
        await outbox.put("queued before", "{}")
        now_s -= 7200
        found = await outbox.take_next()
        assert isinstance(found, Letter)
        assert found.id == "queued before"
        held_s = await outbox.take_next()
        assert isinstance(held_s, float)
        assert held_s == LEASE_S
        await outbox.retry_later(found, 60, unreachable=False)
        due_s = await outbox.take_next()
        assert isinstance(due_s, float)
        assert due_s == pytest.approx(60, abs=0.01)
        now_s -= 7200
        assert isinstance(await outbox.take_next(), Letter)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://example.org/", "private": False}, "https"),
        ({"url": "ftp://example.org/"}, "https"),
        ({"url": "https://me:pw@example.org/"}, "password"),
        ({"secrets": ["whsec_c2hvcnQ="]}, "secret"),
        ({"secrets": []}, "secrets"),
        ({"events": ["Mood"]}, "MoodChanged"),
        ({"name": "a b"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    given = {"name": "lights", "url": "https://example.org/", "secrets": [SECRET]} | change
    with pytest.raises(MoodstreamError, match=words) as caught:
        read_receivers(receivers_file(tmp_path, given))
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_other_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[[webhook")
    (tmp_path / "b.toml").write_text("[[webhok]]")
    same = {"name": "lights", "url": "https://example.org/", "secrets": [SECRET]}
    for file in (tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "none", receivers_file(tmp_path, same, same)):
        with pytest.raises(MoodstreamError, match="MOODSTREAM_WEBHOOKS"):
            read_receivers(file)
