"""The gateway: what people see. Run it alone with ``python -m services.gateway.main``."""

import asyncio
import logging
import sys
from typing import Any

from moodstream.errors import MoodstreamError
from services.gateway.alerts.receivers import ReceiversFile
from services.gateway.alerts.told import ToldFile
from services.gateway.alerts.watch import Alerts
from services.gateway.api import create_api, mount
from services.gateway.consents import Consents
from services.gateway.context import Context
from services.gateway.follower import follow_events, follow_history
from services.gateway.health import HealthReader
from services.gateway.metrics import Metrics
from services.gateway.mounting_view import MountingViews
from services.gateway.music import MusicFolder
from services.gateway.opening_control import OpeningControl
from services.gateway.origins import parse_origins
from services.gateway.pages import operator_routes, page_routes
from services.gateway.pictures.browser_camera import BrowserCameras
from services.gateway.pictures.guest_frames import Guests, site_watches
from services.gateway.pictures.pushed_frames import PushedFrames
from services.gateway.routes.look import look_pages
from services.gateway.self_test import SelfTest
from services.gateway.site_settings.control import SettingsControl
from services.gateway.site_settings.file import SettingsFile
from services.gateway.site_settings.gateway import GatewaySettings as GatewaySettings
from services.gateway.state.feed import Feed
from services.gateway.state.history import History
from services.gateway.state.kiosk import Kiosk
from services.gateway.state.snapshot import snapshot_of
from services.gateway.upkeep.restart import Upkeep
from services.gateway.upkeep.updates import Updates
from services.gateway.uploads.clearing import Clearing
from shared.app.follow_settings import follow_settings
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.contracts.site_state import SiteState
from shared.delivery.frames_server import FramesServer
from shared.settings import Settings, load, set_by_environment
from shared.web.operator import Operator
from shared.words.reader import WordsReader

log = logging.getLogger("moodstream.gateway")

COSTS = {
    "/static": 0.05,
    "/music": 0.2,
    "/docs": 0.5,
    "/api/v1/frames": 0.5,
    "/api/v1/moods": 1.0,
    "/api/v1/words": 1.0,
    "/api/v1/voices": 0.5,
    "/api/v1/moods/current": 0.5,
    "/api/v1/sessions": 2.0,
    "/api/v1/songs": 2.0,
    "/api/v1/operator/history": 5.0,
    "/api/v1/operator/settings": 5.0,
    "/api/v1/operator/self-test": 10.0,
}
"""In cheap requests, by what each keeps busy."""


def create_context(settings: GatewaySettings, bus: Bus) -> Context:
    """Nothing connects yet. Raises MoodstreamError when a setting is wrong."""
    state, kiosk = SiteState(settings.camera_id), [settings.kiosk()]
    kiosk[0] = kiosk[0].model_copy(update={"logo": settings.look.logo_version()})
    control = OpeningControl(bus, state, *settings.hours())
    desk = SettingsDesk(settings, GatewaySettings.hours)

    health = HealthReader(bus, voice=settings.heard_voice is not None)
    frames_server = FramesServer(bus, settings, needed=False)
    guests = Guests(bus, lambda: site_watches(state))
    metrics = Metrics()
    views = MountingViews(bus, settings.preview, metrics)

    def snapshot() -> str:
        browser = settings.browser_camera
        return snapshot_of(state, control.opening, kiosk[0], browser_camera=browser, view=views.to_json())

    feed = Feed(snapshot)

    def change_kiosk(changed: Kiosk) -> None:
        kiosk[0] = changed.model_copy(update={"logo": kiosk[0].logo})
        feed.publish_snapshot()

    def show_logo(logo: str | None) -> None:
        kiosk[0] = kiosk[0].model_copy(update={"logo": logo})
        feed.publish_snapshot()

    alerts = Alerts(
        ReceiversFile(settings.site_settings.with_name("alerts.json")),
        ToldFile(settings.site_settings.with_name("alerts-told.json")),
        health,
        state,
        lambda: control.opening.open,
        lambda: kiosk[0].name,
    )
    music = MusicFolder(settings.music_folder)
    return Context(
        bus=bus,
        state=state,
        snapshot=snapshot,
        feed=feed,
        history=History(),
        opening_control=control,
        browser_camera=settings.browser_camera,
        pictures_on_disk=settings.frames_on_disk,
        browser_cameras=BrowserCameras(
            guests,
            settings.camera_id,
            settings.browser_frame_rate,
            settings.browser_cameras_max,
            lambda: control.opening.open,
            metrics,
        ),
        pushed_frames=PushedFrames(guests),
        frames_server=frames_server,
        consents=Consents(bus),
        mounting_views=views,
        health=health,
        upkeep=Upkeep(),
        updates=Updates(
            settings.site_settings.with_name("newest-version.json"),
            settings.update_url,
            alerts.tell_version,
            private=settings.update_private,
        ),
        alerts=alerts,
        self_test=SelfTest(bus),
        operator=Operator(settings),
        settings=SettingsControl(bus, desk, SettingsFile(settings.site_settings)),
        listens_on=settings.host,
        uploads=settings.uploads,
        clearing=Clearing(bus, settings.uploads, music, lambda: state.playback.song if state.playback else None),
        music=music,
        music_fixed="music" in set_by_environment(GatewaySettings),
        look=settings.look,
        show_logo=show_logo,
        change_kiosk=change_kiosk,
        law=lambda: kiosk[0].law,
        max_listeners_per_address=settings.listeners_per_address,
        words=WordsReader.load() if settings.words else None,
        voice=settings.heard_voice,
    )


