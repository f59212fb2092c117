"""What others ask of a camera."""

from faststream.redis import RedisRouter
from pydantic import JsonValue

from services.camera.publisher import Publisher
from shared.bus import Bus
from shared.delivery import answer_requests
from shared.errors import MoodstreamError


def create_router(bus: Bus, publisher: Publisher, camera_id: str) -> RedisRouter:
    """Serves ``camera.pause`` {"camera_id", "seconds"} and ``camera.status`` {"camera_id"}."""
    router = RedisRouter()

    async def pause(body: dict[str, JsonValue]) -> JsonValue:
        seconds = body.get("seconds")
        if body.get("camera_id") != camera_id:
            raise MoodstreamError(f"this service has the camera {camera_id} only")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise MoodstreamError("seconds must be a number")
        publisher.rest(seconds)
        return {"camera_id": camera_id}

    async def status(_: dict[str, JsonValue]) -> JsonValue:
        return dict(publisher.status())

    answer_requests(router, bus, f"camera-{camera_id}", {"camera.pause": pause, "camera.status": status})
    return router
