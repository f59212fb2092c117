"""Eight sites on a cluster whose nodes are killed: ``python -m benchmarks.cluster_sites [--seconds 120]``.

Each site has its own prefix, so its own slot, and a process of its own that publishes moods and handles them in a
consumer group, with the code of the services. Again and again the node that leads one of the sites, or one that only
follows, is killed with SIGKILL and started anew once another leads. Then it counts, of the moods whose publishing was
acknowledged: those that are not in the stream any more, those that no handler got, those that one got twice; and how
long a mood took from before it was published until it was handled. What was in hand when its node died may be handled
again, since the note that it was done died with the node: it is the same event by its id, and so is what follows from
it. Needs Debian's redis-server. Ends with 1 when something was lost, or handled twice at another time.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from random import Random

import numpy as np
from faststream.redis import RedisRouter

from moodstream import cluster
from moodstream.contracts.events import MoodChanged, new_id, utc_now
from moodstream.contracts.moods import MOODS
from moodstream.contracts.streams import STREAMS
from services.cli.redis_client import connected
from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.delivery.consume import consume
from shared.settings import Settings, load
from tests.support.recommenders import mood_changed
from tests.support.redis_cluster import Cluster
from tests.support.redis_cluster import cluster as six_nodes

SETTLES_S = 60.0
"""How long handlers may take for what is left when nothing comes any more."""


@dataclass
class Seen:
    """Of one site; times by the clock that all processes share."""

    prefix: str
    acknowledged: dict[str, float] = field(default_factory=dict)
    """by the id of a mood when its publishing began"""
    refused: int = 0
    """that were given up after ten seconds, and are no loss: the publisher was told"""
    handled_at_s: dict[str, list[float]] = field(default_factory=dict)
    """each time"""


async def run_site(url: str, prefix: str, rate: float, line: Connection) -> Seen:
    """Tell that it is ready, publish and handle until told to stop, then until all is handled."""
    seen, random = Seen(prefix), Random(prefix)
    bus, router = create_bus(load(Settings, redis_url=url, prefix=prefix)), RedisRouter()

    @consume(router, bus, MoodChanged, "recommender")
    async def take(mood: MoodChanged) -> None:
        seen.handled_at_s.setdefault(mood.id, []).append(time.monotonic())

    app = build_app(bus, Service("recommender", router))
    async with app.web.router.lifespan_context(app.web):
        await app.ready.wait()
        line.send("ready")
        publishing = set[asyncio.Task[None]]()
        while not line.poll():
            # visitors do not wait for each other
            one = asyncio.create_task(publish(bus, seen))
            publishing.add(one)
            one.add_done_callback(publishing.discard)
            await asyncio.sleep(random.expovariate(rate))
        await asyncio.gather(*publishing)
        until_s = time.monotonic() + SETTLES_S
        while seen.acknowledged.keys() - seen.handled_at_s.keys() and time.monotonic() < until_s:
            await asyncio.sleep(0.1)
        bus.stopping.set()
    return seen


async def publish(bus: Bus, seen: Seen) -> None:
    fields = {"phase": "start", "camera_id": "door", "expires_at": utc_now() + timedelta(minutes=10)}
    mood, begun_s = mood_changed(MOODS[len(seen.acknowledged) % 4], new_id(), **fields), time.monotonic()
    try:
        await bus.publish(mood)
        seen.acknowledged[mood.id] = begun_s
    except REDIS_ERRORS:
        seen.refused += 1


def site_process(url: str, prefix: str, rate: float, line: Connection) -> None:
    line.send(asyncio.run(run_site(url, prefix, rate, line)))


def kill_nodes(nodes: Cluster, prefixes: list[str], seconds: float, every_s: float) -> list[tuple[float, float]]:
    """Kill one node after the other until the time is over; gives when each was killed, and when another led."""
    random, until_s, failovers = Random(1), time.monotonic() + seconds, list[tuple[float, float]]()
    time.sleep(every_s)
    while time.monotonic() < until_s:
        nodes.prefix = random.choice(prefixes)
        leader = nodes.leader()
        follows = random.random() < 0.25
        victim = random.choice(nodes.followers()) if follows else leader
        killed_s = time.monotonic()
        nodes.kill(victim)
        if not follows:
            nodes.wait_for_another(victim)
        leads_s = time.monotonic()
        failovers.append((killed_s, leads_s))
        what = "that follows" if follows else f"that leads, another leads after {leads_s - killed_s:.1f} s"
        print(f"killed a node {what}", flush=True)
        time.sleep(1)
        nodes.start_again(victim)
        nodes.wait_until_whole()
        time.sleep(max(0.0, min(every_s, until_s - time.monotonic())))
    return failovers


def in_stream(url: str, prefix: str) -> Counter[str]:
    """How often each mood stands in the stream at the end, as the node says that leads then."""
    with connected(cluster.with_prefix(url, prefix)) as client:
        entries = client.xrange(prefix + STREAMS[MoodChanged].name)
    return Counter(json.loads(fields[b"__data__"])["id"] for _, fields in entries)


def audit(sites: list[Seen], kept: Mapping[str, Counter[str]], failovers: list[tuple[float, float]]) -> int:
    wrong, all_ms, calm_ms = 0, list[float](), list[float]()
    for seen in sites:
        gone = seen.acknowledged.keys() - kept[seen.prefix].keys()
        unhandled = seen.acknowledged.keys() - seen.handled_at_s.keys()
        times = {one: seen.handled_at_s[one] for one in seen.acknowledged.keys() - unhandled}
        again = [handled_s for handled_s in times.values() if len(handled_s) > 1]
        in_hand = sum(_in_failover(handled_s[0], failovers) for handled_s in again)
        entries = sum(count > 1 for count in kept[seen.prefix].values())
        for one, handled_s in times.items():
            begun_s = seen.acknowledged[one]
            all_ms.append(1_000 * (handled_s[0] - begun_s))
            if not _in_failover(begun_s, failovers):
                calm_ms.append(all_ms[-1])
        wrong += len(gone) + len(unhandled) + len(again) - in_hand
        print(
            f"{seen.prefix:<10} acknowledged {len(seen.acknowledged)}, given up {seen.refused}; gone {len(gone)}, not "
            f"handled {len(unhandled)}, handled again {len(again)}, {in_hand} of these in hand when a node died; "
            f"twice in the stream {entries}"
        )
    for what, took_ms in (("all", all_ms), ("begun while no node was away", calm_ms)):
        figures = ", ".join(f"{ms:.0f}" for ms in np.quantile(took_ms, [0.5, 0.99, 1.0]))
        print(f"ms from published to handled, {what} ({len(took_ms)}): p50, p99, longest {figures}")
    return wrong


def _in_failover(at_s: float, failovers: list[tuple[float, float]]) -> bool:
    """Within a second after another leads a client may still ask the old node, and then asks who leads."""
    return any(killed_s - 1 <= at_s <= leads_s + 1 for killed_s, leads_s in failovers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=10, help="seconds between a whole cluster and the next kill")
    parser.add_argument("--rate", type=float, default=5, help="moods a second at each site, on average")
    given = parser.parse_args()
    prefixes = [f"{{site-{number}}}:" for number in range(1, given.sites + 1)]
    spawn = multiprocessing.get_context("spawn")
    with six_nodes(prefixes[0]) as nodes:
        lines, processes = [], []
        for prefix in prefixes:
            here, there = spawn.Pipe()
            processes.append(
                spawn.Process(target=site_process, args=(nodes.url, prefix, given.rate, there), daemon=True)
            )
            processes[-1].start()
            lines.append(here)
        for line in lines:
            line.recv()
        leaders = set()
        for nodes.prefix in prefixes:
            leaders.add(nodes.leader())
        begun = f"{given.sites} sites, {given.rate:g} moods/s each, led by {len(leaders)} of 6 nodes"
        print(f"{begun}; load {os.getloadavg()[0]:.1f}", flush=True)
        failovers = kill_nodes(nodes, prefixes, given.seconds, given.every)
        for line in lines:
            line.send("stop")
        sites = [line.recv() for line in lines]
        kept = {prefix: in_stream(nodes.url, prefix) for prefix in prefixes}
        wrong = audit(sites, kept, failovers)
        result = f"{wrong} WRONG" if wrong else "nothing was lost"
        print(f"{len(failovers)} kills; load {os.getloadavg()[0]:.1f}; {result}")
        for process in processes:
            process.join()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