def create_document(settings: GatewaySettings) -> dict[str, Any]:
    """The API as an OpenAPI document."""
    return create_api(create_context(settings, create_bus(settings))).openapi()


def create_service(settings: GatewaySettings, bus: Bus) -> Service:
    """Page, API and feed. Nothing connects before the app starts."""
    if settings.music is not None and not settings.music.is_dir():
        if "music" in set_by_environment(GatewaySettings):
            raise MoodstreamError(f"MOODSTREAM_MUSIC: {settings.music} is not a folder")
        log.warning("the folder of music %s is not there; its songs are silent until it is", settings.music)
    context = create_context(settings, bus)
    music = context.music
    feed, cameras, origins = context.feed, context.browser_cameras, parse_origins(settings.origins)
    cameras.metrics.gauge("moodstream_browser_cameras", "Browsers that send pictures now", lambda: cameras.connected)
    views = context.mounting_views
    cameras.metrics.gauge("moodstream_view_running", "Whether an operator looks now", lambda: int(bool(views.running)))
    cameras.metrics.gauge("moodstream_feed_listeners", "Listeners of the live events now", lambda: feed.listeners)

    async def follow_present() -> None:
        await follow_events(bus, context.state, feed, music)

    async def follow_past() -> None:
        await follow_history(bus, context.history)

    async def open_and_close() -> None:
        await context.opening_control.run(feed.publish_snapshot)

    async def watch_views() -> None:
        await context.mounting_views.run(feed.publish_snapshot)

    def apply(changed: GatewaySettings) -> None:
        context.opening_control.change_hours(*changed.hours())
        music.change(changed.music_folder)
        context.change_kiosk(changed.kiosk())
        context.updates.address = changed.update_url

    async def forget_drafts() -> None:
        await asyncio.to_thread(context.uploads.forget_drafts)

    async def follow_site_settings() -> None:
        await follow_settings(bus, settings, apply)

    routes = [
        mount(context, origins),
        *operator_routes(context.operator, pictures_on_disk=settings.frames_on_disk),
        *page_routes(
            music,
            look_pages(context),
            spotify_embed=settings.spotify_embed,
            may_hear=context.voice is not None,
            origins=origins,
        ),
    ]
    background = [follow_present, follow_past, open_and_close, context.pushed_frames.run, watch_views]
    background += [follow_site_settings, context.alerts.run, context.upkeep.run, context.updates.run]
    background.append(context.clearing.run)
    if settings.browser_camera or context.voice is not None:
        background.append(context.frames_server.run)
    return Service(
        "gateway",
        routes=routes,
        metrics=cameras.metrics.registry,
        costs=COSTS,
        prepare=[forget_drafts],
        background=background,
    )


def create() -> tuple[Settings, Bus, Service]:
    settings = load(GatewaySettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
