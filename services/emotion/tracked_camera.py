"""One camera as a worker knows it: the lease in Redis and, while this worker holds it, the camera's visit machine.

The worker that holds the lease saves in Redis how far it has read. Another one that takes over resumes there, with the
session of the camera's last event, so a killed worker costs a moment and no session.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from moodstream.contracts.events import FacesRead, MoodChanged, VoiceRead, WordsRead, utc_now
from services.emotion.metrics import Metrics
from services.emotion.visits.fusion import Heard
from services.emotion.visits.visit_machine import VisitMachine
from shared.bus.connection import Bus
from shared.bus.lease import Lease

log = logging.getLogger("moodstream.emotion")

POSITION_KEPT_S = 24 * 3600
HEARD_S = 10.0
"""What was heard longer ago is not taken up: whoever said it may have gone."""
WARM_UP_MS = 3_000
"""A worker that takes over first reads this much again, so that its smoothing does not start from nothing."""


class TrackedCamera:
    """Any number of workers follow a camera; the one that leads publishes its moods."""

    def __init__(
        self, bus: Bus, camera_id: str, create_machine: Callable[[str], VisitMachine], metrics: Metrics
    ) -> None:
        self._bus, self._camera_id, self._create_machine, self._metrics = bus, camera_id, create_machine, metrics
        self._lease = Lease(bus, "tracker", camera_id)
        self._position: str | None = None
        """entry id of the last reading applied, unless that is already saved"""
        self.machine: VisitMachine | None = None
        """None while another worker leads"""
        self.active_s = time.monotonic()
        """when something last came from this camera or was asked about it"""

    @property
    def idle(self) -> bool:
        """Whether nobody is there, as far as this worker knows."""
        return self.machine is None or self.machine.idle

    async def leads(self) -> bool:
        """Whether this worker leads right now; renews a lease that is in doubt, and asks for one that may be free."""
        if self.machine is not None and self._lease.held:
            return True
        if self.machine is not None or self._lease.due:
            return await self._renew_lease()
        return False

    async def maintain(self) -> None:
        """Do what is due by time: renew the lease, end the visit at a silent camera, repeat a mood chosen by hand."""
        if self._lease.due:
            await asyncio.gather(self._save_position(), self._renew_lease())
        if self.machine is not None:
            await self.publish_moods(self.machine.tick(time.monotonic()))

    async def apply_reading(self, entry_id: str, reading: FacesRead) -> None:
        """Give a reading to the visit machine and publish what follows."""
        machine = self.machine
        if machine is None:
            return
        missed, late, still = machine.missed, machine.late, machine.still_faces
        with self._bus.traces.step("emotion", "tracks", reading, consumes=True):
            await self.publish_moods(machine.observe(reading, time.monotonic()))
        self._metrics.reading_applied(machine.missed - missed, machine.late - late)
        if machine.still_faces > still:
            log.info("%s: a face has not moved for long; it counts as a picture until it does", self._camera_id)
        if self.machine is machine:
            self._position = entry_id

    async def apply_heard(self, heard: VoiceRead | WordsRead) -> None:
        """Give what a voice or words tell to the visit machine, unless it is too old, and publish what follows."""
        age_s = (utc_now() - heard.at).total_seconds()
        if self.machine is None or heard.probabilities is None or age_s > HEARD_S:
            return
        kind: Heard = "voice" if isinstance(heard, VoiceRead) else "words"
        with self._bus.traces.step("emotion", "hears", heard, consumes=True):
            shares = heard.probabilities.in_order()
            await self.publish_moods(self.machine.hear(kind, shares, heard, time.monotonic()))

    async def publish_moods(self, moods: list[MoodChanged]) -> None:
        """Publish as the leader; stops leading if another worker has taken the lease."""
        for mood in moods:
            while not await self._lease.publish(mood):
                if not await self._lease.ask():
                    self.machine = self._position = None
                    return
            self._metrics.mood_published(mood)

    async def release(self) -> None:
        """Let another worker lead at once."""
        await self._lease.release()

    async def _renew_lease(self) -> bool:
        """Renew the lease or ask for it; a worker that is granted it takes over. Returns whether this worker leads."""
        if not await self._lease.ask():
            if self.machine is not None:
                log.warning("another worker tracks %s now", self._camera_id)
            self.machine = self._position = None
        elif self.machine is None:
            log.info("tracks %s", self._camera_id)
            self.machine = self._create_machine(self._camera_id)
            await self._take_over(self.machine)
        return self.machine is not None

    async def _take_over(self, machine: VisitMachine) -> None:
        """Resume where the worker that led before has stopped."""
        saved = await self._bus.redis.get(self._position_key())
        last_id, last = await self._last_mood()
        # Whoever published the last mood had applied all readings before it. Applied again, they could open a session
        # that has already ended.
        position = max(saved.decode(), last_id, key=_in_order) if saved else None
        if position is not None:
            position_ms, _ = _in_order(position)
            recent = self._readings(str(max(0, position_ms - WARM_UP_MS)), position)
            machine.warm_up([reading async for _, reading in recent])
        if last is not None:
            machine.restore(last, time.monotonic())
        if position is not None:
            async for entry_id, reading in self._readings(f"({position}"):
                await self.apply_reading(entry_id, reading)

    async def _last_mood(self) -> tuple[str, MoodChanged | None]:
        """The camera's last event and its entry id, if it is among the newest of all cameras."""
        for entry_id, event in await self._bus.newest_entries(MoodChanged, count=500):
            if isinstance(event, MoodChanged) and event.camera_id == self._camera_id:
                return entry_id, event
        return "", None

    async def _readings(self, first: str, last: str = "+") -> AsyncIterator[tuple[str, FacesRead]]:
        """The camera's readings between two entry ids."""
        stream = self._bus.stream(FacesRead)
        for entry_id, fields in await self._bus.redis.xrange(stream, min=first, max=last):
            reading = self._bus.parse(stream, fields, entry_id)
            if isinstance(reading, FacesRead) and reading.camera_id == self._camera_id:
                yield entry_id.decode(), reading

    async def _save_position(self) -> None:
        """Now and then is enough: applying the few readings since then again changes nothing."""
        if self._position is not None and self._lease.held:
            await self._bus.redis.set(self._position_key(), self._position, ex=POSITION_KEPT_S)
        self._position = None

    def _position_key(self) -> str:
        return self._bus.key("tracker", "place", self._camera_id)


def _in_order(entry_id: str) -> tuple[int, int]:
    """The numbers of an entry id, for comparing; an empty id comes before all others."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds or 0), int(number or 0)
