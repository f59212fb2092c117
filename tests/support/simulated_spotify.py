"""The simulated Spotify, served over HTTP on loopback, and a player that is set up for it."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from services.player.main import PlayerSettings, create_output
from services.player.spotify.json_file import JsonFile
from services.player.spotify.output import SpotifyOutput
from services.player.spotify.simulator.app import Simulator
from shared.settings import load
from tests.support.ports import free_port

CLIENT = "moodstream-demo"
REDIRECT = "http://127.0.0.1:8080/player/spotify/callback"


@dataclass
class SimulatedSpotify:
    """The simulator with its address; it can be taken away and brought back."""

    simulator: Simulator = field(default_factory=Simulator)
    port: int = field(default_factory=free_port)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def accounts_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/accounts"

    def start(self) -> None:
        config = uvicorn.Config(
            self.simulator.app(), "127.0.0.1", self.port, log_config=None, timeout_graceful_shutdown=0, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.01)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()


def spotify_settings(spotify: SimulatedSpotify, folder: Path, **more: Any) -> PlayerSettings:
    """Settings of a player that plays on it and keeps its token in the folder."""
    given: dict[str, Any] = {
        "player": "spotify",
        "spotify_client_id": CLIENT,
        "spotify_redirect_uri": REDIRECT,
        "spotify_token_file": folder / "spotify.json",
        "spotify_app": "no-such-program",
        "spotify_api_url": spotify.api_url,
        "spotify_accounts_url": spotify.accounts_url,
    }
    return load(PlayerSettings, **given | more)


def create_spotify_output(spotify: SimulatedSpotify, folder: Path, **more: Any) -> SpotifyOutput:
    output = create_output(spotify_settings(spotify, folder, **more))
    assert isinstance(output, SpotifyOutput)
    return output


def sign_in(spotify: SimulatedSpotify, file: Path, consented_s_ago: float = 0.0, **more: Any) -> None:
    """Write the token file as it is after somebody has signed in on the pages."""
    token = spotify.simulator.sign_in(CLIENT)
    kept = {"client_id": CLIENT, "consented_at": time.time() - consented_s_ago, "expires_at": time.time() + 3600}
    JsonFile(file).save(token | kept | more)


def agree(address: str, answer: str = "yes") -> str:
    """What a person does on the pages of the Accounts service; gives the address at which the browser ends."""
    asked = httpx.get(address)
    assert asked.status_code == 200
    assert "This is not Spotify" in asked.text
    ended = httpx.get(address.replace("/authorize?", "/agree?") + f"&agree={answer}")
    return ended.headers["location"]
