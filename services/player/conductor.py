"""The player in the bus while it leads: it follows rankings, moods and requests, and directs the output.

What it knows lies in Redis after every change, so another goes on where this one stopped. One thing at a time is
asked of the output, so however long that takes, the newest wish is what is done next.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from moodstream.contracts.events import Asking, Event, MoodChanged, RequestMade, SongsRanked
from moodstream.errors import MoodstreamError
from services.player.action_results import ActionResults
from services.player.action_runner import ActionRunner
from services.player.metrics import Metrics
from services.player.outputs import Output
from services.player.playback import PlaybackPublisher
from services.player.programme.actions import Action
from services.player.programme.rules import Rules
from services.player.programme.state_machine import Programme
from services.player.request_handlers import RequestHandlers
from services.player.saved_state import LeaseLost, SavedState, StateStore
from shared.app.site_settings import SettingsDesk
from shared.bounded import Bounded
from shared.bus.connection import Bus
from shared.bus.follower import PutAside
from shared.bus.lease import RENEW_S, Lease
from shared.delivery.dead_letters import put_aside
from shared.delivery.serve import RequestServer

log = logging.getLogger("moodstream.player")

FOLLOW_MS = 500
IDLE_S = 0.5
"""How often the programme is asked while nothing happens: quiet hours and waits begin and end by the clock."""
IDS_KEPT = 1_000
IDS_SAVED = 50
ASIDE_KEPT_S = 30 * 24 * 3600
FOLLOWED: tuple[type[Event], ...] = (MoodChanged, SongsRanked, RequestMade)


class Conductor:
    """Lives for one time of leading; the next one begins with what this one has saved."""

    def __init__(
        self,
        bus: Bus,
        lease: Lease,
        store: StateStore,
        state: SavedState,
        programme: Programme,
        output: Output,
        metrics: Metrics,
        desk: SettingsDesk[Any],
        clock: Callable[[], float],
    ) -> None:
        self._bus, self._lease, self._store, self._clock = bus, lease, store, clock
        self._programme = programme
        self._positions = dict(state.places)
        """id of the entry that was taken in last, by name of the event"""
        self._aside = bus.key("player", "aside")
        self._seen: Bounded[str, None] = Bounded(IDS_KEPT)
        for event_id in state.seen:
            self._seen[event_id] = None
        self._begun = state.begun
        self._wake, self._over = asyncio.Event(), asyncio.Event()
        self._results = ActionResults()
        self._runner = ActionRunner(output, metrics)
        self._playback = PlaybackPublisher(bus, programme, output.name, metrics)
        handlers = RequestHandlers(programme, output, self._playback, self._results, desk, self._wake.set)
        self._requests = RequestServer(bus, handlers.by_kind())
        metrics.show_playback(self._playback.now)

    def check_output_now(self) -> None:
        """Something has changed outside: somebody has signed in."""
        self._programme.check_now()
        self._wake.set()

    def change_rules(self, rules: Rules) -> None:
        """The operator has set something else."""
        self._programme.change_rules(rules)
        self._wake.set()

    async def run(self) -> None:
        """Until the process ends. Raises, in a group, LeaseLost or what Redis raised."""
        self._positions.setdefault(MoodChanged.__name__, await self._bus.last_id(MoodChanged))
        if SongsRanked.__name__ not in self._positions and (aside := await self._bus.redis.get(self._aside)):
            self._positions[SongsRanked.__name__] = aside.decode()
        async with asyncio.TaskGroup() as tasks:
            # requests are answered beside the work: each belongs to this time of leading
            self._tasks = tasks
            for job in (self._renew_lease, self._perform_actions, self._follow_events):
                tasks.create_task(self._run_until_over(job))

    async def _run_until_over(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """The first that ends, ends all: redis-py may lose a cancellation, so each also watches ``_over`` itself."""
        try:
            await job()
        finally:
            self._over.set()
            self._wake.set()

    async def _renew_lease(self) -> None:
        while not self._over.is_set():
            await asyncio.sleep(RENEW_S)
            if not await self._lease.ask():
                raise LeaseLost

    # events

    async def _follow_events(self) -> None:
        start = {event: self._positions.get(event.__name__, "0-0") for event in FOLLOWED}
        put_aside_by: dict[type[Event], PutAside] = {SongsRanked: self._put_aside}
        async for entry in self._bus.follow(start, block_ms=FOLLOW_MS, put_aside=put_aside_by):
            if self._over.is_set():
                return
            if entry is None:
                continue
            entry_id, event = entry
            self._apply_event(event)
            self._positions[event.type] = entry_id

    async def _put_aside(self, stream: str, entry_id: bytes, fields: dict[bytes, bytes], error: Exception) -> None:
        """What is no ranking, once: also a player that comes when nothing else is known any more begins after it."""
        if not self._lease.held:
            raise LeaseLost
        await put_aside(self._bus, "player", stream, entry_id, fields, error)
        self._positions[SongsRanked.__name__] = entry_id.decode()
        await self._save()
        if not await self._lease.keep(self._aside, entry_id.decode(), ASIDE_KEPT_S):
            raise LeaseLost

    def _apply_event(self, event: Event) -> None:
        if isinstance(event, MoodChanged):
            self._programme.apply_mood(event)
        elif not self._is_new(event):
            return
        elif isinstance(event, SongsRanked):
            if not self._programme.apply_ranking(event):
                log.info("ignored a ranking older than the one that is playing")
        elif isinstance(event, RequestMade):
            self._tasks.create_task(self._requests.answer(event))
        self._wake.set()

    def _is_new(self, event: Event) -> bool:
        """Whether an event was not seen before, and has not expired."""
        known = event.id in self._seen
        self._seen[event.id] = None
        return not known and isinstance(event, Asking) and event.expires_at >= _now()

    # actions

    async def _perform_actions(self) -> None:
        await self._resume_begun_ranking()
        while not self._over.is_set():
            self._wake.clear()
            action = self._programme.next_action(self._clock(), _now())
            if action is not None and self._lease.held:
                await self._perform(action)
                continue
            self._results.settle_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._wake.wait()

    async def _resume_begun_ranking(self) -> None:
        """The player before was about to play a ranking and said no more: it shall not be heard twice."""
        action = self._programme.start_saved_ranking(self._begun) if self._begun else None
        outcome = await self._runner.find_playing(action.songs) if action is not None else None
        if action is not None and outcome is not None:
            self._programme.apply_outcome(action, outcome, self._clock())
            await self._publish_playback(action)

    async def _perform(self, action: Action) -> None:
        if action.kind == "play" and isinstance(action.cause, SongsRanked):
            self._begun = action.cause.id
            await self._save()
            if not self._lease.held:  # Redis took its time
                return
        with self._bus.traces.step("player", action.kind, action.cause, consumes=True):
            if action.kind == "play":
                log.debug("a ranking of %d songs is played", len(action.songs))
            await self._run_action(action)

    async def _run_action(self, action: Action) -> None:
        try:
            outcome = await self._runner.run(action)
        except MoodstreamError as error:
            self._programme.drop_action(action)
            self._results.settle(action, error)
            return
        self._programme.apply_outcome(action, outcome, self._clock())
        if not outcome.skip or self._programme.shown is outcome:
            await self._publish_playback(action)
        self._results.settle(action)

    async def _publish_playback(self, action: Action) -> None:
        if await self._playback.publish_change(action.cause):
            await self._save()

    async def _save(self) -> None:
        seen = tuple(self._seen)[-IDS_SAVED:]
        programme = self._programme.snapshot()
        await self._store.save(SavedState(programme=programme, places=self._positions, seen=seen, begun=self._begun))


def _now() -> datetime:
    return datetime.now().astimezone()
