"""Requests to a camera."""

from collections.abc import Mapping
from typing import Any, Protocol

from faststream.redis import RedisRouter

from moodstream.contracts.events import RequestMade
from moodstream.contracts.requests import AskCamera, CameraPaused, CameraStatus, PauseCamera
from services.camera.watch.camera import PAUSE_REASON
from shared.bus.connection import Bus
from shared.delivery.serve import NotMine, serve


class CameraControl(Protocol):
    """A camera, or what replaces one."""

    def pause(self, seconds: float, reason: str) -> None: ...

    def status(self) -> dict[str, Any]: ...


def create_router(bus: Bus, cameras: Mapping[str, CameraControl], group: str) -> RedisRouter:
    """Answers ``PauseCamera`` and ``AskCamera`` for these cameras; other services answer for theirs."""
    router = RedisRouter()

    def camera(camera_id: str) -> CameraControl:
        if camera_id not in cameras:
            raise NotMine
        return cameras[camera_id]

    async def pause(request: PauseCamera, _: RequestMade) -> CameraPaused:
        reason = "the site is closed" if request.reason == "closed" else PAUSE_REASON
        camera(request.camera_id).pause(request.seconds, reason)
        return CameraPaused(camera_id=request.camera_id)

    async def status(request: AskCamera, _: RequestMade) -> CameraStatus:
        return CameraStatus.model_validate(camera(request.camera_id).status())

    serve(router, bus, group, {PauseCamera: pause, AskCamera: status})
    return router
