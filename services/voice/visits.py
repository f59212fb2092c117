"""What the voice service does by what others do: visits end, and cameras rest."""

import logging
from typing import Protocol

from moodstream.contracts.events import MoodChanged, RequestMade
from moodstream.contracts.requests import PauseCamera
from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.voice.own_voices import OwnVoices
from shared.bus.connection import Bus
from shared.bus.projection import replay_and_follow

log = logging.getLogger("moodstream.voice")


class Rests(Protocol):
    """A microphone."""

    def rest(self, seconds: float, code: StatusCode) -> None: ...


async def follow_visits(bus: Bus, voices: OwnVoices, camera_id: str, microphone: Rests | None) -> None:
    """What is known of a voice ends with its visit; the microphone rests with the camera of its place."""
    async for entry in replay_and_follow(bus, {MoodChanged: 0, RequestMade: 0}):
        voices.forget_old()
        if entry is None:
            continue
        event = entry.event
        if isinstance(event, MoodChanged) and event.phase == "end":
            voices.forget(event.camera_id)
        elif isinstance(event, RequestMade) and event.kind == PauseCamera.KIND and microphone is not None:
            _rest(event, camera_id, microphone)


def _rest(event: RequestMade, camera_id: str, microphone: Rests) -> None:
    try:
        wanted = PauseCamera.of(event.body)
    except MoodstreamError as error:  # the camera answers that it is wrong
        log.debug("%s", error)
        return
    if wanted.camera_id == camera_id:
        closed = wanted.reason == StatusCode.CLOSED
        microphone.rest(wanted.seconds, StatusCode.CLOSED if closed else StatusCode.RESTING)
