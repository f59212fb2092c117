"""What others ask of a camera."""

from collections.abc import Mapping
from typing import Any, Protocol

from faststream.redis import RedisRouter
from pydantic import JsonValue

from moodstream.errors import MoodstreamError
from services.camera.watch.camera import RESTS
from shared.bus.connection import Bus
from shared.delivery.consume import NotMine, answer_requests


class Asked(Protocol):
    """A camera, or what stands in for one."""

    def rest(self, seconds: float, why: str) -> None: ...

    def status(self) -> dict[str, Any]: ...


def create_router(bus: Bus, cameras: Mapping[str, Asked], group: str) -> RedisRouter:
    """Serves ``camera.pause`` {"camera_id", "seconds", "reason"} and ``camera.status`` {"camera_id"}."""
    router = RedisRouter()

    def asked(body: dict[str, JsonValue]) -> Asked:
        camera = cameras.get(str(body.get("camera_id")))
        if camera is None:
            raise NotMine
        return camera

    async def pause(body: dict[str, JsonValue]) -> JsonValue:
        camera, seconds = asked(body), body.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise MoodstreamError("seconds must be a number")
        camera.rest(seconds, "the site is closed" if body.get("reason") == "closed" else RESTS)
        return {"camera_id": body["camera_id"]}

    async def status(body: dict[str, JsonValue]) -> JsonValue:
        return asked(body).status()

    answer_requests(router, bus, group, {"camera.pause": pause, "camera.status": status})
    return router
