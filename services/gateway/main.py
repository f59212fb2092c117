"""The gateway: what people see. Run it alone with ``python -m services.gateway.main``."""

import asyncio
import logging
import sys
from datetime import tzinfo
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from moodstream.contracts.ids import CameraId
from moodstream.errors import MoodstreamError
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
from services.gateway.pictures.guest_frames import MAX_FRAMES_PER_S, Guests, site_watches
from services.gateway.pictures.pushed_frames import PushedFrames
from services.gateway.self_test import SelfTest
from services.gateway.site_settings.control import SettingsControl
from services.gateway.site_settings.file import SettingsFile
from services.gateway.state.feed import Feed
from services.gateway.state.history import History
from services.gateway.state.kiosk import Consent, HeardVoice, Kiosk, Language, Theme
from services.gateway.state.opening_hours import OpeningHours, parse_opening_hours
from services.gateway.state.snapshot import snapshot_of
from services.gateway.uploads.storage import Uploads
from shared.app.follow_settings import follow_settings
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.contracts.mounting_view import PREVIEW_TEXT, Preview
from shared.contracts.site_state import SiteState
from shared.contracts.sounds import COMMANDS_TEXT, MICROPHONE_TEXT, VOICE_TEXT, Voice
from shared.delivery.frames_server import FramesServer
from shared.settings import AUTO_TEXT, CAMERA_ID, CAMERA_ID_TEXT, Settings, load, set_by_environment
from shared.site_file import LIVE
from shared.time_zones import TIME_ZONE_TEXT, time_zone_of
from shared.web.operator import Operator, OperatorSettings
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


class GatewaySettings(OperatorSettings):
    """Settings of the gateway."""

    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")
    camera_id: CameraId = Field(CAMERA_ID, description=CAMERA_ID_TEXT)
    browser_camera: bool = Field(True, description="Let visitors use the camera of their own device.")
    browser_cameras_max: int = Field(
        4, ge=1, description="Maximum number of browsers that send pictures at the same time."
    )
    browser_frame_rate: float = Field(
        10, gt=0, le=MAX_FRAMES_PER_S, description="Pictures per second that a browser is asked to send."
    )
    words: bool = Field(True, description="Let visitors write how they feel; the text is read once and not kept.")
    voice: Voice = Field("off", description=VOICE_TEXT)
    voice_commands: bool = Field(False, description=COMMANDS_TEXT)
    microphone: str = Field("", description=MICROPHONE_TEXT)
    music: Path | None = Field(
        None,
        json_schema_extra=LIVE,
        description="Folder of sound files that the page may play: songs with the address file:PATH, relative to it. "
        "Default: the files that were uploaded, in `music` beside the file of the site's settings.",
    )
    spotify_embed: bool = Field(
        False,
        description="Let the page show Spotify's own player for songs that Spotify has (player browser); visitors' "
        "browsers then contact Spotify.",
    )
    consent: Consent | None = Field(
        None,
        description="How visitors consent before their mood is shown: by a touch (`touch`) or by staying after the "
        "notice (`stay`). Default: stay where songs are picked automatically, otherwise touch.",
    )
    consent_stay_s: float = Field(8, ge=3, le=120, description="Seconds a visitor must stay to agree by staying.")
    idle_s: float = Field(60, ge=5, description="Seconds without a face or a touch before the page asks who is there.")
    still_there_s: float = Field(15, ge=3, description="Seconds without an answer before the page starts over.")
    goodbye_s: float = Field(6, ge=0, le=60, description="Seconds that the goodbye stays on the page.")
    language: Language | None = Field(
        None,
        json_schema_extra=LIVE,
        description="Language of the page for a new visitor: en, de, fr, es, ja or ar; when not set: the browser's.",
    )
    theme: Theme = Field(
        "dark", description="Colours of the page: dark, light, or auto, which goes by the browser's preference."
    )
    rest_after_s: float = Field(
        600,
        ge=0,
        description="Seconds without a visitor before the page darkens and moves, to protect the screen; 0: never.",
    )
    auto: bool = Field(False, description=AUTO_TEXT)
    preview: Preview = Field("outline", description=PREVIEW_TEXT)
    site_name: str = Field(
        "",
        max_length=80,
        json_schema_extra=LIVE,
        description="Name of the place or of who runs it, on the page and on the notice to print.",
    )
    site_contact: str = Field(
        "",
        max_length=160,
        json_schema_extra=LIVE,
        description="Whom visitors may ask or object to, on the notice to print: a name, an e-mail or postal address.",
    )
    opening_hours: str = Field(
        "",
        json_schema_extra=LIVE,
        description="When the site is open: mo-fr 09:00-18:00; sa 10:00-14:00; 2026-12-25 closed. Empty: always.",
    )
    time_zone: str = Field("", json_schema_extra=LIVE, description=TIME_ZONE_TEXT)
    listeners_per_address: int = Field(
        400, ge=1, description="Maximum number of listeners to the events from one address."
    )

    origins: str = Field(
        "",
        description="Other web sites whose pages may listen to events, send choices and embed the page, such as "
        "http://homeassistant.local:8123, separated by spaces; empty: none.",
    )

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: str) -> str:
        parse_origins(origins)
        return origins

    def kiosk(self) -> Kiosk:
        return Kiosk(
            consent=self.consent or ("stay" if self.auto else "touch"),
            stay_s=self.consent_stay_s,
            idle_s=self.idle_s,
            still_there_s=self.still_there_s,
            goodbye_s=self.goodbye_s,
            auto=self.auto,
            spotify_embed=self.spotify_embed,
            language=self.language,
            name=self.site_name,
            contact=self.site_contact,
            theme=self.theme,
            rest_after_s=self.rest_after_s,
            pictures_on_disk=self.frames_on_disk,
            words=self.words,
            voice=self.heard_voice,
            voice_commands=self.voice_commands and self.heard_voice is not None,
            microphone=bool(self.microphone) and self.heard_voice is not None,
        )

    @property
    def heard_voice(self) -> HeardVoice | None:
        return None if self.voice == "off" else self.voice

    @property
    def music_folder(self) -> Path:
        """Of the songs that the page plays."""
        return self.music or self.uploads.music

    @property
    def uploads(self) -> Uploads:
        """Beside the file of the site's settings."""
        return Uploads(self.site_settings.parent)

    def hours(self) -> tuple[OpeningHours | None, tzinfo]:
        """Raises SettingError."""
        zone = time_zone_of(self.time_zone)
        return parse_opening_hours(self.opening_hours, zone), zone


