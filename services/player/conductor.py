"""The player in the bus: of all player processes one commands, by a lease; it follows rankings, moods and requests.

What it knows lies in Redis after every change, so another goes on where this one stopped. One thing at a time is
asked of the output, so however long that takes, the newest wish is what is done next.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError

from moodstream.contracts.events import (
    Asking,
    Event,
    Model,
    MoodChanged,
    PlaybackChanged,
    RequestMade,
    SongsRanked,
)
from moodstream.contracts.requests import (
    AskPlayer,
    CommandPlayer,
    Device,
    Devices,
    ListDevices,
    PlayerState,
    PlayerStatus,
)
from moodstream.errors import MoodstreamError
from services.player.metrics import Metrics
from services.player.outputs import Outcome, Output
from services.player.programme.programme import Action, Programme, Rules, Saved
from shared.bus.connection import Bus
from shared.bus.lease import RENEW_S, Lease
from shared.delivery.serve import RequestServer

log = logging.getLogger("moodstream.player")

ACTION_S = 4.8
"""An action that takes longer is given up; outputs themselves end sooner."""
REPLY_S = 0.7
"""A reply comes within a second: if the output takes longer, it says what was so far."""
LOOK_S = 4.6
FOLLOW_MS = 500
AGAIN_S = 1.0
IDLE_S = 0.5
"""How often one looks at the clock while nothing happens."""
IDS_KEPT = 1_000
IDS_SAVED = 50
STATE_KEPT_S = 3600
"""A player that comes later than this begins anew, without music of yesterday."""
FOLLOWED: tuple[type[Event], ...] = (MoodChanged, SongsRanked, RequestMade)


class _LeaseLost(Exception):
    """Another player commands now."""


class _Kept(Model):
    """What lies in Redis."""

    programme: Saved
    places: dict[str, str]
    """entry after which to go on, by name of the event"""
    seen: tuple[str, ...] = ()
    """ids of the newest events that were taken in"""
    begun: str | None = None
    """id of the ranking that the output was about to be given"""


class Conductor:
    """Leads while it holds the lease; otherwise it waits for it."""

    def __init__(self, bus: Bus, output: Output, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus, self._output, self._rules, self._clock = bus, output, rules, clock
        self.metrics = Metrics(output.name)
        self._lease = Lease(bus, "player")
        self._kept = bus.key("player", "kept")
        self._requests = RequestServer(
            bus, {CommandPlayer: self._command, AskPlayer: self._status, ListDevices: self._devices}
        )
        self._begin(Programme(rules), _Kept(programme=Saved(), places={}))

    def _begin(self, programme: Programme, before: _Kept) -> None:
        self.programme = programme
        self._places = dict(before.places)
        self._seen: OrderedDict[str, None] = OrderedDict.fromkeys(before.seen)
        self._begun = before.begun
        self._wake, self._over = asyncio.Event(), asyncio.Event()
        self._waiting: dict[Action, asyncio.Future[None]] = {}
        self._told: PlaybackChanged | None = None
        self._told_of: OrderedDict[str, None] = OrderedDict()

    def poke(self) -> None:
        """Look at the output at once: somebody has signed in."""
        self.programme.poke()
        self._wake.set()

    async def run(self) -> None:
        """Lead whenever the lease can be had, until the process ends."""
        try:
            while not self._bus.stopping.is_set():
                try:
                    leads = await self._lease.ask()
                    self._bus.outage.resolve("leading the player")
                    if leads:
                        await self._lead()
                    else:
                        await asyncio.sleep(RENEW_S)
                except* (RedisError, OSError) as error:  # away, full, or a right was taken: until it is mended
                    self._bus.outage.report("leading the player", error.exceptions[0])
                    await asyncio.sleep(AGAIN_S)
                except* _LeaseLost:
                    log.warning("another player commands now")
        finally:
            with contextlib.suppress(RedisError, OSError):
                await self._lease.release()
            await self._output.close()

    async def _lead(self) -> None:
        try:
            await self._command_output()
        finally:
            self.metrics.stands_by()

    async def _command_output(self) -> None:
        await self._restore()
        self.metrics.told(self._playback())
        async with asyncio.TaskGroup() as tasks:
            # requests are answered beside the work: each belongs to this time of leading
            self._tasks = tasks
            for job in (self._renew, self._work, self._follow):
                tasks.create_task(self._until_over(job))

    async def _until_over(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """The first that ends, ends all: redis-py may lose a cancellation, so each also looks for itself."""
        try:
            await job()
        finally:
            self._over.set()
            self._wake.set()

    async def _restore(self) -> None:
        kept = await self._bus.redis.get(self._kept)
        try:
            before = _Kept.model_validate_json(kept) if kept else _Kept(programme=Saved(), places={})
        except ValidationError:
            log.warning("what the player before has kept cannot be read; it begins anew")
            before = _Kept(programme=Saved(), places={})
        self._begin(Programme(self._rules, before.programme), before)
        self._places.setdefault(MoodChanged.__name__, await self._bus.last_id(MoodChanged))

    async def _save(self) -> None:
        seen = tuple(self._seen)[-IDS_SAVED:]
        kept = _Kept(programme=self.programme.to_save(), places=self._places, seen=seen, begun=self._begun)
        if not await self._lease.keep(self._kept, kept.model_dump_json(), STATE_KEPT_S):
            raise _LeaseLost

    async def _renew(self) -> None:
        while not self._over.is_set():
            await asyncio.sleep(RENEW_S)
            if not await self._lease.ask():
                raise _LeaseLost

    async def _follow(self) -> None:
        start = {event: self._places.get(event.__name__, "0-0") for event in FOLLOWED}
        async for entry in self._bus.follow(start, block_ms=FOLLOW_MS):
            if self._over.is_set():
                return
            if entry is None:
                continue
            entry_id, event = entry
            self._take(event)
            self._places[event.type] = entry_id

    def _take(self, event: Event) -> None:
        if isinstance(event, MoodChanged):
            self.programme.mood_changed(event)
        elif not self._is_new(event):
            return
        elif isinstance(event, SongsRanked):
            if not self.programme.ranked(event):
                log.info("a ranking that is older than the one that plays was ignored")
        elif isinstance(event, RequestMade):
            self._tasks.create_task(self._requests.answer(event))
        self._wake.set()

    def _is_new(self, event: Event) -> bool:
        """Whether an event was not heard before, and still asks for something."""
        known = event.id in self._seen
        self._seen[event.id] = None
        while len(self._seen) > IDS_KEPT:
            self._seen.popitem(last=False)
        return not known and isinstance(event, Asking) and event.expires_at >= self._now()

    async def _command(self, request: CommandPlayer, made: RequestMade) -> PlayerState:
        action = self.programme.command(request, made, self._now())
        done = self._waiting[action] = asyncio.get_running_loop().create_future()
        self._wake.set()
        try:
            async with asyncio.timeout(REPLY_S):
                await asyncio.shield(done)
        except TimeoutError:
            done.add_done_callback(lambda late: late.exception())
        return PlayerState.model_validate(self._playback().model_dump())

    async def _status(self, _: AskPlayer, __: RequestMade) -> PlayerStatus:
        now = self._playback().model_dump(exclude={"id", "type", "trace_id", "session_id"})
        coming, missing = self.programme.coming[:10], tuple(self.programme.missing.values())
        return PlayerStatus.model_validate({**now, "coming": coming, "missing": missing})

    async def _devices(self, _: ListDevices, __: RequestMade) -> Devices:
        try:
            async with asyncio.timeout(LOOK_S):
                found = await self._output.devices()
        except TimeoutError:
            raise MoodstreamError(f"{self._output.name} does not answer") from None
        return Devices(tuple(Device(id=one.id, name=one.name, active=one.active) for one in found))

    async def _work(self) -> None:
        await self._ask_what_was_begun()
        while not self._over.is_set():
            self._wake.clear()
            action = self.programme.next(self._clock(), self._now())
            if action is not None and self._lease.held:
                await self._perform(action)
                continue
            for waiting in list(self._waiting):  # for what has to wait itself, such as for the end of a rate limit
                self._settle(waiting, None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._wake.wait()

    async def _ask_what_was_begun(self) -> None:
        """The player before was about to play a ranking and said no more: it shall not be heard twice."""
        action = self.programme.at_hand(self._begun) if self._begun else None
        if action is None:
            return
        try:
            async with asyncio.timeout(ACTION_S):
                outcome = await self._output.plays(action.songs)
        except TimeoutError:
            return
        if outcome is not None:
            self.programme.done(action, outcome, self._clock())
            await self._tell(action)

    async def _perform(self, action: Action) -> None:
        if action.kind == "play" and isinstance(action.cause, SongsRanked):
            self._begun = action.cause.id
            await self._save()
            if not self._lease.held:  # Redis took its time
                return
        with self._bus.traces.step(f"player {action.kind}", action.cause):
            await self._done(action)

    async def _done(self, action: Action) -> None:
        begun_s = time.perf_counter()
        try:
            async with asyncio.timeout(ACTION_S):
                outcome = await self._ask(action)
        except TimeoutError:
            outcome = Outcome("unavailable", f"{self._output.name} does not answer; it is tried again.")
        except MoodstreamError as error:
            self.programme.refused(action)
            self._settle(action, error)
            return
        self.metrics.acted(action, outcome, time.perf_counter() - begun_s)
        self.programme.done(action, outcome, self._clock())
        if not outcome.skip or self.programme.shown is outcome:
            await self._tell(action)
        self._settle(action, None)

    async def _ask(self, action: Action) -> Outcome:
        match action.kind:
            case "play":
                return await self._output.play(action.songs)
            case "pause":
                return await self._output.pause()
            case "resume":
                return await self._output.resume()
            case "volume":
                return await self._output.set_volume(action.volume)
            case "transfer":
                return await self._output.transfer(action.device)
            case "check":
                return await self._output.check()

    def _settle(self, action: Action, error: MoodstreamError | None) -> None:
        waiting = self._waiting.pop(action, None)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    async def _tell(self, action: Action) -> None:
        """Publish what is now, if it is new or was asked for; the first word on a cause has the id that follows."""
        now = self._playback()
        self.metrics.told(now)
        asked = action.cause is not None and action.cause.id not in self._told_of
        if not asked and self._told is not None and _same(now, self._told):
            return
        self._told = now
        if action.cause is not None:
            fields = now.model_dump(exclude={"id", "trace_id", "session_id"})
            cause = action.cause
            if asked:
                now = PlaybackChanged.following(cause, **fields)
                self._told_of[cause.id] = None
                while len(self._told_of) > IDS_KEPT:
                    self._told_of.popitem(last=False)
            else:
                now = PlaybackChanged(**fields, session_id=cause.session_id, trace_id=cause.trace_id)
        await self._bus.publish(now)
        await self._save()

    def _playback(self) -> PlaybackChanged:
        programme, shown = self.programme, self.programme.shown
        return PlaybackChanged(
            state=shown.state,
            output=self._output.name,
            song=programme.song if shown.state in ("playing", "paused") else None,
            message=programme.message,
            until=programme.until,
            device=shown.device,
            volume=programme.volume,
        )

    @staticmethod
    def _now() -> datetime:
        return datetime.now().astimezone()


def _same(one: PlaybackChanged, other: PlaybackChanged) -> bool:
    told = {"state", "song", "message", "device", "volume"}
    return one.model_dump(include=told) == other.model_dump(include=told)
