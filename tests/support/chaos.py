"""The whole chain as separate processes, a minute of random faults from a seed, and then an audit of the streams.

Drawn faces come through the camera, and simulated visitors through the hall: their moods are published, their picks go
through the gateway. Simulated Spotify plays and a receiver of webhooks listens; these and the visitors are outside and
meet no fault.
"""

import itertools
import json
import shutil
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import dropwhile
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

from redis.exceptions import RedisError

from moodstream.contracts.events import (
    Event,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    new_id,
    utc_now,
)
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.streams import STREAMS
from services.player.spotify.simulator.account import device
from shared.web.webhook_secret import new_secret
from tests.hostile.rude_visitor import visit
from tests.support.bridges import receivers_file
from tests.support.processes import Part, waited
from tests.support.recommenders import mood_changed
from tests.support.redis_process import Line, Server
from tests.support.simulated_spotify import CLIENT, SimulatedSpotify, sign_in

PREFIX = "mood:"
HOOK = "audit"
VISIT_S = 12.0
LATE_S = 20.0
"""How long visitors go on picking after the last of them has come, while an offer is missing."""
BEHIND_MS = 2_000
EMPTIES_EVERY = 4
"""In each so many-th seed Redis comes back empty once; what it had taken before is gone then."""
POSTPONED_S = 3.0
"""What Redis took so shortly before it was killed may be gone if its disk was busy: tests/faults/test_slow_disk.py."""
LONGEST_FAULTS = {"stop": 6.0, "hold": 6.0, "slow": 8.0, "hostile": 5.0, "redis-kill": 3.0, "redis-stop": 4.0}
"""Seconds."""
PATIENCE_S = 8.0
"""How long a visitor waits for the gateway."""
POISON = b'{"id": "no", "type": "poison"'


@dataclass(frozen=True)
class Fault:
    """What is done at a moment after the start, to whom, for how long."""

    at_s: float
    kind: str
    target: str
    for_s: float = 0.0


def plan(seed: int, seconds: float, targets: list[str]) -> list[Fault]:
    """The faults of a seed, one every second or three; Redis is killed at least once."""
    random, faults, now_s = Random(seed), list[Fault](), 1.0
    kinds = ["kill"] * 6 + ["term"] * 2 + ["stop"] * 4 + ["hold"] * 4 + ["cut"] * 3
    kinds += ["slow"] * 3 + ["hostile"] * 2
    kinds += ["redis-kill"] * 2 + ["redis-stop"] * 2 + ["twice"] * 3 + ["flood"] * 2 + ["poison"] * 2
    while now_s < seconds:
        kind = random.choice(kinds)
        longest_s = LONGEST_FAULTS.get(kind, 0.0)
        faults.append(Fault(now_s, kind, random.choice(targets), round(random.uniform(0.3, 1) * longest_s, 2)))
        now_s += random.uniform(0.8, 3.0)
    if all(fault.kind != "redis-kill" for fault in faults):
        faults.append(Fault(seconds / 2, "redis-kill", "redis", 1.0))
    if seed % EMPTIES_EVERY == 0:
        faults.append(Fault(seconds / 3, "redis-empty", "redis", 0.5))
    return sorted(faults, key=lambda fault: fault.at_s)


