"""Looks every few seconds whether the site needs somebody, and tells the receivers."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.gateway.alerts.receivers import Receivers, ReceiversFile
from services.gateway.alerts.senders import SendFailed, send
from services.gateway.health import HealthReader
from services.gateway.state.alarm import Alarm, Alert
from services.gateway.state.cameras import is_well, known_cameras
from shared.contracts.site_state import SiteState

log = logging.getLogger("moodstream.gateway")

LOOK_EVERY_S = 5.0
TRIES, PAUSE_S = 4, 20.0
"""A line that is down for a minute loses no alert."""
TEST = Alert(("this is a test: alerts arrive here",))
KINDS = ("mail", "ntfy", "webhook")


class Alerts:
    def __init__(
        self,
        file: ReceiversFile,
        health: HealthReader,
        state: SiteState,
        is_open: Callable[[], bool],
        site: Callable[[], str],
    ) -> None:
        """``site`` is the name of the place."""
        self.file, self._health, self._state, self._open, self._site = file, health, state, is_open, site
        self.last: dict[str, Any] | None = None
        """the newest that was told, and with what success"""

    async def run(self) -> None:
        """For ever; without receivers it only looks."""
        alarm = Alarm()
        sending: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            alert = alarm.look(await self.problems(), time.monotonic())
            if alert is not None:
                sending.add(task := asyncio.create_task(self._tell(alert)))
                task.add_done_callback(sending.discard)

    async def problems(self) -> dict[str, str]:
        """What is wrong now, by a key that stays. A camera that rests, and a closed site, are well."""
        health = await self._health.read_health()
        if not health.redis:
            return {"redis": "Redis does not answer"}
        found = {name: f"the {name} service is away" for name in health.needed if health.state(name) != "online"}
        for (service, part), status in self._state.status.items():
            if part is None and status.state == "degraded" and service in health.needed:
                found.setdefault(service, f"{service}: {status.reason}")
        if self._open():
            for name, camera, _ in known_cameras(self._state):
                if camera is not None and not is_well(camera):
                    found[f"camera/{name}"] = f"camera {name}: {camera.reason or camera.state}"
        return found

    async def test(self) -> dict[str, str | None]:
        """By receiver, why it did not take a test; None where it did. Raises MoodstreamError."""
        receivers = await asyncio.to_thread(self.file.read)
        return await self._send(receivers, TEST)

    async def _tell(self, alert: Alert) -> None:
        try:
            receivers = await asyncio.to_thread(self.file.read)
        except MoodstreamError as error:
            log.warning("nobody was told “%s”: %s", alert.text, error)
            return
        left = receivers
        for number in range(TRIES):
            failed = {kind: why for kind, why in (await self._send(left, alert)).items() if why}
            if not failed:
                return
            left = receivers.model_copy(update={kind: None for kind in KINDS if kind not in failed})
            if number < TRIES - 1:
                await asyncio.sleep(PAUSE_S)
        log.warning("an alert was not told: %s", "; ".join(f"{kind}: {why}" for kind, why in failed.items()))

    async def _send(self, receivers: Receivers, alert: Alert) -> dict[str, str | None]:
        kinds = [kind for kind in KINDS if getattr(receivers, kind) is not None]
        results = await asyncio.gather(*(self._send_one(kind, receivers, alert) for kind in kinds))
        told = dict(zip(kinds, results, strict=True))
        if told:
            self.last = {"at": utc_now().isoformat(), "text": f"{alert.title}: {alert.text}", "results": told}
        return told

    async def _send_one(self, kind: str, receivers: Receivers, alert: Alert) -> str | None:
        try:
            await asyncio.to_thread(send, kind, receivers, alert, self._site())
        except SendFailed as error:
            return str(error)
        return None
