"""Looks every few seconds whether the site needs somebody, and tells the receivers."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta

from moodstream import __version__
from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.gateway.alerts.receivers import Receivers, ReceiversFile
from services.gateway.alerts.senders import SendFailed, send
from services.gateway.alerts.told import Letter, Told, ToldFile
from services.gateway.health import HealthReader
from services.gateway.state.alarm import Alarm
from services.gateway.state.cameras import is_well, known_cameras
from shared.contracts.site_state import SiteState

log = logging.getLogger("moodstream.gateway")

LOOK_EVERY_S = 5.0
TRIES, PAUSE_S = 4, 20.0
"""A line that is down for a minute loses no alert."""
TEST = ("this is a test: alerts arrive here",)
MAX_AGE = timedelta(days=1)
"""Of a letter that a restart has interrupted: what is older is not news."""
KINDS = ("mail", "ntfy", "webhook")


class Alerts:
    def __init__(
        self,
        file: ReceiversFile,
        told: ToldFile,
        health: HealthReader,
        state: SiteState,
        is_open: Callable[[], bool],
        site: Callable[[], str],
    ) -> None:
        """``site`` is the name of the place."""
        self.file, self._told_file, self._health, self._state = file, told, health, state
        self._open, self._site = is_open, site
        self.told = Told()
        self._writing = asyncio.Lock()
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """For ever; without receivers it only looks. What was on its way before a restart is sent first."""
        self.told = await asyncio.to_thread(self._told_file.read)
        for letter in self.told.letters:
            self._send_soon(letter) if utc_now() - letter.at < MAX_AGE else await self._keep(self.told.without(letter))
        alarm = Alarm(frozenset(self.told.keys))
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            alert = alarm.look(await self.problems(), time.monotonic())
            if alert is not None:
                letter = Letter(problems=alert.problems)
                told = self.told.with_letter(letter)
                await self._keep(told.model_copy(update={"keys": tuple(sorted(alarm.told))}))
                self._send_soon(letter)

    def _send_soon(self, letter: Letter) -> None:
        self._sending.add(task := asyncio.create_task(self.tell(letter)))
        task.add_done_callback(self._sending.discard)

    async def _keep(self, told: Told) -> None:
        """In memory in any case; on a full disk a restart tells it again."""
        self.told = told
        async with self._writing:
            try:
                await asyncio.to_thread(self._told_file.write, self.told)
            except OSError as error:
                log.warning("what was told is not kept over a restart: %s", error.strerror)

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
        return await self._send(receivers, Letter(problems=TEST))

    async def tell_version(self, version: str) -> None:
        """That there is a newer one, once."""
        if self.told.version != version:
            letter = Letter(problems=(f"Moodstream {version} is out; {__version__} runs here.",), notice=True)
            await self._keep(self.told.with_letter(letter).model_copy(update={"version": version}))
            self._send_soon(letter)

    async def tell(self, letter: Letter) -> None:
        """Send it, and again for a minute where that fails."""
        for number in range(TRIES):
            try:
                receivers = await asyncio.to_thread(self.file.read)
            except MoodstreamError as error:
                log.warning("nobody was told “%s”: %s", letter.text, error)
                failed = {}
            else:
                gone = () if letter.left is None else set(KINDS) - set(letter.left)
                left = receivers.model_copy(update=dict.fromkeys(gone))
                failed = {kind: why for kind, why in (await self._send(left, letter)).items() if why}
            if not failed:
                break
            letter = letter.model_copy(update={"left": tuple(failed)})
            await self._keep(self.told.with_letter(letter))
            if number < TRIES - 1:
                await asyncio.sleep(PAUSE_S)
        else:
            log.warning("an alert was not told: %s", "; ".join(f"{kind}: {why}" for kind, why in failed.items()))
        await self._keep(self.told.without(letter))

    async def _send(self, receivers: Receivers, letter: Letter) -> dict[str, str | None]:
        kinds = [kind for kind in KINDS if getattr(receivers, kind) is not None]
        results = await asyncio.gather(*(self._send_one(kind, receivers, letter) for kind in kinds))
        told = dict(zip(kinds, results, strict=True))
        if told:
            text = f"{letter.title}: {letter.text}"
            last = {"at": utc_now().isoformat(), "text": text, "results": told}
            self.told = self.told.model_copy(update={"last": last})
        return told

    async def _send_one(self, kind: str, receivers: Receivers, letter: Letter) -> str | None:
        try:
            await asyncio.to_thread(send, kind, receivers, letter, self._site())
        except SendFailed as error:
            return str(error)
        return None
