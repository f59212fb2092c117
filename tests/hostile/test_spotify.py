"""Whatever answers in Spotify's place, the player gets an outcome with a state, in time."""

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodstream.contracts.events import PlaybackState, Song
from moodstream.errors import MoodstreamError
from services.player.main import PlayerSettings, create_output
from services.player.spotify.json_file import JsonFile
from shared.settings import load
from tests.hostile.test_inputs import JSON

STATES = get_args(PlaybackState)
SONG = Song(id="s", title="Title", artist="Artist", uri="spotify:track:0123456789012345678901")
FIELDS = st.sampled_from(
    ("devices", "item", "is_playing", "device", "tracks", "items", "id", "name", "error", "status", "message", "reason",
     "progress_ms", "volume_percent", "artists", "uri", "is_active", "access_token", "expires_in")
)  # fmt: skip
ANSWERS = st.recursive(
    JSON, lambda inner: st.dictionaries(FIELDS, inner, max_size=6) | st.lists(inner, max_size=3), max_leaves=15
)
BODIES = ANSWERS.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200) | st.just(b"<html>502</html>")
STATUS = st.sampled_from((200, 201, 202, 204, 301, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503))


@dataclass
class Stranger:
    url: str
    status: int = 200
    body: bytes = b""
    retry_after: str = ""


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(here.status)
            self.send_header("content-length", str(len(here.body)))
            if here.retry_after:
                self.send_header("retry-after", here.retry_after)
            self.end_headers()
            if here.status != 204:
                self.wfile.write(here.body)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Stranger(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield here
        server.shutdown()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STATUS, BODIES, st.sampled_from(("", "0", "1", "-5", "soon", "9" * 30, "Wed, 21 Oct 2015 07:28:00 GMT")))
async def test_any_answer_is_an_outcome(stranger: Stranger, status: int, body: bytes, retry_after: str) -> None:
    stranger.status, stranger.body, stranger.retry_after = status, body, retry_after
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spotify.json"
        JsonFile(file).save(
            {
                "client_id": "c",
                "consented_at": time.time(),
                "expires_at": time.time() + 3600,
                "access_token": "a",
                "refresh_token": "r",
                "scope": "user-modify-playback-state user-read-playback-state",
                "token_type": "Bearer",
            }
        )
        given_settings = load(
            PlayerSettings,
            player="spotify",
            spotify_client_id="c",
            spotify_token_file=file,
            spotify_app="no-such-program",
            spotify_api_url=f"{stranger.url}/v1",
            spotify_accounts_url=stranger.url,
        )
        output = create_output(given_settings)
        try:
            for ask in (output.check, lambda: output.play((SONG,)), output.pause, lambda: output.set_volume(30)):
                begun = time.monotonic()
                with contextlib.suppress(MoodstreamError):
                    assert (await ask()).state in STATES
                assert time.monotonic() - begun < 10
            for look in (output.list_devices, lambda: output.find_song(SONG)):
                with contextlib.suppress(MoodstreamError):
                    await look()
        finally:
            await output.close()
