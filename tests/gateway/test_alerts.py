"""Alerts: told once, when something lasts; sent by mail, ntfy and webhook; secrets stay where they are."""

import asyncio
import contextlib
import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook as Verifier

from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.gateway.alerts.receivers import Mail, Receivers, ReceiversFile
from services.gateway.alerts.senders import SendFailed, send
from services.gateway.alerts.told import Letter, Told, ToldFile
from services.gateway.alerts.watch import MAX_AGE, Alerts
from services.gateway.health import Health
from services.gateway.state.alarm import AFTER_S, WELL_S, Alarm, Alert
from shared.contracts.site_state import SiteState
from shared.tasks import end_tasks
from shared.web.webhook_secret import new_secret

CAMERA = {"camera/camera-1": "camera camera-1: the picture is black"}
PLAYER = {"player": "the player service is away"}
LETTER = Letter(problems=("the player service is away",))
SECRET = new_secret()


def test_what_passes_soon_is_told_to_nobody() -> None:
    alarm = Alarm()
    assert [alarm.look(CAMERA, now_s) for now_s in (0.0, AFTER_S - 1)] == [None, None]
    assert alarm.look({}, AFTER_S) is None
    assert alarm.look(CAMERA, AFTER_S + 1) is None, "it began anew"


def test_what_lasts_is_told_once_and_its_end_too() -> None:
    alarm = Alarm()
    assert alarm.look(CAMERA, 0) is None
    assert alarm.look(CAMERA, AFTER_S) == Alert(("camera camera-1: the picture is black",))
    assert alarm.look(CAMERA | PLAYER, AFTER_S + 5) is None
    both = alarm.look(CAMERA | PLAYER, 2 * AFTER_S + 5)
    assert both is not None
    assert both.problems == (*CAMERA.values(), *PLAYER.values())
    later = 3 * AFTER_S
    assert [alarm.look({}, later), alarm.look(PLAYER, later + 1), alarm.look({}, later + 2)] == [None] * 3
    assert alarm.look({}, later + 2 + WELL_S) == Alert(())
    assert alarm.look({}, later + 99) is None
    assert (Alert(()).title, Alert(()).text) == ("Moodstream works again", "Everything works.")


def test_what_was_told_is_not_told_again_after_a_restart_and_its_end_is() -> None:
    alarm = Alarm()
    alarm.look(PLAYER, 0)
    assert alarm.look(PLAYER, AFTER_S) is not None
    again = Alarm(alarm.told)
    assert [again.look(PLAYER, now_s) for now_s in (0.0, AFTER_S, 9 * AFTER_S)] == [None] * 3
    new = [again.look(PLAYER | CAMERA, 10 * AFTER_S), again.look(PLAYER | CAMERA, 11 * AFTER_S)]
    assert new == [None, Alert((*CAMERA.values(), *PLAYER.values()))], "what is new is told"
    assert again.look({}, 12 * AFTER_S) is None
    assert again.look({}, 12 * AFTER_S + WELL_S) == Alert(())


class Away:
    """Of all services, the player alone is away."""

    async def read_health(self) -> Health:
        return Health(needed=("player",), redis=True)


def alerts(folder: Path) -> Alerts:
    health: Any = Away()
    state = SiteState("camera-1")
    file, told = ReceiversFile(folder / "alerts.json"), ToldFile(folder / "told.json")
    return Alerts(file, told, health, state, lambda: True, lambda: "")


async def test_a_letter_that_a_restart_has_interrupted_arrives_once(tmp_path: Path) -> None:
    old = Letter(problems=("long ago",), at=utc_now() - 2 * MAX_AGE)
    ToldFile(tmp_path / "told.json").write(Told(keys=("player",), letters=(LETTER, old)))
    with web_server() as (address, received):
        ReceiversFile(tmp_path / "alerts.json").write(Receivers(webhook=address, webhook_secret=SECRET))
        for _ in range(2):  # the second finds nothing to send
            running = asyncio.create_task(alerts(tmp_path).run())
            async with asyncio.timeout(10):
                while ToldFile(tmp_path / "told.json").read().letters:
                    await asyncio.sleep(0.05)
            await end_tasks(running)
    assert [headers["webhook-id"] for headers, _ in received] == [LETTER.id]
    kept = ToldFile(tmp_path / "told.json").read()
    assert kept.keys == ("player",)
    assert kept.last is not None
    assert kept.last["results"] == {"webhook": None}


async def test_a_newer_version_is_told_once_and_is_no_problem(tmp_path: Path) -> None:
    with web_server() as (address, received):
        receivers = Receivers(webhook=address, webhook_secret=SECRET)
        ReceiversFile(tmp_path / "alerts.json").write(receivers)
        for version in ("99.1.0", "99.1.0", "99.2.0"):
            one = alerts(tmp_path)
            one.told = ToldFile(tmp_path / "told.json").read()
            await one.tell_version(version)
            async with asyncio.timeout(10):
                while one.told.letters:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
    told = [Verifier(SECRET).verify(body, headers)["data"] for headers, body in received]
    assert [one["ok"] for one in told] == [True, True]
    assert [one["text"].partition(":")[0] for one in told] == ["Moodstream can be updated"] * 2
    assert "99.2.0 is out" in told[1]["text"]


