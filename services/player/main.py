"""The player service: ``python -m services.player.main``."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field
from starlette.routing import BaseRoute

from moodstream.errors import MoodstreamError, SettingError
from services.player.leader import Leader
from services.player.mpd import MpdOutput
from services.player.outputs import BrowserOutput, HouseOutput, LogOutput, Output
from services.player.programme.quiet_hours import parse_quiet_hours
from services.player.programme.rules import Rules
from services.player.spotify.login import CALLBACK, SpotifyLogin
from services.player.spotify.login_pages import login_routes
from services.player.spotify.output import SpotifyOutput
from shared.app.follow_settings import follow_settings
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.paths import state_home
from shared.settings import Settings, load
from shared.site_file import AT_START, LIVE
from shared.web.operator import Operator, OperatorSettings


def _token_file() -> Path:
    return state_home() / "moodstream" / "spotify.json"


class PlayerSettings(OperatorSettings):
    """Settings of the player."""

    player: Literal["browser", "house", "log", "mpd", "spotify"] = Field(
        "browser",
        json_schema_extra=AT_START,
        description="Where songs play: on the page (browser), as music that the page makes itself (house), nowhere, "
        "only as log lines (log), on MPD (mpd) or on Spotify (spotify).",
    )
    song_min_s: float = Field(
        3.0, ge=0, le=3600, description="Seconds a song plays before music for another mood may replace it."
    )
    music_after_s: float = Field(
        300, ge=0, description="Seconds that the music plays on after the visitor has left; 0: without end."
    )
    volume: int | None = Field(
        None, ge=0, le=100, description="Volume at the start, percent; empty leaves it unchanged."
    )
    volume_min: int = Field(0, ge=0, le=100, json_schema_extra=LIVE, description="Minimum volume, percent.")
    volume_max: int = Field(100, ge=0, le=100, json_schema_extra=LIVE, description="Maximum volume, percent.")
    quiet_hours: str = Field(
        "", json_schema_extra=LIVE, description="Quiet hours in local time, such as 22:00-07:00; empty for none."
    )
    quiet_volume: int = Field(
        0,
        ge=0,
        le=100,
        json_schema_extra=LIVE,
        description="Maximum volume in the quiet hours, percent; 0 pauses the music.",
    )
    crossfade_s: int = Field(0, ge=0, le=30, description="Seconds of crossfade between songs (mpd).")
    mpd_address: str = Field(
        "127.0.0.1:6600",
        description="Address of the Music Player Daemon or Mopidy: host:port, or the path of a socket.",
    )
    mpd_password: str = Field("", repr=False, description="Password of the Music Player Daemon, if it has one.")
    spotify_client_id: str = Field("", description="Client id of your own Spotify app (personal use only).")
    spotify_redirect_uri: str = Field(
        f"http://127.0.0.1:8080{CALLBACK}",
        description="Redirect URI, as registered with the app; Spotify refuses 'localhost'.",
    )
    spotify_token_file: Path = Field(
        default_factory=_token_file, description="File that holds the Spotify token, with mode 0600."
    )
    spotify_app: str = Field(
        "spotify" if sys.platform != "darwin" else "open -a Spotify",
        description="Command that opens Spotify on this machine when there is no device to play on; it may be missing.",
    )
    spotify_api_url: str = Field(
        "https://api.spotify.com/v1", description="Base URL of Spotify's Web API, or of a stand-in."
    )
    spotify_accounts_url: str = Field(
        "https://accounts.spotify.com", description="Base URL of Spotify's Accounts service, or of a stand-in."
    )


def create_output(settings: PlayerSettings) -> Output:
    """The output that the settings name. Raises MoodstreamError when it lacks what it needs."""
    match settings.player:
        case "log":
            return LogOutput()
        case "browser":
            return BrowserOutput()
        case "house":
            return HouseOutput()
        case "mpd":
            return MpdOutput(settings.mpd_address, settings.mpd_password, settings.crossfade_s)
        case "spotify":
            return SpotifyOutput(create_login(settings), settings.spotify_api_url, shlex.split(settings.spotify_app))


def create_login(settings: PlayerSettings) -> SpotifyLogin:
    """Signing in to Spotify. Raises MoodstreamError when the settings do not allow it."""
    if not settings.spotify_client_id:
        raise MoodstreamError("the player spotify needs MOODSTREAM_SPOTIFY_CLIENT_ID")
    return SpotifyLogin(
        settings.spotify_client_id,
        settings.spotify_redirect_uri,
        settings.spotify_token_file,
        settings.spotify_accounts_url,
    )


def create_rules(settings: PlayerSettings, check_every_s: float | None) -> Rules:
    """What the operator has set. Raises MoodstreamError."""
    if settings.volume_min > settings.volume_max:
        raise SettingError("MOODSTREAM_VOLUME_MIN", "is above MOODSTREAM_VOLUME_MAX")
    return Rules(
        song_min_s=settings.song_min_s,
        music_after_s=settings.music_after_s,
        volume=settings.volume,
        volume_min=settings.volume_min,
        volume_max=settings.volume_max,
        quiet=parse_quiet_hours(settings.quiet_hours),
        quiet_volume=settings.quiet_volume,
        check_every_s=check_every_s,
    )


def create_service(settings: PlayerSettings, bus: Bus, output: Output | None = None) -> Service:
    """The service, with the output of the settings unless one is given."""
    chosen = output or create_output(settings)

    def rules_of(tried: PlayerSettings) -> Rules:
        return create_rules(tried, chosen.check_every_s)

    def check(tried: PlayerSettings) -> None:
        rules_of(tried)
        create_output(tried)  # nothing connects yet

    leader = Leader(bus, chosen, rules_of(settings), SettingsDesk(settings, check))

    async def follow_site_settings() -> None:
        await follow_settings(bus, settings, lambda changed: leader.change_rules(rules_of(changed)))

    routes: Sequence[BaseRoute] = ()
    if isinstance(chosen, SpotifyOutput):
        routes = login_routes(chosen.login, leader.check_output_now, Operator(settings))
    metrics = leader.metrics.registry
    return Service("player", routes=routes, metrics=metrics, background=[leader.run, follow_site_settings])


def create() -> tuple[Settings, Bus, Service]:
    settings = load(PlayerSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
