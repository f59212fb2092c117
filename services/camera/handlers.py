"""What others ask of a camera."""

from faststream.redis import RedisRouter
from pydantic import JsonValue

from services.camera.camera import RESTS, Camera
from services.camera.publisher import Publisher
from shared.bus import Bus
from shared.delivery import NotMine, answer_requests
from shared.errors import MoodstreamError


def create_router(bus: Bus, publisher: Publisher, group: str) -> RedisRouter:
    """Serves ``camera.pause`` {"camera_id", "seconds", "reason"} and ``camera.status`` {"camera_id"}."""
    router = RedisRouter()

    def asked(body: dict[str, JsonValue]) -> Camera:
        camera = publisher.cameras.get(str(body.get("camera_id")))
        if camera is None:
            raise NotMine
        return camera

    async def pause(body: dict[str, JsonValue]) -> JsonValue:
        camera, seconds = asked(body), body.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise MoodstreamError("seconds must be a number")
        camera.rest(seconds, "the site is closed" if body.get("reason") == "closed" else RESTS)
        return {"camera_id": camera.config.id}

    async def status(body: dict[str, JsonValue]) -> JsonValue:
        return asked(body).status()

    answer_requests(router, bus, group, {"camera.pause": pause, "camera.status": status})
    return router
