"""From sounds to readings; the workers of one consumer group share the sounds."""

import logging

from faststream.redis import RedisRouter

from moodstream.contracts.events import SoundCaptured
from services.voice.hearing import Hearing
from services.voice.metrics import Metrics
from services.voice.sound_files import SoundRefused
from shared.bus.connection import Bus
from shared.delivery.consume import consume_captures, is_too_old

log = logging.getLogger("moodstream.voice")

MAX_AGE_S = 2.0
"""What was said longer ago is not read: the mood would come too late. On a slow line it may be older."""


def create_router(bus: Bus, hearing: Hearing, metrics: Metrics) -> RedisRouter:
    """The router of the voice service: one handler, sounds to ``VoiceRead``."""
    router = RedisRouter()

    @consume_captures(router, bus, SoundCaptured, "voice")
    async def read_voice(sound: SoundCaptured) -> None:
        if is_too_old(bus, sound.captured_at, MAX_AGE_S):
            metrics.sound_too_old()
            return
        with bus.traces.step("voice", "reads", sound, consumes=True):
            try:
                await hearing.hear_sound(sound)
            except SoundRefused as refused:
                metrics.sound_refused(refused.kind)
                log.warning("sound %d of %s was refused: %s", sound.seq, sound.camera_id, refused)

    return router
