"""From frames to readings; workers of one group share the frames."""

import asyncio
import logging
from uuid import uuid5

from faststream.redis import RedisRouter

from services.emotion.decode import PictureRefused, decode_grey
from services.emotion.reader import Reader
from shared.bus import Bus
from shared.delivery import consume_frames
from shared.events import NAMESPACE, FacesRead, FrameCaptured, utc_now

log = logging.getLogger("moodstream.emotion")


def create_router(bus: Bus, reader: Reader, max_age_ms: int) -> RedisRouter:
    """The router of the emotion service: one handler, frames to ``FacesRead``."""
    router = RedisRouter()

    @consume_frames(router, bus, "emotion")
    async def read_faces(frame: FrameCaptured) -> None:
        age_ms = (utc_now() - frame.captured_at).total_seconds() * 1000
        if age_ms > max_age_ms:
            log.debug("a frame of %s was %.0f ms old and dropped", frame.camera_id, age_ms)
            return
        await bus.publish(await asyncio.to_thread(read_frame, reader, frame))

    return router


def read_frame(reader: Reader, frame: FrameCaptured) -> FacesRead:
    """The reading of one frame; a picture that is refused gives one with its error and without faces."""
    error, faces = None, []
    try:
        faces = reader.read(decode_grey(frame.jpeg))
    except PictureRefused as refused:
        error = str(refused)
        log.warning("frame %d of %s was refused: %s", frame.seq, frame.camera_id, error)
    return FacesRead(
        id=str(uuid5(NAMESPACE, f"{frame.camera_id}/{frame.run_id}/{frame.seq}")),
        camera_id=frame.camera_id,
        run_id=frame.run_id,
        seq=frame.seq,
        captured_at=frame.captured_at,
        faces=tuple(faces),
        model=reader.model,
        error=error,
    )