def create_context(settings: GatewaySettings, bus: Bus) -> Context:
    """Nothing connects yet. Raises MoodstreamError when a setting is wrong."""
    state, kiosk = SiteState(settings.camera_id), [settings.kiosk()]
    control = OpeningControl(bus, state, *settings.hours())
    desk = SettingsDesk(settings, GatewaySettings.hours)

    frames_server = FramesServer(bus, settings, needed=False)
    guests = Guests(bus, lambda: site_watches(state))
    metrics = Metrics()
    views = MountingViews(bus, settings.preview, metrics)

    def snapshot() -> str:
        browser = settings.browser_camera
        return snapshot_of(state, control.opening, kiosk[0], browser_camera=browser, view=views.to_json())

    return Context(
        bus=bus,
        state=state,
        snapshot=snapshot,
        feed=Feed(snapshot),
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
        health=HealthReader(bus, voice=settings.heard_voice is not None),
        self_test=SelfTest(bus),
        operator=Operator(settings),
        settings=SettingsControl(bus, desk, SettingsFile(settings.site_settings)),
        listens_on=settings.host,
        uploads=settings.uploads,
        music=MusicFolder(settings.music_folder),
        music_fixed="music" in set_by_environment(GatewaySettings),
        change_kiosk=lambda changed: kiosk.__setitem__(0, changed),
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
        context.change_kiosk(changed.kiosk())
        music.change(changed.music_folder)
        feed.publish_snapshot()

    async def forget_drafts() -> None:
        await asyncio.to_thread(context.uploads.forget_drafts)

    async def follow_site_settings() -> None:
        await follow_settings(bus, settings, apply)

    routes = [
        mount(context, origins),
        *operator_routes(context.operator, pictures_on_disk=settings.frames_on_disk),
        *page_routes(music, spotify_embed=settings.spotify_embed, may_hear=context.voice is not None, origins=origins),
    ]
    background = [follow_present, follow_past, open_and_close, context.pushed_frames.run, watch_views]
    background.append(follow_site_settings)
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