async def test_a_file_that_cannot_be_read_or_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "told.json").mkdir()
    with web_server() as (address, received):
        ReceiversFile(tmp_path / "alerts.json").write(Receivers(ntfy=address))
        one = alerts(tmp_path)
        await one.tell(LETTER)
    assert len(received) == 1
    assert "is not kept over a restart" in caplog.text


@contextlib.contextmanager
def web_server(status: int = 200) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    received: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers), body))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/secret-topic", received


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[int, list[bytes]]]:
    received: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                command = line[:4].upper()
                if command == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text)
                    received.append(b"".join(lines))
                self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")

    with served(socketserver.TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


@contextlib.contextmanager
def served(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_gets_json_and_ntfy_a_text_with_a_title() -> None:
    with web_server() as (address, received):
        receivers = Receivers(ntfy=address, webhook=address, webhook_secret=SECRET)
        send("webhook", receivers, LETTER, "Café")
        send("ntfy", receivers, LETTER, "Café")
    (signed, hook), (headers, text) = received
    body = Verifier(SECRET).verify(hook, signed)
    assert signed["webhook-id"] == LETTER.id
    assert (body["type"], body["timestamp"]) == ("Alert", LETTER.at.isoformat())
    assert body["data"] | {"text": None} == {
        "site": "Café",
        "ok": False,
        "problems": ["the player service is away"],
        "text": None,
    }
    assert text == b"the player service is away"
    assert headers["Title"].startswith("=?UTF-8?B?")
    assert headers["Priority"] == "high"


def test_mail_arrives_with_letters_of_any_language() -> None:
    with mail_server() as (port, received):
        mail = Mail(to="owner@example.org", sender="moodstream@example.org", server="127.0.0.1", port=port)
        send("mail", Receivers(mail=mail), LETTER, "喫茶")
    [message] = [email.message_from_bytes(one, policy=email.policy.default) for one in received]
    assert message["Subject"] == "Moodstream needs you (喫茶)"
    assert (message["To"], message.get_content().strip()) == ("owner@example.org", "the player service is away")


def test_what_does_not_arrive_is_one_line_without_the_secret() -> None:
    with web_server(302) as (address, received), pytest.raises(SendFailed) as moved:
        send("webhook", Receivers(webhook=address), LETTER, "")
    assert str(moved.value) == "127.0.0.1 answered 302"
    assert len(received) == 1, "a redirect is not followed"
    with pytest.raises(SendFailed, match=r"^Connection refused$") as away:
        send("webhook", Receivers(webhook="http://127.0.0.1:1/secret-topic"), LETTER, "")
    assert "secret" not in str(away.value)
    with mail_server() as (port, _):
        mail = Mail(to="a@b.c", sender="a@b.c", server="127.0.0.1", port=port, user="u", password="p" * 9)
        with pytest.raises(SendFailed, match="knows no STARTTLS or no log-in, so no password is sent"):
            send("mail", Receivers(mail=mail), LETTER, "")


def test_secrets_are_kept_for_the_owner_of_the_file_and_never_shown(tmp_path: Path) -> None:
    file = ReceiversFile(tmp_path / "alerts.json")
    assert file.read() == Receivers()
    mail = Mail(to="a@b.c", sender="d@e.f", server="mail.example.org", user="u", password="hidden-word")
    file.write(Receivers(ntfy="https://u:hidden-word@ntfy.example/topic-of-mine?x=1", mail=mail))
    assert file.path.stat().st_mode & 0o777 == 0o600
    shown = json.dumps(file.read().shown())
    assert "https://ntfy.example/" in shown
    assert "hidden-word" not in shown
    assert "topic-of-mine" not in shown
    blank = mail.model_copy(update={"password": "", "to": "x@y.z"})
    assert blank.keeping(mail).password == "hidden-word"
    assert blank.model_copy(update={"server": "elsewhere.example"}).keeping(mail).password == ""
    file.path.write_text("{")
    with pytest.raises(MoodstreamError, match=r"alerts\.json"):
        file.read()


@pytest.mark.parametrize(
    "given",
    [
        {"ntfy": "file:///etc/passwd"},
        {"webhook": "https://"},
        {"webhook": "https://a b"},
        {"mail": {"to": "a@b\nBcc: x@y", "sender": "a@b", "server": "s"}},
        {"mail": {"to": "a@b", "sender": "a@b", "server": "s", "user": "a\r\nb"}},
        {"mail": {"to": "a@b", "sender": "a@b", "server": "s/../x"}},
        {"pager": "1"},
    ],
)
def test_addresses_that_are_none_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Receivers.model_validate(given)
