"""What others ask of a camera."""

from faststream.redis import RedisRouter
from pydantic import JsonValue

from services.camera.publisher import Publisher
from shared.bus import Bus
from shared.delivery import NotMine, answer_requests
from shared.errors import MoodstreamError


def create_router(bus: Bus, publisher: Publisher, camera_id: str) -> RedisRouter:
    """Serves ``camera.pause`` {"camera_id", "seconds"} and ``camera.status`` {"camera_id"}."""
    router = RedisRouter()

    def refuse_others(body: dict[str, JsonValue]) -> None:
        if body.get("camera_id") != camera_id:
            raise NotMine

    async def pause(body: dict[str, JsonValue]) -> JsonValue:
        refuse_others(body)
        seconds = body.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise MoodstreamError("seconds must be a number")
        publisher.rest(seconds)
        return {"camera_id": camera_id}

    async def status(body: dict[str, JsonValue]) -> JsonValue:
        refuse_others(body)
        return dict(publisher.status())

    answer_requests(router, bus, f"camera-{camera_id}", {"camera.pause": pause, "camera.status": status})
    return router
