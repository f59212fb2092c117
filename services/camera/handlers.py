"""Requests to a camera."""

from collections.abc import Mapping
from typing import Any, Protocol

from faststream.redis import RedisRouter

from moodstream.contracts.events import RequestMade
from moodstream.contracts.requests import AskCamera, CameraPaused, CameraStatus, PauseCamera
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import Bus
from shared.delivery.serve import NotMine, serve


class CameraControl(Protocol):
    """A camera, or what replaces one."""

    def pause(self, seconds: float, reason: StatusCode) -> None: ...

    def status(self) -> dict[str, Any]: ...


def create_router(bus: Bus, cameras: Mapping[str, CameraControl], group: str) -> RedisRouter:
    """Answers ``PauseCamera`` and ``AskCamera`` for these cameras; other services answer for theirs."""
    router = RedisRouter()

    def camera(camera_id: str) -> CameraControl:
        if camera_id not in cameras:
            raise NotMine
        return cameras[camera_id]

    async def pause(request: PauseCamera, _: RequestMade) -> CameraPaused:
        code = StatusCode.CLOSED if request.reason == StatusCode.CLOSED else StatusCode.RESTING
        camera(request.camera_id).pause(request.seconds, code)
        return CameraPaused(camera_id=request.camera_id)

    async def status(request: AskCamera, _: RequestMade) -> CameraStatus:
        return CameraStatus.model_validate(camera(request.camera_id).status())

    serve(router, bus, group, {PauseCamera: pause, AskCamera: status})
    return router
