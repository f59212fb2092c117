"""Least rights in Redis: with its own user each service does its whole work, and nothing else."""

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
import pytest
from redis import Redis
from redis.exceptions import ResponseError
from websockets.sync.client import connect

from services.bridge.receivers import new_secret
from shared.acl import RIGHTS, USERS, acl_file
from shared.errors import MoodstreamError
from shared.events import EVENTS
from shared.streams import STREAMS
from tests.drawn import encoded, noise
from tests.security.servers import PLAIN, ROOT, Services, eventually, redis_server, services

ADMIN = "user admin on nopass ~* &* +@all\n"
"""Of the test alone: whoever asks what was refused."""

HASHES = dict.fromkeys(USERS, "0" * 64)


@dataclass
class Site:
    """Two servers with the files that `moodstream acl` wrote for them."""

    folder: Path
    events: int
    frames: int

    def settings(self, user: str) -> dict[str, str]:
        return {
            "redis_url": f"redis://{user}@127.0.0.1:{self.events}/0",
            "frames_redis_url": f"redis://{user}@127.0.0.1:{self.frames}/0",
            "redis_password_file": str(self.folder / "secrets" / f"redis_{user}"),
        }

    def moodstream(self, *arguments: str, user: str = "operator") -> str:
        given = {f"MOODSTREAM_{name.upper()}": value for name, value in self.settings(user).items()}
        command = [sys.executable, "-m", "services", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=PLAIN | given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def admin(self, port: int | None = None) -> Any:
        return Redis(port=port or self.events, username="admin", password="any", socket_timeout=5)

    def refused(self) -> list[tuple[str, str, str]]:
        """(user, reason, what) of everything that the servers have refused."""
        return [
            (entry["username"], entry["reason"], entry["object"])
            for port in (self.events, self.frames)
            for entry in self.admin(port).acl_log()
        ]


def write_acl(folder: Path, server: str) -> Path:
    file = folder / f"{server}.acl"
    command = [sys.executable, "-m", "services", "acl", "--secrets", str(folder / "secrets"), "--server", server]
    done = subprocess.run(command, cwd=ROOT, env=PLAIN, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for secret in (folder / "secrets").iterdir():
        assert secret.read_text() not in done.stdout
        assert secret.stat().st_mode & 0o777 == 0o600
    file.write_text(done.stdout + ADMIN)
    return file


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("acl")
    with ExitStack() as stack:
        ports = [
            stack.enter_context(redis_server(folder, "--aclfile", str(write_acl(folder, server))))
            for server in ("events", "frames")
        ]
        yield Site(folder, *ports)


class Receiver(BaseHTTPRequestHandler):
    """Takes every webhook."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_each_service_does_its_whole_work_with_its_own_user(site: Site, receiver: str) -> None:
    webhooks = site.folder / "webhooks.toml"
    kinds = '["MoodChanged", "SongPicked", "FeedbackGiven", "PlaybackChanged", "StatusChanged"]'
    webhooks.write_text(
        f'[[webhook]]\nname = "one"\nurl = "{receiver}"\nsecrets = ["{new_secret()}"]\nevents = {kinds}\n'
        "private = true\n"
    )
    with services(site.folder) as running:
        own = {"bridge": {"webhooks": str(webhooks)}, "player": {"player": "browser"}, "camera": {"frame_rate": "5"}}
        for name in RIGHTS:
            running.start(name, **site.settings(name), **own.get(name, {}))
        running.wait_until_ready()
        a_visit(running)
        a_browser_sends_pictures(running)
        a_person_at_a_terminal(site)
        for name in RIGHTS:
            assert b"moodstream_redis_up 1.0" in running.read(name, "/metrics"), name
        assert site.admin().hget("mood:webhooks:one:state", "delivered")
        assert site.refused() == []
        assert set(running.end().values()) == {0}
        assert site.refused() == []
    secret = {file.read_text() for file in (site.folder / "secrets").iterdir()}
    assert not [name for name in RIGHTS for one in secret if one in running.said(name)]


def a_visit(running: Services) -> None:
    """All that a visitor may do on the page."""
    page = f"http://127.0.0.1:{running.ports['gateway']}/api/v1"

    def state() -> Any:
        return httpx.get(f"{page}/state").json()

    def offer() -> Any:
        return (state()["cameras"].get("camera-1") or {}).get("offer")

    def post(path: str, body: dict[str, Any], method: str = "POST") -> Any:
        answer = httpx.request(method, page + path, json=body)
        assert answer.status_code in (200, 202), (path, answer.text)
        return answer.json()

    offered = eventually(offer)
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


def a_browser_sends_pictures(running: Services) -> None:
    with connect(f"ws://127.0.0.1:{running.ports['gateway']}/api/v1/frames") as socket:
        socket.recv()
        socket.send(encoded(noise(480, 640)))
        assert json.loads(socket.recv()) == {"accepted": True, "reason": None}


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
    given = {f"MOODSTREAM_{key.upper()}": value for key, value in site.settings("subscriber").items()}
    with subprocess.Popen(listen, cwd=ROOT, env=PLAIN | given, stdout=subprocess.PIPE) as listener:
        killer = threading.Timer(30, listener.kill)
        killer.start()
        assert listener.stdout is not None
        assert json.loads(listener.stdout.readline())["id"]
        killer.cancel()
        listener.kill()


def test_everything_in_one_process_has_a_user_too(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--aclfile", str(write_acl(tmp_path, "both"))) as port:
        site = Site(tmp_path, port, port)
        given = {f"MOODSTREAM_{name.upper()}": value for name, value in site.settings("all").items()}
        command = [sys.executable, "-m", "services", "run", "--camera", "pattern:", "--auto", "--json", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, env=PLAIN | given, stdout=subprocess.PIPE) as running:
            killer = threading.Timer(60, running.kill)
            killer.start()
            assert running.stdout is not None
            assert any(json.loads(line)["type"] == "PlaybackChanged" for line in running.stdout)
            running.terminate()
            running.communicate()
            killer.cancel()
        assert running.returncode == 0
        assert site.refused() == []


def may(site: Site, user: str, *command: str, frames: bool = False) -> bool:
    """Whether Redis would let a user do that."""
    port = site.frames if frames else site.events
    return bool(site.admin(port).execute_command("ACL", "DRYRUN", user, *command) == b"OK")


CONNECT = {"ping", "hello", "auth", "quit", "reset", "select", "client|setname", "client|id"}
LOOK = {"xread", "xrange", "xrevrange", "xlen", "xinfo|groups", "xinfo|stream"}
WORK = {"xadd", "xtrim", "xreadgroup", "xack", "xautoclaim", "xpending", "xgroup|create", "xgroup|delconsumer"}
WORK |= {"xinfo|consumers", "multi", "exec", "discard", "get", "set", "del", "eval", "pexpire", "expire"}
HASH = {"hset", "hget", "hgetall", "hdel", "hlen", "hincrby", "hsetnx"}
SORTED = {"zadd", "zrange", "zrangebyscore", "zrem", "zremrangebyscore", "zcard", "zpopmax"}
COMMANDS = {
    "subscriber": CONNECT | LOOK,
    "demo": CONNECT | LOOK | {"xadd", "xtrim"},
    "operator": CONNECT
    | LOOK
    | HASH
    | SORTED
    | {"xadd", "xtrim", "xdel", "scan", "multi", "exec", "discard"}
    | {"del", "expire"},
    "all": CONNECT | LOOK | WORK | HASH | SORTED | {"xdel"},
    "emotion": CONNECT | LOOK | WORK | {"xdel"},
    "recommender": CONNECT | LOOK | WORK | HASH | SORTED,
    "bridge": CONNECT | LOOK | WORK | HASH | SORTED,
}
"""What each may do at most, on keys of its own; the other services may do what stands in the first three."""


@pytest.mark.parametrize("user", USERS)
def test_nobody_may_do_more_than_its_work(site: Site, user: str) -> None:
    allowed = set()
    for port in (site.events, site.frames):
        client = site.admin(port)
        commands = client.execute_command("COMMAND LIST")
        allowed |= {name.decode() for name in commands if may_run(client, user, name)}
        known = client.acl_getuser(user)
        assert {"on", "sanitize-payload"} <= set(known["flags"])
        assert "nopass" not in known["flags"]
        assert len(known["passwords"]) == 1
        assert known["channels"] == []
        assert "off" in client.acl_getuser("default")["flags"]
    assert {"ping", "select"} <= allowed
    assert allowed <= COMMANDS.get(user, CONNECT | LOOK | WORK)


def may_run(client: Any, user: str, name: bytes) -> bool:
    """Whether a user may run a command on any key at all."""
    [[_, arity, *_, subcommands]] = client.execute_command("COMMAND INFO", name)
    if subcommands:  # they stand in the list by themselves
        return False
    words = name.decode().split("|")
    arguments = ["x"] * max(0, abs(arity) - len(words))
    try:
        answer = client.execute_command("ACL", "DRYRUN", user, *words, *arguments)
    except ResponseError:  # its arguments are no keys in that form; nobody is given such a command
        return False
    return b"no permissions to run" not in answer


WRITERS = {
    "readings": {"emotion"},
    "moods": {"emotion", "demo"},
    "offers": {"recommender"},
    "picks": {"recommender", "gateway", "demo"},
    "rankings": {"recommender"},
    "feedback": {"gateway"},
    "playback": {"player"},
    "status": set(RIGHTS) | {"demo"},
    "requests": {"gateway", "bridge"},
    "replies": {"camera", "emotion", "recommender", "player"},
}
"""As the table of streams in docs/architecture.md says; the operator and ``all`` may write everything."""

READERS = {
    "readings": {"emotion", "gateway", "bridge"},
    "moods": {"camera", "emotion", "recommender", "player", "gateway", "bridge", "demo", "subscriber"},
    "offers": {"gateway", "bridge", "demo", "subscriber"},
    "picks": {"recommender", "gateway", "bridge", "demo", "subscriber"},
    "rankings": {"player", "gateway", "bridge", "subscriber"},
    "feedback": {"recommender", "gateway", "bridge", "subscriber"},
    "playback": {"recommender", "gateway", "bridge", "subscriber"},
    "status": {"emotion", "gateway", "bridge", "subscriber"},
    "requests": {"camera", "emotion", "recommender", "player"},
    "replies": {"gateway", "bridge"},
}
EVERYTHING = {"operator", "all"}


@pytest.mark.parametrize("stream", [STREAMS[kind].name for kind in EVENTS])
def test_streams_are_written_and_read_by_whom_they_belong_to(site: Site, stream: str) -> None:
    name = f"mood:{stream}"
    written = {user for user in USERS if may(site, user, "XADD", name, "*", "f", "v")}
    assert written - EVERYTHING == WRITERS[stream]
    read = {user for user in USERS if may(site, user, "XRANGE", name, "-", "+")}
    assert read - EVERYTHING == READERS[stream]
    assert read >= EVERYTHING
    assert {user for user in USERS if may(site, user, "DEL", name)} == set()


def test_pictures_are_for_those_alone_who_read_faces(site: Site) -> None:
    def who(*command: str) -> set[str]:
        assert not [user for user in USERS if may(site, user, *command)], "there are no frames on the events' server"
        return {user for user in USERS if may(site, user, *command, frames=True)}

    assert who("XADD", "mood:frames", "*", "f", "v") == {"camera", "gateway", "all"}
    assert who("XRANGE", "mood:frames", "-", "+") == {"emotion", "all"}
    assert who("XREADGROUP", "GROUP", "g", "c", "STREAMS", "mood:frames", ">") == {"emotion", "all"}
    assert who("DEL", "mood:frames") == set()


OWN = {
    "mood:lease:tracker:camera-1": {"emotion"},
    "mood:lease:player": {"player"},
    "mood:player:kept": {"player"},
    "mood:choosing:s": {"recommender"},
    "mood:profile-of:s": {"recommender"},
    "mood:picks:done:recommender:1": {"recommender"},
    "mood:picks:done:bridge:1": {"bridge"},
    "mood:requests:done:camera-front:1": {"camera"},
    "another:lease:player": set(),
}


@pytest.mark.parametrize("key", OWN)
def test_keys_belong_to_one_service(site: Site, key: str) -> None:
    assert {user for user in USERS if may(site, user, "GET", key)} - {"all"} == OWN[key]
    assert {user for user in USERS if may(site, user, "SET", key, "1")} - {"all"} == OWN[key]


def test_a_prefix_is_one_site_whatever_is_in_it() -> None:
    text = acl_file("a*b[c]:", "both", HASHES)
    assert r"~a\*b\[c\]:frames" in text
    with pytest.raises(MoodstreamError, match="spaces"):
        acl_file("a b:", "both", HASHES)