class Receiver:
    """Of webhooks: notes the ids that came, and how often."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                got[self.headers["webhook-id"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Chain:
    """Everything that runs, and what the outside has done."""

    server: Server
    parts: Mapping[str, Part]
    lines: Mapping[str, Line]
    spotify: SimulatedSpotify
    receiver: Receiver
    round_trip_s: float = 0.0
    """of every line, unless a fault makes it slower"""
    published: list[MoodChanged] = field(default_factory=list)
    """moods that Redis has taken from the hall"""
    offered: set[str] = field(default_factory=set)
    """ids of offers that visitors have seen"""
    picked: set[str] = field(default_factory=set)
    """ids of picks that the gateway has taken"""
    taken_s: dict[str, float] = field(default_factory=dict)
    """when Redis or the gateway had taken each of these, by the monotonic clock"""
    busy_kills_s: list[float] = field(default_factory=list)
    """when Redis was killed while its disk was busy"""
    begun_s: float = 0.0
    """what was begun before is excused: Redis came back empty"""
    adopts: bool = False
    """whether a visit may go on whose start is gone with it"""
    asked_before: list[SongsRanked] = field(default_factory=list)
    """rankings that are gone with it"""
    poisoned: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def insistently(self, act: Callable[[Any], Any], for_s: float = 25.0) -> Any:
        """Ask Redis until it answers, on a line of our own; None when it never does."""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            with suppress(RedisError), self.server.client() as client:
                return act(client)
            time.sleep(0.1)
        return None

    def put(self, event: Event) -> bool:
        body = event.model_dump_json()
        stream = PREFIX + STREAMS[type(event)].name
        return self.insistently(lambda client: client.xadd(stream, {"__data__": body})) is not None

    def entries(self, kind: type[Event]) -> list[Any]:
        """Every event of a stream, in order, duplicates too; poison left out."""
        with self.server.client() as client:
            found = client.xrange(PREFIX + STREAMS[kind].name)
        return [kind.model_validate_json(one[b"__data__"]) for _, one in found if one[b"__data__"] != POISON]


CHAIN = (
    "camera",
    "emotion-1",
    "emotion-2",
    "recommender-1",
    "recommender-2",
    "player-1",
    "player-2",
    "gateway",
    "bridge",
)


TOGETHER = "gateway"
"""What the one process of a chain is called that holds all services: picks go to its gateway."""


@contextmanager
def chain(folder: Path, *, together: bool = False, round_trip_s: float = 0.0) -> Iterator[Chain]:
    """The chain, ready: a process a service, or all services in the one of ``moodstream run``.

    ``round_trip_s``: how long Redis's answers are on their way, from the start.
    """
    with ExitStack() as stack:
        keep = ("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
        server = stack.enter_context(Server(folder / "redis", *keep))
        spotify, receiver = SimulatedSpotify(), Receiver()
        spotify.simulator.exchanges = type(spotify.simulator.exchanges)(maxlen=None)
        spotify.start()
        stack.callback(spotify.stop)
        stack.callback(receiver.stop)
        spotify.simulator.account.devices = [device("Hall", active=True)]
        sign_in(spotify, folder / "spotify.json")
        hook = {
            "name": HOOK,
            "url": receiver.url,
            "secrets": [new_secret()],
            "private": True,
            "events": ["SongsRanked"],
        }
        settings = {
            "camera": "pattern:quick",
            "player": "spotify",
            "song_min_s": "0",
            "spotify_client_id": CLIENT,
            "spotify_token_file": str(folder / "spotify.json"),
            "spotify_api_url": spotify.api_url,
            "spotify_accounts_url": spotify.accounts_url,
            "spotify_app": "no-app-in-a-test",
            "webhooks": str(receivers_file(folder, hook)),
            "heard_minutes": "0",
            "frames_on_disk": "true",  # one server, which keeps what it holds over its kills
        }
        lines, parts = dict[str, Line](), dict[str, Part]()
        for name in (TOGETHER,) if together else CHAIN:
            lines[name] = Line(server.port, round_trip_s)
            lines[name].start()
            stack.callback(lines[name].stop)
            url = f"redis://127.0.0.1:{lines[name].port}/0"
            module = "services" if together else f"services.{name.partition('-')[0]}.main"
            environment = {name: str(folder) for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")}
            arguments = ("run",) if together else ()
            parts[name] = Part(name, module, folder, url, environment, arguments, **settings)
        stoppers = [threading.Thread(target=part.stop) for part in parts.values()]

        def stop_all() -> None:
            for line in lines.values():
                line.resume()
            for stopper in stoppers:
                stopper.start()
            for stopper in stoppers:
                stopper.join()

        stack.callback(stop_all)
        for part in parts.values():
            part.start()
        for part in parts.values():
            part.wait_ready(300)
        yield Chain(server, parts, lines, spotify, receiver, round_trip_s)


def run(chain: Chain, seed: int, seconds: float, faults: list[Fault]) -> None:
    """Visitors and faults for so long; afterwards all is healed."""
    chain.stopping.clear()
    outside = [threading.Thread(target=one, args=(chain,), daemon=True) for one in (visit_hall, pick)]
    for one in outside:
        one.start()
    begun = time.monotonic()
    healers = list[threading.Timer]()
    for fault in faults:
        time.sleep(max(0.0, begun + fault.at_s - time.monotonic()))
        if (heal := strike(chain, fault, seed)) is not None:
            healers.append(threading.Timer(fault.for_s, heal))
            healers[-1].start()
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    for healer in healers:
        healer.join()
    for part, line in zip(chain.parts.values(), chain.lines.values(), strict=True):
        line.resume()
        line.round_trip_s = chain.round_trip_s
        part.send(signal.SIGCONT)
    chain.stopping.set()
    for one in outside:
        one.join(60)


def strike(chain: Chain, fault: Fault, seed: int) -> Callable[[], None] | None:
    """Do it; gives what heals it, where it does not heal by itself."""
    part, line = chain.parts.get(fault.target), chain.lines.get(fault.target)
    match fault.kind, part, line:
        case "kill", Part(), _:
            part.send(signal.SIGKILL)
        case "term", Part(), _:
            part.send(signal.SIGTERM)
        case "stop", Part(), _:
            part.send(signal.SIGSTOP)
            return lambda: part.send(signal.SIGCONT)
        case "hold", _, Line():
            line.pause()
            return line.resume
        case "cut", _, Line():
            line.cut()
        case "slow", _, Line():
            line.round_trip_s = Random(f"{seed} {fault.at_s}").uniform(0.2, 0.8)
            return partial(setattr, line, "round_trip_s", chain.round_trip_s)
        case "hostile", _, _:
            port = chain.parts["gateway"].port
            threading.Thread(target=visit, args=(port, fault.for_s, f"{seed} {fault.at_s}"), daemon=True).start()
        case "redis-empty", _, _:
            come_back_empty(chain)
        case "redis-kill", _, _:
            with suppress(RedisError), chain.server.client() as client:
                about = client.info("persistence")
                if about["aof_pending_bio_fsync"] or about["aof_buffer_length"]:
                    chain.busy_kills_s.append(time.monotonic())
            chain.server.kill()
            time.sleep(fault.for_s)
            chain.server.start()
        case "redis-stop", _, _:
            chain.server.pause()
            time.sleep(fault.for_s)
            chain.server.resume()
        case "twice", _, _:
            chain.insistently(lambda client: again(client, Random(f"{seed} {fault.at_s}")))
        case "flood", _, _:
            flood = [mood_changed(Mood.CALM, new_id(), reason="heartbeat", camera_id="flood") for _ in range(300)]
            chain.insistently(lambda client: put_all(client, flood))
        case "poison", _, _:
            if chain.insistently(lambda client: client.xadd(f"{PREFIX}picks", {"__data__": POISON})):
                chain.poisoned += 1
    return None


def come_back_empty(chain: Chain) -> None:
    """As after a disk was replaced. What had been taken is gone, and is no loss."""
    chain.asked_before += chain.entries(SongsRanked)
    chain.server.kill()
    shutil.rmtree(chain.server.folder)
    chain.server.start()
    chain.begun_s, chain.adopts, chain.poisoned = time.monotonic(), True, 0
    for gone in (chain.published, chain.picked, chain.taken_s, chain.busy_kills_s):
        gone.clear()


def again(client: Any, random: Random) -> None:
    """Ten of the newest entries once more, in another order."""
    entries = [
        (stream, fields)
        for stream in (f"{PREFIX}{name}" for name in ("moods", "offers", "picks", "rankings", "playback"))
        for _, fields in client.xrevrange(stream, count=10)
        if fields[b"__data__"] != POISON
    ]
    for stream, fields in random.sample(entries, min(10, len(entries))):
        client.xadd(stream, fields)


def put_all(client: Any, events: list[MoodChanged]) -> None:
    with client.pipeline(transaction=False) as many:
        for event in events:
            many.xadd(f"{PREFIX}moods", {"__data__": event.model_dump_json()})
        many.execute()


def visit_hall(chain: Chain) -> None:
    """Somebody comes every half second, is in one mood, and leaves."""
    leaving = list[tuple[float, MoodChanged]]()
    for number in itertools.count():
        over = chain.stopping.wait(0.5)
        while leaving and (over or leaving[0][0] < time.monotonic()):
            _, came = leaving.pop(0)
            fields = {"phase": "end", "before": came.mood, "faces": 0, "camera_id": came.camera_id}
            chain.put(mood_changed(Mood.NOBODY, came.session_id, **fields))
        if over:
            return
        # none expires while nobody is there to make the offer: what is missing at the end is lost
        fields = {"phase": "start", "camera_id": f"hall-{number % 40}", "expires_at": utc_now() + timedelta(minutes=10)}
        came, begun_s = mood_changed(MOODS[number % 4], new_id(), **fields), time.monotonic()
        if chain.put(came):
            if begun_s > chain.begun_s:
                chain.published.append(came)
                chain.taken_s[came.id] = time.monotonic()
            leaving.append((time.monotonic() + VISIT_S, came))


def pick(chain: Chain) -> None:
    """A song of every offer, by way of the gateway, tried again while it does not answer."""
    seen, place, open_offers = chain.offered, "0-0", dict[str, tuple[SongsOffered, float]]()
    visitors = ThreadPoolExecutor(8)  # each waits for an answer, which may take its time
    until_s = float("inf")
    while time.monotonic() < until_s or open_offers:
        if chain.stopping.is_set():  # what was asked for may still be offered
            all_there = {_follows(one, "SongsOffered") for one in chain.published} <= seen
            until_s = 0.0 if all_there else min(until_s, time.monotonic() + LATE_S)
        with suppress(RedisError), chain.server.client() as client:
            for _, entries in client.xread({f"{PREFIX}offers": place}, count=100, block=200):
                for entry_id, fields in entries:
                    place = entry_id.decode()
                    offer = SongsOffered.model_validate_json(fields[b"__data__"])
                    if offer.id not in seen:
                        seen.add(offer.id)
                        open_offers[offer.id] = offer, time.monotonic() + 8
        waiting = list(open_offers.values())
        taken_all = visitors.map(partial(_pick, chain), [offer for offer, _ in waiting])
        for (offer, gives_up_s), taken in zip(waiting, taken_all, strict=True):
            if taken or time.monotonic() > gives_up_s:
                del open_offers[offer.id]
    visitors.shutdown()


def _pick(chain: Chain, offer: SongsOffered) -> bool:
    body = json.dumps({"offer_id": offer.id, "song_id": offer.songs[0].id}).encode()
    address, begun_s = f"http://127.0.0.1:{chain.parts['gateway'].port}/api/v1/picks", time.monotonic()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, body, {"content-type": "application/json"}), timeout=PATIENCE_S
        ):
            if begun_s > chain.begun_s:
                chain.picked.add(picked := str(uuid5(UUID(offer.id), "SongPicked")))
                chain.taken_s[picked] = time.monotonic()
            return True
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            time.sleep(0.2)  # the gateway does not know of the offer yet, or has too many requests of this address
            return error.code == 409
    except OSError:
        time.sleep(0.1)
        return False


@dataclass
class Audit:
    """What came of it; ``faults`` are the broken promises, in words."""

    counts: dict[str, Any]
    faults: list[str]


def rest(chain: Chain, within_s: float = 150.0) -> float:
    """Wait until every process is ready and every group has nothing left; gives the seconds."""
    begun = time.monotonic()
    for part in chain.parts.values():
        part.wait_ready(within_s)
    waited(lambda: not left(chain), within_s, f"never at rest: {left(chain)}")
    quiet_s, before = time.monotonic(), None
    while time.monotonic() < quiet_s + 3:
        now = [chain.entries(kind)[-1:] for kind in (SongPicked, SongsRanked)], left(chain)
        if now != before:
            quiet_s, before = time.monotonic(), now
        assert time.monotonic() < begun + within_s, f"never at rest: {left(chain)}"
        time.sleep(0.2)
    return time.monotonic() - begun


def left(chain: Chain) -> list[str]:
    """Groups that have something pending or unread; streams that the drawn face keeps busy are left out."""
    found = []
    with chain.server.client() as client:
        for name in ("offers", "picks", "rankings", "feedback"):
            for group in client.xinfo_groups(PREFIX + name) if client.exists(PREFIX + name) else []:
                newest = client.xrevrange(PREFIX + name, count=1)
                unread = bool(newest) and newest[0][0] != group["last-delivered-id"]
                if group["pending"] or unread:
                    found.append(f"{name}/{group['name'].decode()}: {group['pending']} pending, unread {unread}")
        if waiting := client.zcard(f"{PREFIX}webhooks:{HOOK}:due"):
            found.append(f"{waiting} messages to the receiver of webhooks")
        late_ms = int(3_000 * max(line.round_trip_s for line in chain.lines.values()))
        for name in ("moods", "playback"):
            newest = client.xrevrange(PREFIX + name, count=1)
            for group in client.xinfo_groups(PREFIX + name) if newest else []:
                # what a worker has in hand it claims anew every two seconds
                pending = client.xpending_range(PREFIX + name, group["name"], "-", "+", 100, idle=2_500 + late_ms)
                newest_ms, read_ms = (int(one.partition(b"-")[0]) for one in (newest[0][0], group["last-delivered-id"]))
                if pending or newest_ms - read_ms > BEHIND_MS + late_ms:
                    found.append(
                        f"{name}/{group['name'].decode()}: {len(pending)} pending, {newest_ms - read_ms} ms behind"
                    )
    return found


def audit(chain: Chain, faults: list[Fault]) -> Audit:
    """Hold the streams against what the outside knows."""
    moods, offers, picks, rankings = (
        chain.entries(kind) for kind in (MoodChanged, SongsOffered, SongPicked, SongsRanked)
    )
    wrong = list[str]()

    def missing(what: str, ids: list[str], there: set[str]) -> int:
        lost = [one for one in dict.fromkeys(ids) if one not in there]
        if lost:
            wrong.append(f"{len(lost)} {what}: {', '.join(lost[:3])}")
        return len(lost)

    ids = {
        kind: {event.id for event in events}
        for kind, events in zip("mopr", (moods, offers, picks, rankings), strict=True)
    }
    postponed = {
        one
        for one, at_s in chain.taken_s.items()
        if one not in ids["m"] | ids["p"] and any(0 <= killed_s - at_s < POSTPONED_S for killed_s in chain.busy_kills_s)
    }
    moods_taken = [one for one in chain.published if one.id not in postponed]
    missing("moods that Redis had taken are gone", [one.id for one in moods_taken], ids["m"])
    missing("moods without their offer", [_follows(one, "SongsOffered") for one in moods_taken], ids["o"])
    missing("picks that the gateway had taken are gone", sorted(chain.picked - postponed), ids["p"])
    missing("picks without their ranking", [_follows(one, "SongsRanked") for one in picks], ids["r"])
    heard = {*chain.receiver.got}
    to_hear = [one.id for one in rankings]
    if chain.adopts:  # the bridge's group begins at the end of the stream, when the bridge is back
        to_hear = list(dropwhile(lambda one: one not in heard, to_hear))
    missing("rankings that the receiver of webhooks never heard", to_hear, heard)

    plays = Counter(tuple(uris) for uris in played(chain))
    asked = Counter(
        tuple(song.uri for song in one.play)
        for one in {one.id: one for one in (*chain.asked_before, *rankings)}.values()
    )
    twice = {uris: count for uris, count in plays.items() if count > _asked(asked, uris)}
    if twice:
        wrong.append(f"{len(twice)} rankings were played more than once: {list(twice.values())[:5]}")
    told = Counter(one.id for one in chain.entries(PlaybackChanged) if one.state == "playing")

    letters = 0
    with chain.server.client() as client:
        for name in client.scan_iter(match=f"{PREFIX}*:dead"):
            for _, letter in client.xrange(name):
                letters += 1
                if letter.get(b"__data__") != POISON:
                    wrong.append(f"a dead letter nobody can account for: {name.decode()} {letter.get(b'error')!r}")
    if letters != chain.poisoned:
        wrong.append(f"{chain.poisoned} poisoned entries, {letters} dead letters")
    wrong += sessions(moods, adopts=chain.adopts)
    ends = [(part, end) for part in chain.parts.values() for end in part.ends]
    wrong += [f"{part.name} ended with {end.code}" for part, end in ends if not end.asked and end.code != 70]
    wrong += [
        f"{part.name} said {line!r}"
        for part in chain.parts.values()
        for line in part.text().splitlines()
        if line.startswith("Traceback")
    ]
    counts = {
        "faults": len(faults),
        "redis kills": sum(fault.kind == "redis-kill" for fault in faults),
        "process ends": len(ends),
        "of these 70": sum(end.code == 70 for _, end in ends),
        "moods": len(ids["m"]),
        "offers": len(ids["o"]),
        "picks": len(ids["p"]),
        "rankings": len(ids["r"]),
        "plays": sum(plays.values()),
        "told": len(told),
        "repeated entries": sum(map(len, (moods, offers, picks, rankings))) - sum(map(len, ids.values())),
        "webhooks": len(heard),
        "dead letters": letters,
        "gone with a postponed write": len(postponed),
    }
    return Audit(counts, wrong)


def _follows(cause: Event, kind: str) -> str:
    return str(uuid5(UUID(cause.id), kind))


def _asked(asked: Counter[tuple[str | None, ...]], uris: tuple[str, ...]) -> int:
    """Rankings that ask for these songs, which the player may shorten."""
    return sum(count for songs, count in asked.items() if songs[: len(uris)] == uris)


def played(chain: Chain) -> Iterator[list[str]]:
    """The songs of every command to play that Spotify has carried out."""
    for one in list(chain.spotify.simulator.exchanges):
        if one.method == "PUT" and one.path.endswith("/me/player/play") and one.status < 300:
            uris = json.loads(one.body or b"{}").get("uris")
            if uris:
                yield uris


def sessions(moods: list[MoodChanged], *, adopts: bool = False) -> list[str]:
    """What is wrong with the visits at the drawn face: each starts once, and ends before the next starts.

    ``adopts``: whether the first may have started before.
    """
    wrong, open_session, seen = [], None, set[str]()
    for one in moods:
        if one.camera_id != "camera-1" or one.id in seen:
            continue
        seen.add(one.id)
        if adopts and len(seen) == 1 and one.phase != "start":
            open_session = one.session_id
        if one.phase == "start":
            if open_session is not None:
                wrong.append(f"session {one.session_id} starts while {open_session} is open")
            open_session = one.session_id
        elif one.session_id != open_session:
            wrong.append(f"{one.phase} of session {one.session_id} while {open_session} is open")
        if one.phase == "end":
            open_session = None
    return wrong


def one_seed(whole: Chain, seed: int, seconds: float) -> Audit:
    """Faults from a seed, rest, and the audit of all since the chain began."""
    faults = plan(seed, seconds, list(whole.parts))
    run(whole, seed, seconds, faults)
    rest_s = rest(whole)
    found = audit(whole, faults)
    found.counts["at rest after s"] = round(rest_s, 1)
    return found
