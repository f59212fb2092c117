"""The gateway: what people see. Run it alone with ``python -m services.gateway.main``."""

import asyncio
import sys
from pathlib import Path

from pydantic import Field

from services.gateway.api import Api
from services.gateway.board import Board
from services.gateway.browser_camera import MOST_FRAMES_PER_S, BrowserCameras
from services.gateway.feed import Feed
from services.gateway.pages import page_routes
from shared.app import Service, create_bus, run_service
from shared.bus import AWAY, Bus
from shared.errors import MoodstreamError
from shared.events import (
    Event,
    FacesRead,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
)
from shared.settings import Settings, load

# A cause stands before what follows from it: side by side in one read, they are applied in this order.
HISTORY: dict[type[Event], int] = {
    StatusChanged: 200,
    MoodChanged: 200,
    SongsOffered: 50,
    SongPicked: 50,
    SongsRanked: 50,
    PlaybackChanged: 1,
}
"""Streams that everybody hears, and how many past events are needed to know the present."""

FOLLOWED: tuple[type[Event], ...] = (*HISTORY, FeedbackGiven, FacesRead)


class GatewaySettings(Settings):
    """Settings of the gateway."""

    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")
    camera_id: str = Field("camera-1", min_length=1, description="Camera whose mood the page shows by default.")
    browser_camera: bool = Field(True, description="Whether visitors may use the camera of their own browser.")
    browser_cameras_most: int = Field(4, ge=1, description="How many browsers may send pictures at the same time.")
    browser_frame_rate: float = Field(
        10, gt=0, le=MOST_FRAMES_PER_S, description="Pictures that a browser shall send per second."
    )
    music: Path | None = Field(
        None, description="Folder of sound files that the page may play: songs whose address is file:PATH in it."
    )


def create_service(settings: GatewaySettings, bus: Bus) -> Service:
    """Page, API and feed. Nothing connects before the app starts."""
    board = Board(settings.camera_id, settings.browser_camera)
    feed = Feed(board.to_json)
    cameras = BrowserCameras(bus, settings.camera_id, settings.browser_frame_rate, settings.browser_cameras_most)

    cameras.meters.gauge("moodstream_browser_cameras", "Browsers that send pictures now", lambda: cameras.connected)
    cameras.meters.gauge("moodstream_feed_listeners", "Listeners of the live events now", lambda: feed.listeners)

    async def follow() -> None:
        await follow_events(bus, board, feed)

    if settings.music is not None and not settings.music.is_dir():
        raise MoodstreamError(f"MOODSTREAM_MUSIC: {settings.music} is not a folder")
    routes = [Api(bus, board, feed, cameras).mount(), *page_routes(settings.music)]
    return Service("gateway", routes=routes, metrics=cameras.meters.registry, background=[follow])


async def follow_events(bus: Bus, board: Board, feed: Feed) -> None:
    """Keep the board true and tell everybody, for ever."""
    start = await _catch_up(bus, board)
    feed.publish_snapshot()
    async for entry in bus.follow(start):
        if entry is None:
            continue
        event = entry[1]
        if board.apply(event) and not isinstance(event, FacesRead):
            feed.publish(event.type, event.model_dump_json(), board.camera_told_of(event), getattr(event, "mood", None))


async def _catch_up(bus: Bus, board: Board) -> dict[type[Event], str]:
    """Bring the board from the past to the present; gives the entry of each stream to go on after."""
    while True:
        try:
            start = {event: await bus.last_id(event) for event in FOLLOWED}
            for event, count in HISTORY.items():
                for past in reversed(await bus.newest(event, count)):
                    board.apply(past)
            bus.trouble.passed("catching up")
            return start
        except AWAY as error:
            bus.trouble.note("catching up", error)
            await asyncio.sleep(1)


def create() -> tuple[Settings, Bus, Service]:
    settings = load(GatewaySettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
