"""Eight cameras at two sites, four emotion workers, one group of Redis servers whose leader is taken away meanwhile.

    python -m benchmarks.sentinel [--cluster] [--seconds 60] [--harm kill hang shut-down] [--seed 1]

The servers are three behind three Sentinels, or with ``--cluster`` six nodes of a cluster, of which a harm takes away
the one that leads a site. ``--seed`` draws harms, moments and sites instead.

The cameras are drawn faces, sent as a camera sends them; all services are processes of their own, as in containers.
Needs Debian's redis-server. Each harm comes in the middle of its share of the time. Then it counts: every frame that
was taken has its reading, except while nobody led; every event that anybody saw is still in its stream on the server
that leads at the end; every offer has one pick, every pick one ranking, every ranking at most one play. Ends with 1
when something was lost.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import uuid4

import cv2

from moodstream import cluster
from moodstream.contracts.events import (
    Event,
    FacesRead,
    FrameCaptured,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    utc_now,
)
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.streams import STREAMS
from services.camera.drawn import pattern
from services.cli.redis_client import connected
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.settings import Settings, load
from tests.support.ports import free_port
from tests.support.redis_cluster import Cluster
from tests.support.redis_cluster import cluster as six_nodes
from tests.support.redis_servers import Trio, trio

ROOT = Path(__file__).parents[1]
SITES = ("north", "south")
CAMERAS = 4
"""of each site"""
HARMS = ("kill", "hang", "shut-down")
WORKERS = 2
"""emotion workers a site"""
FRAMES_PER_S = 5
SCRIPT = ((Mood.HAPPY, 4.0), (Mood.SAD, 4.0), (Mood.NOBODY, 3.5))
"""what each camera shows, over and over"""
KEPT: tuple[type[Event], ...] = (MoodChanged, SongsOffered, SongPicked, SongsRanked, PlaybackChanged)
"""what may not be lost; readings are worth as little as their frames a second later"""
GRACE_S = 5.0
"""after another server leads, until everything must flow again"""


@dataclass
class Site:
    """What was sent and what was seen, by prefix."""

    prefix: str
    bus: Bus
    sent: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """when each frame of a camera was taken by Redis, by its number"""
    refused: Counter[str] = field(default_factory=Counter)
    read: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    seen: dict[str, Event] = field(default_factory=dict)
    reading_at_s: list[float] = field(default_factory=list)


def pictures() -> list[tuple[float, bytes]]:
    """One round of the script as (seconds, JPEG), drawn beforehand: drawing costs more than reading."""
    starts, start_s = {}, 0.0
    for mood, seconds in pattern.SCRIPT:
        starts[mood], start_s = start_s, start_s + seconds
    round_, at_s = [], 0.0
    for mood, seconds in SCRIPT:
        for step in range(int(seconds * FRAMES_PER_S)):
            t_s = starts[mood] + min(1.0 + step / FRAMES_PER_S, 4.0 if mood in MOODS else 2.0)
            picture = pattern.draw(float(t_s), (320, 240))
            _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
            round_.append((at_s, jpeg.tobytes()))
            at_s += 1 / FRAMES_PER_S
    return round_


@contextmanager
def service(
    name: str, url: str, prefix: str, port: int, folder: Path, **settings: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A service in a process of its own; its lines stand in a file."""
    folder = folder / f"{prefix[:-1]}-{name}-{port}"
    folder.mkdir()
    given = {
        "MOODSTREAM_REDIS_URL": url,
        "MOODSTREAM_PREFIX": prefix,
        "MOODSTREAM_PORT": str(port),
        "XDG_DATA_HOME": str(folder),
        "XDG_STATE_HOME": str(folder),
        # what is measured is the failover, not how much this machine can read
        "MOODSTREAM_FRAME_MAX_AGE_MS": "60000",
    }
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MOODSTREAM_")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}.main"], cwd=ROOT, env=clean | given | settings, stderr=log
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(12)
            process.kill()
            process.wait()


