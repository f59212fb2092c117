"""What visitors say goes on to the voice service and is kept nowhere: no disk, event, log or trace holds it.

A command that was heard goes to every page; where several stand at that place, one of them carries it out.
"""

import time
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import SoundCaptured, utc_now
from services.gateway.bodies import CameraName, CommandTaken, SoundAccepted
from services.gateway.context import Context
from services.gateway.guard import address_of
from services.gateway.openapi import SOUND_BODY
from services.gateway.routes.places import place_of
from shared.contracts.sounds import is_sound
from shared.web.rate_limit import Limits

SOUNDS_PER_S, SOUNDS_BURST = 2, 10
"""Of one address."""
UNHEARD = "voices are not heard here (MOODSTREAM_VOICE)"
TAKEN_S = 10
"""Longer than a command may be old when a page carries it out."""
ALL_BYTES_PER_S, ALL_BYTES_BURST = 1_000_000, 4_000_000
"""Of all together: about 30 people who speak at once and send WAV."""


class VoiceRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._limits = Limits(SOUNDS_PER_S, SOUNDS_BURST)
        self._bytes = Limits(ALL_BYTES_PER_S, ALL_BYTES_BURST)
        self._run_id, self._seq = f"{time.time_ns() // 1_000_000:014d}-{token_hex(3)}", 0

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_api_route(
            "/voices",
            self.send,
            methods=["POST"],
            status_code=202,
            response_model=SoundAccepted,
            openapi_extra=SOUND_BODY,
            tags=["moods"],
        )
        router.add_api_route("/commands", self.take_command, methods=["POST"], status_code=204, tags=["sessions"])
        return router

    async def send(
        self,
        request: Request,
        camera_id: Annotated[
            CameraName | None, Query(description="The place where it was said; the site's own when not given.")
        ] = None,
    ) -> JSONResponse:
        """One utterance: a sound file (WAV, FLAC or Ogg) of at most 1 MB, of which the first 10 s are heard. What it
        sounds like counts in the visit at the camera, or begins one at a place without; the sound is not kept."""
        context = self._context
        if context.voice is None:
            raise HTTPException(404, UNHEARD)
        if not context.opening_control.opening.open:
            raise HTTPException(409, "the site is closed now")
        if wait_s := self._limits.take(address_of(request)):
            raise _too_many(wait_s)
        place = place_of(context.state, camera_id)
        sound = await request.body()
        if not is_sound(sound):
            raise HTTPException(422, "body: this is no sound of WAV, FLAC or Ogg")
        if wait_s := self._bytes.take("", len(sound)):
            raise _too_many(wait_s)
        seq, self._seq = self._seq, self._seq + 1
        captured = SoundCaptured(camera_id=place, run_id=self._run_id, seq=seq, captured_at=utc_now(), sound=sound)
        if not await context.bus.publish_sound(captured):
            raise HTTPException(503, "Redis did not take it")
        return JSONResponse({"id": captured.id, "camera_id": place}, 202)

    async def take_command(self, body: CommandTaken) -> Response:
        """A page is about to carry out a `CommandHeard`; answered with 409 where another page was sooner."""
        if self._context.voice is None:
            raise HTTPException(404, UNHEARD)
        bus = self._context.bus
        if not await bus.redis.set(bus.key("obeyed", body.id), b"", nx=True, ex=TAKEN_S):
            raise HTTPException(409, "another page carries this command out")
        return Response(status_code=204)


def _too_many(wait_s: float) -> HTTPException:
    return HTTPException(429, "too many sounds; try again in a moment", {"Retry-After": f"{max(1, wait_s):.0f}"})
