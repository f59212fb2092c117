"""What others ask of a camera."""

from collections.abc import Mapping
from typing import Any, Protocol

from faststream.redis import RedisRouter

from moodstream.contracts.events import RequestMade
from moodstream.contracts.requests import AskCamera, CameraPaused, CameraStatus, PauseCamera
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import Bus
from shared.delivery.serve import NotMine, serve


class Asked(Protocol):
    """A camera, or what stands in for one."""

    def rest(self, seconds: float, why: StatusCode) -> None: ...

    def status(self) -> dict[str, Any]: ...


def create_router(bus: Bus, cameras: Mapping[str, Asked], group: str) -> RedisRouter:
    """Serves ``PauseCamera`` and ``AskCamera`` for these cameras; others are another service's."""
    router = RedisRouter()

    def camera(camera_id: str) -> Asked:
        if camera_id not in cameras:
            raise NotMine
        return cameras[camera_id]

    async def pause(request: PauseCamera, _: RequestMade) -> CameraPaused:
        code = StatusCode.CLOSED if request.reason == StatusCode.CLOSED else StatusCode.RESTING
        camera(request.camera_id).rest(request.seconds, code)
        return CameraPaused(camera_id=request.camera_id)

    async def status(request: AskCamera, _: RequestMade) -> CameraStatus:
        return CameraStatus.model_validate(camera(request.camera_id).status())

    serve(router, bus, group, {PauseCamera: pause, AskCamera: status})
    return router
