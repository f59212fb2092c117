"""The gateway: what people see. Run it alone with ``python -m services.gateway.main``."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from pydantic import Field

from moodstream.contracts.events import (
    Event,
    FacesRead,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    utc_now,
)
from moodstream.contracts.streams import SELF_TEST
from moodstream.errors import MoodstreamError
from services.gateway.api import create_api, mount
from services.gateway.browser_camera import MAX_FRAMES_PER_S, BrowserCameras
from services.gateway.consents import Consents
from services.gateway.context import Parts
from services.gateway.health import Doctor
from services.gateway.opening_control import Doors
from services.gateway.pages import operator_routes, page_routes
from services.gateway.pushed_frames import PushedFrames
from services.gateway.self_test import SelfTest
from services.gateway.state.board import Board
from services.gateway.state.feed import Feed
from services.gateway.state.history import KEPT, History
from services.gateway.state.kiosk import Consent, Kiosk, Language
from services.gateway.state.opening_hours import parse, zone_of
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.settings import Settings, load
from shared.web.operator import Operator, OperatorSettings
from shared.web.rate_limit import Limits

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

BURST_S = 10
REMEMBERED: tuple[type[Event], ...] = (MoodChanged, SongPicked, PlaybackChanged, FeedbackGiven)

FOLLOWED: tuple[type[Event], ...] = (*HISTORY, FeedbackGiven, FacesRead)


class GatewaySettings(OperatorSettings):
    """Settings of the gateway."""

    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")
    camera_id: str = Field("camera-1", min_length=1, description="Camera whose mood the page shows by default.")
    browser_camera: bool = Field(True, description="Whether visitors may use the camera of their own browser.")
    browser_cameras_max: int = Field(4, ge=1, description="How many browsers may send pictures at the same time.")
    browser_frame_rate: float = Field(
        10, gt=0, le=MAX_FRAMES_PER_S, description="Pictures that a browser shall send per second."
    )
    music: Path | None = Field(
        None, description="Folder of sound files that the page may play: songs whose address is file:PATH in it."
    )
    consent: Consent | None = Field(
        None,
        description="How visitors agree before their mood is shown: `touch`, or `stay` once the notice was shown; "
        "when not set: touch, and stay where songs are picked by themselves.",
    )
    consent_stay_s: float = Field(8, ge=3, le=120, description="How long one must stay to agree by staying.")
    idle_s: float = Field(60, ge=5, description="Without a face and a touch for so long, the page asks who is there.")
    still_there_s: float = Field(15, ge=3, description="Without an answer for so long, the page begins anew.")
    goodbye_s: float = Field(6, ge=0, le=60, description="How long the page says goodbye.")
    language: Language | None = Field(
        None,
        description="Language of the page for a new visitor: en, de, fr, es, ja or ar; when not set: the browser's.",
    )
    auto: bool = Field(False, description="Pick one of the offered songs at once, for sites where nobody picks.")
    opening_hours: str = Field(
        "", description="When the site is open: mo-fr 09:00-18:00; sa 10:00-14:00; 2026-12-25 closed. Empty: always."
    )
    time_zone: str = Field("", description="Of the opening hours, such as Europe/Berlin; empty: this machine's own.")
    requests_per_s: float = Field(
        20, ge=0, description="Requests that one address may make per second, ten times as many at once; 0: any number."
    )
    listeners_per_address: int = Field(400, ge=1, description="How many may follow the events from one address.")

    def kiosk(self) -> Kiosk:
        return Kiosk(
            consent=self.consent or ("stay" if self.auto else "touch"),
            stay_s=self.consent_stay_s,
            idle_s=self.idle_s,
            still_there_s=self.still_there_s,
            goodbye_s=self.goodbye_s,
            auto=self.auto,
            language=self.language,
        )


def create_parts(settings: GatewaySettings, bus: Bus) -> Parts:
    """Nothing connects yet. Raises MoodstreamError when a setting is wrong."""
    board = Board(settings.camera_id, settings.browser_camera, kiosk=settings.kiosk())
    zone = zone_of(settings.time_zone)
    return Parts(
        bus=bus,
        board=board,
        feed=Feed(board.to_json),
        browsers=BrowserCameras(
            bus,
            settings.camera_id,
            settings.browser_frame_rate,
            settings.browser_cameras_max,
            lambda: board.opening.open,
        ),
        pushed=PushedFrames(bus),
        doors=Doors(bus, board, parse(settings.opening_hours, zone), zone),
        history=History(),
        consents=Consents(bus),
        doctor=Doctor(bus),
        self_test=SelfTest(bus),
        limits=Limits(settings.requests_per_s, BURST_S * settings.requests_per_s),
        operator=Operator(settings),
        listeners_most=settings.listeners_per_address,
    )


def create_document(settings: GatewaySettings) -> dict[str, Any]:
    """The API as an OpenAPI document."""
    return create_api(create_parts(settings, create_bus(settings))).openapi()


def create_service(settings: GatewaySettings, bus: Bus) -> Service:
    """Page, API and feed. Nothing connects before the app starts."""
    if settings.music is not None and not settings.music.is_dir():
        raise MoodstreamError(f"MOODSTREAM_MUSIC: {settings.music} is not a folder")
    parts = create_parts(settings, bus)
    metrics = parts.browsers.metrics
    metrics.gauge("moodstream_browser_cameras", "Browsers that send pictures now", lambda: parts.browsers.connected)
    metrics.gauge("moodstream_feed_listeners", "Listeners of the live events now", lambda: parts.feed.listeners)

    async def follow() -> None:
        await follow_events(bus, parts.board, parts.feed)

    async def remember() -> None:
        await follow_history(bus, parts.history)

    async def open_and_close() -> None:
        await parts.doors.run(parts.feed.publish_snapshot)

    routes = [mount(parts), *operator_routes(parts.operator), *page_routes(settings.music)]
    background = [follow, remember, open_and_close, parts.pushed.run]
    return Service("gateway", routes=routes, metrics=metrics.registry, background=background)


async def follow_events(bus: Bus, board: Board, feed: Feed) -> None:
    """Keep the board true and tell everybody, for ever."""
    start = await _catch_up(bus, board)
    feed.publish_snapshot()
    async for entry in bus.follow(start):
        if entry is None:
            continue
        event = entry[1]
        if isinstance(event, FacesRead) and event.camera_id == SELF_TEST:
            continue
        if board.apply(event) and not isinstance(event, FacesRead):
            feed.publish(event.type, event.model_dump_json(), board.camera_told_of(event), getattr(event, "mood", None))


async def follow_history(bus: Bus, history: History) -> None:
    """Read the last days and then what comes, for ever; apart from the board, which shall not wait for it."""
    begin = f"{int((utc_now() - KEPT).timestamp() * 1000)}-0"
    async for entry in bus.follow(dict.fromkeys(REMEMBERED, begin)):
        if entry is not None:
            history.apply(entry[1])


async def _catch_up(bus: Bus, board: Board) -> dict[type[Event], str]:
    """Bring the board from the past to the present; gives the entry of each stream to go on after."""
    while True:
        try:
            start = {event: await bus.last_id(event) for event in FOLLOWED}
            for event, count in HISTORY.items():
                for past in reversed(await bus.newest(event, count)):
                    board.apply(past)
            bus.outage.resolve("catching up")
            return start
        except REDIS_ERRORS as error:
            bus.outage.report("catching up", error)
            await asyncio.sleep(1)


def create() -> tuple[Settings, Bus, Service]:
    settings = load(GatewaySettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