async def camera(
    site: Site, name: str, shift_s: float, until: asyncio.Event, frames: list[tuple[float, bytes]]
) -> None:
    run_id, seq, started_s = uuid4().hex, 0, time.monotonic()
    await asyncio.sleep(shift_s)
    while not until.is_set():
        _, jpeg = frames[seq % len(frames)]
        frame = FrameCaptured(camera_id=name, run_id=run_id, seq=seq, captured_at=utc_now(), jpeg=jpeg)
        if await site.bus.publish_frame(frame):
            site.sent[name][seq] = time.monotonic()
        else:
            site.refused[name] += 1
        seq += 1
        await asyncio.sleep(max(0.0, started_s + shift_s + seq / FRAMES_PER_S - time.monotonic()))


async def watch(site: Site) -> None:
    """Everything that is published, as any subscriber would see it."""
    async for entry in site.bus.follow(dict.fromkeys((FacesRead, *KEPT), "0-0"), block_ms=500):
        if entry is None:
            continue
        event = entry[1]
        if isinstance(event, FacesRead):
            site.read[event.camera_id][event.seq] += 1
            site.reading_at_s.append(time.monotonic())
        else:
            site.seen[str(event.id)] = event


def prefix_of(site: str, given: argparse.Namespace) -> str:
    """On a cluster a site is one slot."""
    return f"{{{site}}}:" if given.cluster else f"{site}:"


async def harm(servers: Trio | Cluster, how: str) -> tuple[float, float]:
    """Take the leader away; gives when, and when another led."""
    before_s, old = time.monotonic(), servers.leader()
    print(f"{how} at {utc_now():%H:%M:%S.%f}", flush=True)
    {"kill": servers.kill, "hang": servers.hang, "shut-down": servers.shut_down}[how](old)
    await asyncio.to_thread(servers.wait_for_another, old)
    leads_s = time.monotonic()
    if how == "hang":
        await asyncio.sleep(5)
        servers.go_on(old)
    else:
        await asyncio.to_thread(servers.start_again, old)
    return before_s, leads_s


async def drive(
    servers: Trio | Cluster, given: argparse.Namespace
) -> tuple[list[Site], list[tuple[str, float, float]]]:
    frames, stop, harms = pictures(), asyncio.Event(), []
    prefixes = [prefix_of(name, given) for name in SITES]
    sites = [
        Site(prefix, create_bus(load(Settings, redis_url=servers.url, prefix=prefix, frames_kept=2_000)))
        for prefix in prefixes
    ]
    for site in sites:
        await site.bus.connect()
    watching = [asyncio.create_task(watch(site)) for site in sites]
    cameras = [
        asyncio.create_task(camera(site, f"{SITES[at]}-{n}", 0.9 * n + 0.4 * at, stop, frames))
        for at, site in enumerate(sites)
        for n in range(CAMERAS)
    ]
    random = Random(given.seed)
    share_s = given.seconds / len(given.harm)
    for at, planned in enumerate(given.harm):
        before_s = share_s * (0.5 if given.seed is None else random.uniform(0.2, 0.8))
        how = planned if given.seed is None else random.choice(HARMS)
        await asyncio.sleep(before_s)
        if isinstance(servers, Cluster):
            servers.prefix = prefixes[at % len(prefixes)] if given.seed is None else random.choice(prefixes)
        harms.append((how, *await harm(servers, how)))
        await asyncio.to_thread(servers.wait_until_whole)
        await asyncio.sleep(share_s - before_s)
    stop.set()
    await asyncio.gather(*cameras)
    await drained(sites)
    for site in sites:
        site.bus.stopping.set()
    await asyncio.gather(*watching)
    for site in sites:
        await site.bus.close()
    return sites, harms


