"""Puts what a camera sees where the gateway may read it, while an operator looks, and not a moment longer."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from pydantic import ValidationError

from moodstream.contracts.events import FacesRead, FrameCaptured
from moodstream.contracts.streams import FRAMES
from services.emotion.faces.decode import PictureRefused, decode_grey
from services.emotion.preview.figures import measure
from services.emotion.preview.outline import draw_view, encode_view
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.contracts.mounting_view import PICTURE, PICTURE_S, WANTED, WATCHED, MountingPicture, ViewWanted

CHECK_EVERY_S = 0.5
DRAW_EVERY_S = 0.2
READING = "asking whether an operator looks"


class ViewPublisher:
    """``show`` is given each frame with its reading; ``run`` finds out whether anybody looks."""

    def __init__(self, bus: Bus, preview: Literal["outline", "picture"], count_drawn: Callable[[], None]) -> None:
        self._bus, self._preview, self._count_drawn = bus, preview, count_drawn
        self._wanted: ViewWanted | None = None
        self._drawn_s = 0.0

    async def run(self) -> None:
        """Look every half second whether a view is wanted, for ever."""
        while not self._bus.stopping.is_set():
            try:
                self._wanted = await self._read_wanted()
            except REDIS_ERRORS as error:
                self._wanted = None
                self._bus.outage.report(READING, error)
            else:
                self._bus.outage.resolve(READING)
            await asyncio.sleep(CHECK_EVERY_S)

    async def show(self, frame: FrameCaptured, reading: FacesRead) -> None:
        """Draw a frame if an operator looks through its camera now. What fails is left out: another frame follows."""
        wanted, now_s = self._wanted, time.monotonic()
        if wanted is None or wanted.camera_id != frame.camera_id or now_s - self._drawn_s < DRAW_EVERY_S:
            return
        self._drawn_s = now_s
        try:
            if await self._read_wanted() == wanted:
                await self._write(wanted, await asyncio.to_thread(draw, frame, reading, self._preview))
        except PictureRefused:
            return  # the reading has said so
        except REDIS_ERRORS as error:
            self._bus.outage.report(READING, error)

    async def _read_wanted(self) -> ViewWanted | None:
        redis = self._bus.holder(self._bus.key(FRAMES))
        async with redis.pipeline(transaction=False) as both:
            both.get(self._bus.key(WANTED))
            both.get(self._bus.key(WATCHED))
            wanted, watched = await both.execute()
        if wanted is None or watched is None:
            return None
        try:
            return ViewWanted.model_validate_json(wanted)
        except ValidationError:
            return None  # of a version that says it in another way

    async def _write(self, wanted: ViewWanted, picture: MountingPicture) -> None:
        """A picture that was drawn while the operator stopped is taken away again at once."""
        key = self._bus.key(PICTURE)
        redis = self._bus.holder(self._bus.key(FRAMES))
        await redis.set(key, picture.model_dump_json(), px=1000 * PICTURE_S)
        if await self._read_wanted() != wanted:
            self._wanted = None
            await redis.delete(key)
            return
        self._count_drawn()


def draw(frame: FrameCaptured, reading: FacesRead, preview: Literal["outline", "picture"]) -> MountingPicture:
    """The picture of the view of a frame. Raises PictureRefused."""
    grey = decode_grey(frame.jpeg)
    figures = measure(grey, reading.faces)
    return MountingPicture(
        camera_id=frame.camera_id,
        captured_at=frame.captured_at,
        preview=preview,
        figures=figures,
        png=encode_view(draw_view(grey, figures, preview)),
    )
