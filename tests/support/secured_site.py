"""The whole chain as six processes, each with a Redis user of its own, on two servers; and what people do with it."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
from redis import Redis
from websockets.sync.client import connect

from shared.web.webhook_secret import new_secret
from tests.support.pictures import encoded, noise
from tests.support.secured_services import PLAIN, ROOT, START_S, RedisServer, Services, eventually, redis_server
from tests.support.voices import babble, wav

ADMIN = "user admin on nopass ~* &* +@all\n"
"""Of the test alone: whoever asks what was refused."""


@dataclass
class Site:
    """Two servers with the files that `moodstream acl` wrote for them."""

    folder: Path
    events: RedisServer
    frames: RedisServer

    def settings(self, user: str) -> dict[str, str]:
        return {
            "redis_url": f"redis://{user}@127.0.0.1:{self.events.port}/0",
            "frames_redis_url": f"redis://{user}@127.0.0.1:{self.frames.port}/0",
            "redis_password_file": str(self.folder / "secrets" / f"redis_{user}"),
        }

    def environment(self, user: str) -> dict[str, str]:
        return PLAIN | {f"MOODSTREAM_{name.upper()}": value for name, value in self.settings(user).items()}

    def moodstream(self, *arguments: str, user: str = "operator") -> str:
        command = [sys.executable, "-m", "services", *arguments]
        environment = self.environment(user)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def admin(self, frames: bool = False) -> Any:
        port = self.frames.port if frames else self.events.port
        return Redis(port=port, username="admin", password="any", socket_timeout=5)

    def client(self, user: str, frames: bool = False) -> Any:
        """As one of the users."""
        port = self.frames.port if frames else self.events.port
        password = (self.folder / "secrets" / f"redis_{user}").read_text()
        return Redis(port=port, username=user, password=password, socket_timeout=5)

    def refused(self) -> list[tuple[str, str, str]]:
        """(user, reason, what) of everything that the servers have refused."""
        return [
            (entry["username"], entry["reason"], entry["object"])
            for frames in (False, True)
            for entry in self.admin(frames).acl_log()
        ]


def write_acl(folder: Path, server: str) -> Path:
    """What `moodstream acl` prints, with a user for the test; no password is in it, and the secrets are private."""
    file = folder / f"{server}.acl"
    command = [sys.executable, "-m", "services", "acl", "--secrets", str(folder / "secrets"), "--server", server]
    done = subprocess.run(command, cwd=ROOT, env=PLAIN, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for secret in (folder / "secrets").iterdir():
        assert secret.read_text() not in done.stdout
        assert secret.stat().st_mode & 0o777 == 0o600
    file.write_text(done.stdout + ADMIN)
    return file


@contextlib.contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        kept = {"events": ("--appendonly", "yes"), "frames": ()}
        servers = [
            stack.enter_context(redis_server(folder, "--aclfile", str(write_acl(folder, name)), *how))
            for name, how in kept.items()
        ]
        yield Site(folder, *servers)


@contextlib.contextmanager
def receiver_of_webhooks(folder: Path) -> Iterator[Path]:
    """The file of a receiver that takes every webhook."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    kinds = '["MoodChanged", "SongPicked", "FeedbackGiven", "PlaybackChanged", "StatusChanged"]'
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = folder / "webhooks.toml"
        file.write_text(
            f'[[webhook]]\nname = "one"\nurl = "http://127.0.0.1:{server.server_port}/"\n'
            f'secrets = ["{new_secret()}"]\nevents = {kinds}\nprivate = true\n'
        )
        try:
            yield file
        finally:
            server.shutdown()


def a_visit(running: Services) -> dict[str, Any]:
    """All that a visitor may do on the page; the offer that was picked from."""
    page = f"http://127.0.0.1:{running.ports['gateway']}/api/v1"

    def state() -> Any:
        return httpx.get(f"{page}/state").json()

    def offer() -> Any:
        return (state()["cameras"].get("camera-1") or {}).get("offer")

    def post(path: str, body: dict[str, Any], method: str = "POST") -> Any:
        answer = httpx.request(method, page + path, json=body)
        assert answer.status_code in (200, 202), (path, answer.text)
        return answer.json()

    offered: dict[str, Any] = eventually(offer)
    song = offered["songs"][0]["id"]
    post("/picks", {"offer_id": offered["id"], "song_id": song})
    eventually(lambda: (state()["playback"] or {}).get("song"))
    post("/feedback", {"kind": "like", "song_id": song, "profile": "ann"})
    eventually(lambda: httpx.get(f"{page}/feedback").json()["result"]["feedback"])
    post("/feedback", {}, "DELETE")
    post("/player", {"command": "pause"})
    post("/moods", {"mood": "calm"})
    for question in (f"similar?id={song}", "offer?mood=sad", f"mood?id={song}", f"path?id={song}&goal=lift"):
        assert httpx.get(f"{page}/songs/{question}").status_code == 200, question
    post("/sessions/end", {})
    return offered


def a_browser_sends_pictures(running: Services) -> None:
    with connect(f"ws://127.0.0.1:{running.ports['gateway']}/api/v1/frames") as socket:
        socket.recv()

        def accepted() -> bool:
            """A picture that comes while the site is busy is refused, and the next one is not."""
            socket.send(encoded(noise(480, 640)))
            return bool(json.loads(socket.recv())["accepted"])

        eventually(accepted)


def somebody_speaks(running: Services) -> None:
    """At a place without a camera; whatever visit comes of it ends."""
    page = f"http://127.0.0.1:{running.ports['gateway']}/api/v1"
    place, said = {"camera_id": "hand-3-3"}, wav(babble(2.0))

    def read() -> bool:
        assert httpx.post(f"{page}/voices", params=place, content=said).status_code in (202, 429)
        lines = running.read("voice", "/metrics").decode().splitlines()
        return any(one.startswith("moodstream_speech_seconds_total ") and float(one.split()[1]) > 0 for one in lines)

    eventually(read)
    httpx.post(f"{page}/sessions/end", json=place)


def a_person_at_a_terminal(site: Site) -> None:
    """Dead letters, listening, the player, webhooks, simulated visitors."""
    site.admin().xadd("mood:picks", {"__data__": "no event"})
    letters = eventually(lambda: site.moodstream("dead", "list").splitlines())
    assert "1 put back" in site.moodstream("dead", "replay", letters[0].split()[0])
    eventually(lambda: len(site.moodstream("dead", "list").splitlines()) >= len(letters))
    assert "deleted" in site.moodstream("dead", "drop", "--all")
    assert "browser" in site.moodstream("player", "status")
    site.moodstream("simulate", "--events", "3", "--speed", "100")
    listen = [sys.executable, "-m", "services", "listen", "--type", "all", "--json"]
    environment = site.environment("subscriber")
    with subprocess.Popen(
        listen, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listener:
        killer = threading.Timer(START_S, listener.kill)
        killer.start()
        assert listener.stdout is not None
        assert listener.stderr is not None
        line = listener.stdout.readline()
        killer.cancel()
        listener.kill()
        assert line, (listener.wait(), listener.stderr.read())
    assert json.loads(line)["id"]