async def drained(sites: list[Site]) -> None:
    """Until nothing has come for three seconds, at most for a minute: a busy machine has frames to catch up with."""
    for _ in range(20):
        before = [(len(site.seen), len(site.reading_at_s)) for site in sites]
        await asyncio.sleep(3)
        if before == [(len(site.seen), len(site.reading_at_s)) for site in sites]:
            return


@dataclass
class Audit:
    """Lines for people, and whether anything is missing."""

    lost: int = 0

    def line(self, what: str, value: object, *, lost: int = 0) -> None:
        self.lost += lost
        print(f"{what:<66}{value}{'   LOST' if lost else ''}")


def audit(url: str, site: Site, harms: list[tuple[str, float, float]], told: Audit) -> None:
    def in_failover(at_s: float) -> bool:
        return any(begun_s - 1.5 <= at_s <= leads_s + GRACE_S for _, begun_s, leads_s in harms)

    print(f"\nsite {site.prefix}")
    for name, sent in sorted(site.sent.items()):
        unread = [seq for seq in sent if not site.read[name][seq]]
        late = [seq for seq in unread if not in_failover(sent[seq])]
        twice = sum(count > 1 for count in site.read[name].values())
        told.line(
            f"{name}: frames taken / refused / unread / read twice",
            f"{len(sent)} / {site.refused[name]} / {len(unread)} / {twice}",
            lost=len(late),
        )
    kept = stored(url, site.prefix)
    for kind in KEPT:
        there = kept[kind]
        seen = {id_ for id_, event in site.seen.items() if isinstance(event, kind)}
        gone = seen - there.keys()
        for one in (site.seen[id_] for id_ in gone):
            print(f"    {one.type} of {one.at:%H:%M:%S.%f} is gone")
        more = sum(there.values()) - len(there)
        told.line(
            f"{kind.__name__}: in the stream at the end / seen twice / gone",
            f"{len(there)} / {more} / {len(gone)}",
            lost=len(gone),
        )
    chain(site, told)


def stored(url: str, prefix: str) -> Mapping[type[Event], Counter[str]]:
    """Ids of what the server that leads now holds."""
    with connected(cluster.with_prefix(url, prefix)) as client:
        return {
            kind: Counter(
                str(kind.model_validate_json(fields[b"__data__"]).id)
                for _, fields in client.xrange(prefix + STREAMS[kind].name)
            )
            for kind in KEPT
        }


