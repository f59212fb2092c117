"""The player service: ``python -m services.player.main``."""

import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from services.player.handlers import create_router, playback
from services.player.outputs import BrowserOutput, LogOutput, Output
from services.player.spotify import SpotifyOutput
from shared.app import Job, Service, create_bus, run_service
from shared.bus import Bus
from shared.errors import MoodstreamError
from shared.events import PlaybackChanged
from shared.settings import Settings, load

LOGIN, CALLBACK = "/player/spotify/login", "/player/spotify/callback"


def _token_file() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "moodstream" / "spotify.json"


class PlayerSettings(Settings):
    """Settings of the player."""

    player: Literal["browser", "log", "spotify"] = Field("browser", description="Where the song plays.")
    spotify_client_id: str = Field("", description="Client id of your own Spotify app (personal use only).")
    spotify_redirect_uri: str = Field(
        f"http://127.0.0.1:8080{CALLBACK}", description="As registered with the app; Spotify refuses 'localhost'."
    )
    spotify_token_file: Path = Field(default_factory=_token_file, description="Where the token is kept, mode 0600.")


def create_output(settings: PlayerSettings) -> Output:
    """The output that the settings name. Raises MoodstreamError when it lacks what it needs."""
    if settings.player == "log":
        return LogOutput()
    if settings.player == "browser":
        return BrowserOutput()
    if not settings.spotify_client_id:
        raise MoodstreamError("the player spotify needs MOODSTREAM_SPOTIFY_CLIENT_ID")
    login = settings.spotify_redirect_uri.removesuffix(CALLBACK) + LOGIN
    try:
        return SpotifyOutput(
            settings.spotify_client_id, settings.spotify_redirect_uri, settings.spotify_token_file, login_url=login
        )
    except OSError as error:
        raise MoodstreamError(f"the token file {settings.spotify_token_file}: {error.strerror}") from None


def create_service(settings: PlayerSettings, bus: Bus, output: Output | None = None) -> Service:
    """The service, with the output of the settings unless one is given."""
    chosen = output or create_output(settings)

    async def announce() -> None:
        await bus.publish(PlaybackChanged(**playback(chosen, await chosen.check(), None)))

    routes = _login_routes(chosen, announce) if isinstance(chosen, SpotifyOutput) else ()
    return Service("player", create_router(bus, chosen), routes, background=[announce])


def _login_routes(output: SpotifyOutput, announce: Job) -> list[Route]:
    async def login(_: Request) -> Response:
        return RedirectResponse(output.login_address())

    async def callback(request: Request) -> Response:
        try:
            await output.finish_login(request.query_params.get("code", ""), request.query_params.get("state", ""))
        except MoodstreamError as error:
            return JSONResponse({"error": str(error)}, 400)
        await announce()
        return PlainTextResponse("Signed in to Spotify. You can close this page.")

    return [Route(LOGIN, login), Route(CALLBACK, callback)]


def create() -> tuple[Settings, Bus, Service]:
    settings = load(PlayerSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
