"""From frames to readings; the workers of one consumer group share the frames."""

import logging
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid5

from faststream.redis import RedisRouter

from moodstream.contracts.events import NAMESPACE, FaceRead, FacesRead, FrameCaptured, utc_now
from services.emotion.faces.decode import PictureRefused, decode_grey
from services.emotion.faces.reader import Reader
from services.emotion.metrics import Metrics
from shared.app.work_thread import WorkThread
from shared.bus.connection import Bus
from shared.delivery.consume import consume_captures, is_too_old

log = logging.getLogger("moodstream.emotion")

Show = Callable[[FrameCaptured, FacesRead], Awaitable[None]]
"""What is done with a frame that was read, before it is forgotten."""


def create_router(
    bus: Bus,
    reader: Reader,
    max_age_ms: int,
    metrics: Metrics,
    exit_process: Callable[[int], object] = os._exit,
    show: Show | None = None,
) -> RedisRouter:
    """The router of the emotion service: one handler, frames to ``FacesRead``."""
    router = RedisRouter()
    thread = WorkThread("reading", exit_process)

    @consume_captures(router, bus, FrameCaptured, "emotion")
    async def read_faces(frame: FrameCaptured) -> None:
        if is_too_old(bus, frame.captured_at, max_age_ms / 1000):
            metrics.frame_too_old()
            return
        with bus.traces.step("emotion", "reads", frame, consumes=True):
            what = f"reading frame {frame.seq} of {frame.camera_id}"
            if (read := await thread.run(what, partial(create_reading, reader, frame))) is None:
                return
            reading, fault = read
            await bus.publish(reading)
        metrics.frame_read(reading, fault, _age_s(frame))
        if show is not None:
            await show(frame, reading)

    return router


def _age_s(frame: FrameCaptured) -> float:
    return (utc_now() - frame.captured_at).total_seconds()


def create_reading(reader: Reader, frame: FrameCaptured) -> tuple[FacesRead, str | None]:
    """The reading of one frame. A picture that is refused gives a reading with an error, and the kind of its fault."""
    start_s = time.perf_counter()
    faces: tuple[FaceRead, ...] = ()
    search, size, error, fault = None, None, None, None
    try:
        grey = decode_grey(frame.jpeg)
        size = grey.shape[1], grey.shape[0]
        found, search = reader.read_frame(grey, frame.camera_id, frame.captured_at)
        faces = tuple(found)
    except PictureRefused as refused:
        error, fault = str(refused), refused.kind
        log.warning("frame %d of %s was refused: %s", frame.seq, frame.camera_id, error)
    reading = FacesRead(
        id=str(uuid5(NAMESPACE, f"{frame.camera_id}/{frame.run_id}/{frame.seq}")),
        trace_id=frame.trace_id,
        camera_id=frame.camera_id,
        run_id=frame.run_id,
        seq=frame.seq,
        captured_at=frame.captured_at,
        faces=faces,
        model=reader.model_name,
        error=error,
        size=size,
        search=search,
        took_ms=round(1000 * (time.perf_counter() - start_s), 2),
    )
    return reading, fault
