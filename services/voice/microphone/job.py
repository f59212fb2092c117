"""The background job that hears the microphone: finds speech in it and has that read; tries again for ever."""

import asyncio
import logging
import time
from contextlib import aclosing
from typing import Literal

from moodstream.contracts.events import StatusChanged, new_id, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.voice.hearing import Hearing, Utterance
from services.voice.log_mel import Floats
from services.voice.microphone.source import MicrophoneFault, Source
from services.voice.speech import Speech, SpeechFinder
from shared.app.work_thread import WorkThread
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS

log = logging.getLogger("moodstream.voice")

RETRY_S = 5.0
REST_CHECK_S = 0.5
PART = "microphone"
WHAT = "publishing what the microphone hears"


class MicrophoneJob:
    """Nothing of the sound is kept but the piece of speech that goes on now."""

    def __init__(self, bus: Bus, source: Source, camera_id: str, hearing: Hearing, thread: WorkThread) -> None:
        self._bus, self._source, self._camera_id = bus, source, camera_id
        self._hearing, self._thread = hearing, thread
        self._rests_until_s, self._rest_code = float("-inf"), StatusCode.RESTING
        self._told: tuple[str, str] | None = None
        self.works = False
        """whether sound comes now"""

    def rest(self, seconds: float, code: StatusCode) -> None:
        """Close the microphone for so long; 0 opens it again. It rests with the camera of its place."""
        self._rests_until_s, self._rest_code = time.monotonic() + seconds, code

    @property
    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until_s

    async def run(self) -> None:
        """Returns at the end of a file."""
        while not self._bus.stopping.is_set():
            if self._rests:
                await self._tell("offline", self._rest_code, "the microphone rests with the camera")
                await asyncio.sleep(REST_CHECK_S)
                continue
            try:
                ended = await self._hear_source()
            except MicrophoneFault as fault:
                await self._tell("offline", fault.code, str(fault))
                await asyncio.sleep(RETRY_S)
            else:
                if ended:
                    await self._tell("offline", StatusCode.END_OF_INPUT, "end of input")
                    return

    async def _hear_source(self) -> bool:
        """Whether the sound has ended, rather than that the microphone rests. Raises MicrophoneFault."""
        finder = SpeechFinder()
        try:
            async with aclosing(self._source.blocks()) as blocks:
                async for block in blocks:
                    if self._rests:
                        return False
                    if not self.works:
                        self.works = True
                        await self._tell("online", self._source.CODE, "a microphone is heard")
                    await self._find(finder, block)
            await self._read(await self._thread.run("finding speech", lambda: list(finder.finish())))
        finally:
            self.works = False
        return True

    async def _find(self, finder: SpeechFinder, block: Floats) -> None:
        await self._read(await self._thread.run("finding speech", lambda: list(finder.add(block))))

    async def _read(self, pieces: list[Speech] | None) -> None:
        if not pieces:
            return
        try:
            await self._hearing.hear_pieces(pieces, Utterance(self._camera_id, utc_now(), new_id()))
        except REDIS_ERRORS as error:  # it was tried for long; what is said next may be told
            self._bus.outage.report(WHAT, error)
        else:
            self._bus.outage.resolve(WHAT)

    async def _tell(self, state: Literal["online", "offline"], code: StatusCode, reason: str) -> None:
        """Once, until it is another."""
        if self._told == (code, reason):
            return
        self._told = code, reason
        log.log(logging.INFO if code != StatusCode.NOT_OPENED else logging.WARNING, "%s", reason)
        try:
            await self._bus.publish(StatusChanged(service="voice", part=PART, state=state, code=code, reason=reason))
        except REDIS_ERRORS as error:
            self._told = None
            self._bus.outage.report(WHAT, error)
        else:
            self._bus.outage.resolve(WHAT)
