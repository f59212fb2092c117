"""Workers and Redis that are killed, stopped and refused: nothing is lost, and nobody has to help. Real processes."""

import contextlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

from redis.exceptions import RedisError

from moodstream.contracts.events import SongPicked, SongsRanked, StatusChanged, expiry
from moodstream.contracts.moods import Mood
from shared.delivery.consume import TIMING
from tests.faults.worker import LONG_S
from tests.support.needs import missing
from tests.support.processes import Part, running, waited
from tests.support.redis_process import Server

KEEP = ("--appendonly", "yes", "--appendfsync", "everysec")
MORE_LINES_S = 10.0
"""Log lines a second that are too many."""


def pick(song: str = "a song") -> SongPicked:
    return SongPicked(offer_id="o", song_id=song, mood=Mood.CALM, by="visitor", expires_at=expiry(SongPicked))


def put(client: Any, *picks: SongPicked) -> None:
    for one in picks:
        client.xadd("mood:picks", {"__data__": one.model_dump_json()})


def rankings(client: Any) -> list[str]:
    return [SongsRanked.model_validate_json(one[b"__data__"]).id for _, one in client.xrange("mood:rankings")]


def expected(*picks: SongPicked) -> set[str]:
    return {str(uuid5(UUID(one.id), "SongsRanked")) for one in picks}


def at_rest(client: Any, group: str = "worker") -> bool:
    [info] = [one for one in client.xinfo_groups("mood:picks") if one["name"] == group.encode()]
    return bool(info["pending"] == 0 and info["last-delivered-id"] == client.xrevrange("mood:picks", count=1)[0][0])


def takes(client: Any) -> bool:
    with contextlib.suppress(RedisError):
        return bool(client.set("probe", b"1"))
    return False


def statuses(client: Any) -> list[StatusChanged]:
    return [StatusChanged.model_validate_json(one[b"__data__"]) for _, one in client.xrange("mood:status")]


def worker(folder: Path, server: Server, name: str = "worker") -> Part:
    return Part(name, "tests.faults.worker", folder, server.url)


def test_ten_killed_workers_and_one_killed_redis_cost_none_of_600_messages(tmp_path: Path) -> None:
    """Five more workers are asked to end, in the middle of their work too: they are gone within ten seconds."""
    random, sent, ends_s = Random(1), list[SongPicked](), list[float]()
    ends = [signal.SIGKILL] * 10 + [signal.SIGTERM] * 5
    random.shuffle(ends)
    with Server(tmp_path / "redis", *KEEP) as server:
        parts = [worker(tmp_path, server, name) for name in ("one", "two")]
        with running(*parts):
            for number in range(600):
                if number == 300:
                    server.kill()
                    server.start()
                with server.client() as client:
                    sent.append(pick(f"song {number}"))
                    put(client, sent[-1])
                if number % 40 == 20 and ends:
                    number_of_end, part = ends.pop(), parts[number // 40 % 2]
                    before, begun = len(part.ends), time.monotonic()
                    part.send(number_of_end)
                    if number_of_end is signal.SIGTERM:
                        waited(lambda: len(part.ends) > before, 10)  # noqa: B023
                        ends_s.append(time.monotonic() - begun)
                time.sleep(0.01)
            with server.client() as client:
                waited(lambda: at_rest(client), 60)
                found = rankings(client)
                dead = client.xlen("mood:picks:dead")
        codes = [end.code for part in parts for end in part.ends[:-1]]
    assert expected(*sent) == set(found)
    assert dead == 0
    assert codes.count(-9) == 10
    assert {*codes} <= {-9, 0, -15}  # the last was asked before it had started
    assert max(ends_s) < 10
    print(f"600 messages, {len(found) - 600} made twice, SIGTERM within {max(ends_s):.1f} s")


def test_what_a_killed_worker_had_in_hand_is_done_by_another_soon(tmp_path: Path) -> None:
    with Server(tmp_path / "redis") as server, server.client() as client:
        parts = [worker(tmp_path, server, name) for name in ("one", "two")]
        with running(*parts):
            put(client, pick("long"))
            waited(lambda: client.xpending("mood:picks", "worker")["pending"], 5)
            taken = time.monotonic()
            [consumer] = client.xpending("mood:picks", "worker")["consumers"]
            next(one for one in parts if consumer["name"].endswith(f"-{one.pid}".encode())).send(signal.SIGKILL)
            waited(lambda: rankings(client), 20)
            took_s = time.monotonic() - taken - LONG_S
    assert took_s < TIMING.claim_after_ms / 1000 + 1.5
    print(f"begun by another after {took_s:.1f} s")


def test_what_kills_every_worker_is_put_aside_and_its_neighbours_are_done(tmp_path: Path) -> None:
    deadly, impossible, after = pick("deadly"), pick("impossible"), pick("after")
    with Server(tmp_path / "redis") as server, server.client() as client:
        part = worker(tmp_path, server)
        with running(part):
            put(client, deadly, impossible, after)
            waited(lambda: expected(after) <= set(rankings(client)), 40)
            waited(lambda: client.xlen("mood:picks:dead") == 2, 100)
            waited(lambda: at_rest(client), 10)
            letters = {one[b"__data__"]: one[b"error"].decode() for _, one in client.xrange("mood:picks:dead")}
        assert [end.code for end in part.ends[:-1]] == [-9] * 3
    assert letters[deadly.model_dump_json().encode()].startswith("WorkersEnded: 3 workers began")
    assert letters[impossible.model_dump_json().encode()] == "ValueError: no such song"


def test_a_redis_that_comes_back_is_heard_again_soon_with_or_without_what_it_held(tmp_path: Path) -> None:
    before, after, anew = pick("before"), pick("after"), pick("anew")
    with Server(tmp_path / "redis", *KEEP) as server:
        part = worker(tmp_path, server)
        with running(part):
            with server.client() as client:
                put(client, before)
                waited(lambda: expected(before) <= set(rankings(client)), 10)
            server.kill()
            waited(lambda: part.health("ready") == 503, 10)
            assert part.health("live") == 200
            server.start()
            with server.client() as client:
                put(client, after)
                with_s = waited(lambda: expected(before, after) <= set(rankings(client)), 12)
            assert part.ends == []

            server.kill()
            shutil.rmtree(server.folder / "appendonlydir")
            server.start()
            begun = time.monotonic()
            with server.client() as client:
                put(client, anew)
                waited(lambda: part.ends, 12)
                without_s = time.monotonic() - begun
                waited(lambda: expected(anew) <= set(rankings(client)), 40)
        assert [end.code for end in part.ends] in ([70, 0], [70, -15])
    assert with_s < 7
    print(f"consuming again after {with_s:.1f} s; empty: exit 70 after {without_s:.1f} s")


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full; needs root."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        missing("the right to mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def refused_and_back(
    folder: Path, server: Server, refuse: Callable[[Any], Any], relent: Callable[[Any], Any], words: str
) -> None:
    """While Redis refuses: not ready, alive, few lines; afterwards all is done by the same process, and told."""
    meanwhile = [pick(f"meanwhile {number}") for number in range(20)]
    part = worker(folder, server)
    with running(part), server.client() as client:
        put(client, pick("before"))
        waited(lambda: rankings(client), 10)
        put(client, *meanwhile[:10])
        refuse(client)
        noticed_s = waited(lambda: part.health("ready") == 503, 10)
        lines, begun = part.text().count("\n"), time.monotonic()
        time.sleep(6)  # longer than a time-out
        lines_s = (part.text().count("\n") - lines) / (time.monotonic() - begun)
        assert part.health("live") == 200
        relent(client)
        waited(lambda: takes(client), 10)
        put(client, *meanwhile[10:])
        back_s = waited(lambda: expected(*meanwhile) <= set(rankings(client)), 30)
        waited(part.is_ready, 30)
        waited(lambda: at_rest(client), 10)
        codes = [("degraded", "redis"), ("online", "recovered")]
        waited(lambda: [(one.state, one.code) for one in statuses(client)] == codes, 30)
        assert words in statuses(client)[0].reason
        assert part.ends == []
        assert client.xlen("mood:picks:dead") == 0
    assert lines_s < MORE_LINES_S
    said = [line for line in part.text().splitlines() if "moodstream.redis" in line]
    assert words in said[0]
    assert "works again" in said[-1]
    print(f"noticed in {noticed_s:.1f} s, {lines_s:.1f} lines/s, all done {back_s:.1f} s after")


def out_of_memory(folder: Path) -> None:
    with Server(folder / "redis", "--maxmemory-policy", "noeviction") as server:
        refused_and_back(
            folder,
            server,
            lambda client: client.config_set("maxmemory", "1"),
            lambda client: client.config_set("maxmemory", "0"),
            "OOM",
        )


def disk_full(folder: Path) -> None:
    with small_disk(folder, 4) as disk, Server(disk, *KEEP) as server:

        def fill(client: Any) -> None:
            with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(4096))
            with contextlib.suppress(RedisError):
                client.set("more", bytes(100_000))

        refused_and_back(folder, server, fill, lambda _: (disk / "ballast").unlink(), "MISCONF")


