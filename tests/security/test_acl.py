"""Least rights in Redis: nobody may do more than its work. That each can do all of it, ``test_site`` shows."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from moodstream.contracts.events import EVENTS
from moodstream.contracts.streams import CAPTURES, STREAMS
from moodstream.errors import MoodstreamError
from shared.contracts.access import RIGHTS, USERS, acl_file
from tests.support.secured_services import ROOT, redis_server
from tests.support.secured_site import Site, site_in, write_acl

HASHES = dict.fromkeys(USERS, "0" * 64)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("acl")) as site:
        yield site


def test_everything_in_one_process_has_a_user_too(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--aclfile", str(write_acl(tmp_path, "both"))) as server:
        site = Site(tmp_path, server, server)
        command = [sys.executable, "-m", "services", "run", "--camera", "pattern:", "--auto", "--json", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, env=site.environment("all"), stdout=subprocess.PIPE) as running:
            killer = threading.Timer(60, running.kill)
            killer.start()
            try:
                assert running.stdout is not None
                assert any(json.loads(line)["type"] == "PlaybackChanged" for line in running.stdout)
            finally:
                running.terminate()
                running.communicate()
                killer.cancel()
        assert running.returncode == 0
        assert site.refused() == []


def test_a_transaction_outlives_a_restart_of_redis(tmp_path: Path) -> None:
    """Redis plays its file back as its default user: one without rights would leave out every transaction."""
    kept = ("--appendonly", "yes", "--appendfsync", "always")
    with redis_server(tmp_path, "--aclfile", str(write_acl(tmp_path, "events")), *kept) as server:
        password = (tmp_path / "secrets" / "redis_recommender").read_text()

        def recommender() -> Any:
            return Redis(port=server.port, username="recommender", password=password)

        with recommender().pipeline(transaction=True) as both:
            both.xadd("mood:picks:dead", {"error": "x"})
            both.set("mood:offered:s", "calm")
            both.execute()
        server.kill()
        server.start()
        assert recommender().xlen("mood:picks:dead") == 1
        assert recommender().get("mood:offered:s") == b"calm"
        for password in ("", "any"):
            with pytest.raises(AuthenticationError):
                Redis(port=server.port, username="default", password=password).ping()


def may(site: Site, user: str, *command: str, frames: bool = False) -> bool:
    """Whether Redis would let a user do that."""
    return bool(site.admin(frames).execute_command("ACL", "DRYRUN", user, *command) == b"OK")


CONNECT = {"ping", "hello", "auth", "quit", "reset", "time", "select", "role", "wait", "client|setname", "client|id"}
CONNECT |= {"cluster|slots"}
LOOK = {"xread", "xrange", "xrevrange", "xlen", "xinfo|groups"}
FRAMES = {"info"}
"""Whether the server of the frames writes to a disk."""
WORK = {
    "xadd",
    "xtrim",
    "xreadgroup",
    "xack",
    "xclaim",
    "xautoclaim",
    "xpending",
    "xgroup|create",
    "xgroup|createconsumer",
    "xgroup|delconsumer",
}
WORK |= {"xinfo|stream", "xinfo|consumers", "multi", "exec", "discard", "get", "set", "del", "eval"}
WORK |= {"zadd", "zremrangebyscore", "zrange", "expire"}
HASH = {"hset", "hget", "hgetall", "hdel", "hlen", "hincrby", "hsetnx"}
SORTED = {"zadd", "zrange", "zrangebyscore", "zrem", "zremrangebyscore", "zcard", "zpopmax"}
COMMANDS = {
    "subscriber": CONNECT | LOOK,
    "demo": CONNECT | LOOK | WORK,
    "camera": CONNECT | LOOK | WORK | FRAMES,
    "gateway": CONNECT | LOOK | WORK | {"hincrby", "hgetall", "info", "exists"},
    "operator": CONNECT
    | LOOK
    | HASH
    | SORTED
    | {"xadd", "xtrim", "xdel", "scan", "multi", "exec", "discard"}
    | {"del", "expire"},
    "all": CONNECT | LOOK | WORK | HASH | SORTED | {"sadd", "hincrbyfloat", "xdel", "info", "config|get", "exists"},
    "emotion": CONNECT | LOOK | WORK | FRAMES | {"xdel", "config|get"},
    "voice": CONNECT | LOOK | WORK | FRAMES | {"xdel"},
    "recommender": CONNECT | LOOK | WORK | HASH | SORTED | {"sadd", "hincrbyfloat"},
    "bridge": CONNECT | LOOK | WORK | HASH | SORTED,
}
"""What each may do at most, on keys of its own; the other services may do what stands in the first three."""


@pytest.mark.parametrize("user", USERS)
def test_nobody_may_do_more_than_its_work(site: Site, user: str) -> None:
    allowed = set()
    for frames in (False, True):
        client = site.admin(frames)
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
    "words": {"gateway"},
    "voices": {"voice"},
    "commands": {"voice"},
    "moods": {"emotion", "demo"},
    "offers": {"recommender"},
    "picks": {"recommender", "gateway", "demo"},
    "rankings": {"recommender"},
    "feedback": {"gateway"},
    "playback": {"player"},
    "status": set(RIGHTS) | {"demo"},
    "requests": {"gateway", "bridge"},
    "replies": {"camera", "demo", "emotion", "recommender", "player"},
}
"""As the table of streams in docs/architecture.md says; the operator and ``all`` may write everything."""

READERS = {
    "readings": {"emotion", "gateway", "bridge"},
    "words": {"emotion"},
    "voices": {"emotion"},
    "commands": {"gateway"},
    "moods": {"camera", "emotion", "voice", "recommender", "player", "gateway", "bridge", "demo", "subscriber"},
    "offers": {"gateway", "bridge", "demo", "subscriber"},
    "picks": {"recommender", "gateway", "bridge", "demo", "subscriber"},
    "rankings": {"player", "gateway", "bridge", "subscriber"},
    "feedback": {"recommender", "gateway", "bridge", "subscriber"},
    "playback": {"recommender", "gateway", "bridge", "subscriber"},
    "status": {"emotion", "gateway", "bridge", "subscriber"},
    "requests": {"camera", "demo", "emotion", "voice", "recommender", "player"},
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


SECRET = b"only for who may read it"
ASKING: tuple[tuple[str, ...], ...] = (
    ("XRANGE", "{}", "-", "+"),
    ("XREVRANGE", "{}", "+", "-"),
    ("XREAD", "STREAMS", "{}", "0"),
    ("XREADGROUP", "GROUP", "secrets", "c", "STREAMS", "{}", "0"),
    ("XREADGROUP", "GROUP", "secrets", "c", "STREAMS", "{}", ">"),
    ("XAUTOCLAIM", "{}", "secrets", "c", "0", "0"),
    ("XINFO", "STREAM", "{}"),
    ("XINFO", "STREAM", "{}", "FULL"),
    ("DUMP", "{}"),
    ("COPY", "{}", "{}:copied"),
    ("EVAL", "return redis.call('XRANGE', KEYS[1], '-', '+')", "1", "{}"),
    ("EVAL", "return redis.call('XINFO', 'STREAM', KEYS[1])", "1", "{}"),
    ("MEMORY", "USAGE", "{}"),
    ("DEBUG", "OBJECT", "{}"),
    ("SLOWLOG", "GET"),
    ("CLIENT", "LIST"),
    ("ACL", "LOG"),
)
"""Whatever answers with what a stream holds, and what might."""


def test_no_answer_holds_what_its_asker_may_not_read(site: Site) -> None:
    """By what comes back, not by which commands stand in a list."""
    streams = [STREAMS[kind].name for kind in EVENTS]
    names = [f"mood:{name}{end}" for name in (*streams, *CAPTURES.values()) for end in ("", ":dead")]
    for frames in (False, True):
        admin = site.admin(frames)
        for name in names:
            admin.xadd(name, {"secret": SECRET})
            admin.xgroup_create(name, "secrets", "0")
    learned: dict[str, set[str]] = {name: set() for name in names}
    for user in USERS:
        for frames in (False, True):
            with site.client(user, frames) as client:
                for name in names:
                    if any(SECRET in answer_to(client, command, name) for command in ASKING):
                        learned[name].add(user)
                        where = "frames" if frames else "events"
                        assert (name.removeprefix("mood:") in CAPTURES.values()) == (where == "frames"), (
                            f"{user} reads {name} on the {where}' server"
                        )
    for frames in (False, True):
        for name in names:
            site.admin(frames).delete(name)
    assert learned.pop("mood:frames") == {"emotion", "all"}
    assert learned.pop("mood:sounds") == {"voice", "all"}
    assert learned.pop("mood:frames:dead") == learned.pop("mood:sounds:dead") == {"operator"}
    for name, users in learned.items():
        stream = name.removeprefix("mood:").removesuffix(":dead")
        expected = {"operator"} if name.endswith(":dead") else READERS[stream] | EVERYTHING
        assert users == expected, name


def answer_to(client: Any, command: tuple[str, ...], name: str) -> bytes:
    """Everything in the answer, in one text."""
    try:
        return repr(client.execute_command(*(word.replace("{}", name) for word in command))).encode()
    except ResponseError as error:
        return str(error).encode()


def test_pictures_are_for_those_alone_who_read_faces(site: Site) -> None:
    def who(*command: str) -> set[str]:
        assert not [user for user in USERS if may(site, user, *command)], "there are no frames on the events' server"
        return {user for user in USERS if may(site, user, *command, frames=True)}

    assert who("XADD", "mood:frames", "*", "f", "v") == {"camera", "gateway", "all"}
    assert who("XRANGE", "mood:frames", "-", "+") == {"emotion", "all"}
    assert who("XREADGROUP", "GROUP", "g", "c", "STREAMS", "mood:frames", ">") == {"emotion", "all"}
    assert who("DEL", "mood:frames") == set()
    assert who("XADD", "mood:sounds", "*", "f", "v") == {"gateway", "all"}
    assert who("XRANGE", "mood:sounds", "-", "+") == {"voice", "all"}
    assert who("DEL", "mood:sounds") == set()


def test_the_view_for_mounting_is_asked_for_by_the_gateway_and_drawn_by_the_emotion_service(site: Site) -> None:
    def who(*command: str) -> set[str]:
        assert not [user for user in USERS if may(site, user, *command)], "it lies beside the frames"
        return {user for user in USERS if may(site, user, *command, frames=True)} - {"all"}

    for key in ("mood:view:wanted", "mood:view:watched"):
        assert who("GET", key) == {"gateway", "emotion"}
        assert who("SET", key, "1", "PX", "5") == who("DEL", key) == {"gateway"}
    assert who("GET", "mood:view:picture") == {"gateway"}
    assert who("SET", "mood:view:picture", "1", "PX", "5") == {"emotion"}
    assert who("DEL", "mood:view:picture") == {"gateway", "emotion"}
    assert who("GET", "another:view:picture") == set()


OWN = {
    "mood:lease:tracker:camera-1": {"emotion"},
    "mood:lease:player": {"player"},
    "mood:player:kept": {"player"},
    "mood:player:aside": {"player"},
    "mood:choosing:s": {"recommender"},
    "mood:profile-of:s": {"recommender"},
    "mood:picks:done:recommender:1": {"recommender"},
    "mood:picks:done:bridge:1": {"bridge"},
    "mood:requests:done:camera-front:1": {"camera", "demo"},
    "mood:opening": {"gateway"},
    "mood:self-test": {"gateway"},
    "another:lease:player": set(),
}


@pytest.mark.parametrize("key", OWN)
def test_keys_belong_to_one_service(site: Site, key: str) -> None:
    assert {user for user in USERS if may(site, user, "GET", key)} - {"all"} == OWN[key]
    assert {user for user in USERS if may(site, user, "SET", key, "1")} - {"all"} == OWN[key]


@pytest.mark.parametrize("service", RIGHTS)
def test_everybody_says_of_himself_that_he_lives_and_the_gateway_hears_it(site: Site, service: str) -> None:
    key, another = f"mood:alive:{service}", f"another:alive:{service}"
    own = {service, "all"} | ({"demo"} if service == "camera" else set())
    for command in (("ZADD", "1", "x"), ("ZREMRANGEBYSCORE", "-inf", "1"), ("EXPIRE", "9")):
        assert {user for user in USERS if may(site, user, command[0], key, *command[1:])} == own
        assert {user for user in USERS if may(site, user, command[0], another, *command[1:])} == set()
    read = {user for user in USERS if may(site, user, "ZRANGE", key, "0", "-1", "WITHSCORES")}
    assert read == own | {"gateway"}
    assert {user for user in USERS if may(site, user, "DEL", key)} == set()


def test_what_is_no_ranking_the_player_puts_aside(site: Site) -> None:
    letters = "mood:rankings:dead"
    assert {user for user in USERS if may(site, user, "XADD", letters, "*", "f", "v")} == {
        *("player", "bridge", "operator", "all")
    }
    assert not may(site, "player", "XREADGROUP", "GROUP", "g", "c", "STREAMS", "mood:rankings", ">")


def test_a_prefix_is_one_site_whatever_is_in_it() -> None:
    text = acl_file("a*b[c]:", "both", HASHES)
    assert r"~a\*b\[c\]:frames" in text
    with pytest.raises(MoodstreamError, match="spaces"):
        acl_file("a b:", "both", HASHES)