def chain(site: Site, told: Audit) -> None:
    """Offer, pick, ranking, play: one each."""
    seen = site.seen.values()
    offered = [one for one in seen if isinstance(one, SongsOffered)]
    moods = [one for one in seen if isinstance(one, MoodChanged)]
    ranked = {one.trace_id: one for one in seen if isinstance(one, SongsRanked)}
    offers = {str(one.id) for one in offered}
    picks = Counter(one.offer_id for one in seen if isinstance(one, SongPicked))
    rankings = Counter(one.offer_id for one in seen if isinstance(one, SongsRanked))
    phases = Counter(one.phase for one in moods)
    without = {one.session_id for one in moods if one.mood in MOODS} - {one.session_id for one in offered}
    told.line(
        "visits begun / ended / with a mood and no offer",
        f"{phases['start']} / {phases['end']} / {len(without)}",
        lost=len(without),
    )
    told.line(
        "offers without a pick, picks without an offer",
        f"{len(offers - picks.keys())}, {len(picks.keys() - offers)}",
        lost=len(offers ^ picks.keys()),
    )
    told.line(
        "picks without a ranking, ranked twice",
        f"{len(picks.keys() - rankings.keys())}, {sum(n > 1 for n in rankings.values())}",
        lost=len(picks.keys() - rankings.keys()) + sum(n > 1 for n in rankings.values()),
    )
    playing = [one for one in seen if isinstance(one, PlaybackChanged) and one.song and one.state == "playing"]
    plays = Counter(one.trace_id for one in playing if one.trace_id in ranked)
    unplayed = [one for trace_id, one in ranked.items() if trace_id not in plays]
    newest = max((one.at for one in ranked.values()), default=utc_now())
    told.line(
        "rankings / played / played twice / overtaken by a newer one",
        f"{len(rankings)} / {len(plays)} / {sum(n > 1 for n in plays.values())} / {len(unplayed)}",
        lost=sum(n > 1 for n in plays.values()) + sum(one.at == newest for one in unplayed),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90, help="of cameras, shared by the harms")
    parser.add_argument("--harm", nargs="+", choices=HARMS, default=list(HARMS))
    parser.add_argument("--cluster", action="store_true", help="six nodes of a cluster instead of Sentinels")
    parser.add_argument("--seed", type=int, help="draw harms, as many as without it, moments and sites")
    given = parser.parse_args()
    with ExitStack() as stack:
        servers: Trio | Cluster
        if given.cluster:
            servers = stack.enter_context(six_nodes(prefix_of(SITES[0], given)))
        else:
            servers = stack.enter_context(trio())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moodstream-sites-")))
        started_s = time.monotonic()
        processes, ports = [], []
        for prefix in (prefix_of(site, given) for site in SITES):
            for name, count, settings in (
                ("emotion", WORKERS, {}),
                ("recommender", 1, {"MOODSTREAM_AUTO": "true"}),
                ("player", 1, {"MOODSTREAM_PLAYER": "log", "MOODSTREAM_SONG_MIN_S": "0"}),
            ):
                for _ in range(count):
                    ports.append(free_port())
                    one = service(name, servers.url, prefix, ports[-1], folder, **settings)
                    processes.append(stack.enter_context(one))
        wait_until_ready(ports)
        print(
            f"8 cameras at {FRAMES_PER_S} frames/s, 2 sites, 4 workers; up in {time.monotonic() - started_s:.1f} s, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        sites, harms = asyncio.run(drive(servers, given))
        told = Audit()
        for how, begun_s, leads_s in harms:
            again = [
                min((at_s for at_s in site.reading_at_s if at_s > begun_s + 1), default=float("nan")) - begun_s
                for site in sites
            ]
            print(f"{how}: another leads after {leads_s - begun_s:.1f} s, readings again after {max(again):.1f} s")
        for site in sites:
            audit(servers.url, site, harms, told)
        restarted = sum(process.poll() is not None for process in processes)
        costs(processes, sum(len(sent) for site in sites for sent in site.sent.values()))
        told.line("\nservices that ended", restarted, lost=restarted)
        print(f"load {os.getloadavg()[0]:.1f}; {'nothing was lost' if not told.lost else f'{told.lost} LOST'}")
        if told.lost:
            for log in sorted(folder.glob("*/log")):
                print(f"--- {log.parent.name}\n{log.read_text()[-1500:]}")
        return 1 if told.lost else 0


def costs(processes: list["subprocess.Popen[bytes]"], frames: int) -> None:
    """Memory and time of the processor of every service, while they still run."""
    print()
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for process in processes:
        status, stat = (Path(f"/proc/{process.pid}/{name}").read_text() for name in ("status", "stat"))
        resident_mb = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        user, system = stat.rpartition(")")[2].split()[11:13]
        name = str(process.args[-1]).split(".")[1]  # type: ignore[index]
        spent[name].append((resident_mb, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")))
    for name, each in spent.items():
        memory, seconds = zip(*each, strict=True)
        print(f"{name:<12} {len(each)} x {max(memory):.0f} MB, {sum(seconds):.1f} s of a core, its start included")
    print(f"emotion: {1000 * sum(s for _, s in spent['emotion']) / frames:.1f} ms of a core a frame, start included")


def wait_until_ready(ports: list[int], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    for port in ports:
        while True:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                break
            if time.monotonic() > deadline:
                raise SystemExit("the services did not come up")
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