def right_revoked(folder: Path, right: str) -> None:
    with Server(folder / "redis") as server, server.client() as client:
        client.acl_setuser("service", enabled=True, nopass=True, keys=["*"], categories=["+@all"])
        server.url = server.url.replace("redis://", "redis://service:x@")
        refused_and_back(
            folder,
            server,
            lambda operator: operator.acl_setuser("service", enabled=True, commands=[f"-{right}"]),
            lambda operator: operator.acl_setuser("service", enabled=True, commands=[f"+{right}"]),
            "NOPERM",
        )


def test_redis_refuses_and_relents(tmp_path: Path) -> None:
    """No memory, no disk, no right to read, none to write: each on a server of its own, all at the same time."""
    faults: dict[str, Callable[[Path], None]] = {
        "memory": out_of_memory,
        "disk": disk_full,
        "read": lambda folder: right_revoked(folder, "xreadgroup"),
        "write": lambda folder: right_revoked(folder, "xadd"),
    }
    with ThreadPoolExecutor(len(faults)) as side_by_side:
        running_faults = []
        for name, fault in faults.items():
            (tmp_path / name).mkdir()
            running_faults.append(side_by_side.submit(fault, tmp_path / name))
        for one in running_faults:
            one.result()


def test_no_secret_and_no_flood_of_lines_while_redis_is_away(tmp_path: Path) -> None:
    """What a person reads after an outage: when it began, of what, and when it was over."""
    with Server(tmp_path / "redis", *KEEP, password="not for logs") as server:
        server.url = server.url.replace("redis://", "redis://:not%20for%20logs@")
        part = worker(tmp_path, server)
        part.start()
        try:
            part.wait_ready()
            begun = part.text().count("\n")
            server.kill()
            time.sleep(5)
            server.start()
            part.wait_ready(20)
            waited(lambda: "works again" in part.text(), 10)
            lines = part.text().splitlines()[begun:]
        finally:
            part.stop()
    assert len(lines) == 2
    assert re.search(r"WARNING .*waiting for Redis at redis://127.0.0.1:\d+/0: ", lines[0])
    assert re.search(r"WARNING .*Redis at redis://127.0.0.1:\d+/0 works again after \d", lines[1])
    assert "not for logs" not in part.text()
    assert "not%20for" not in part.text()
