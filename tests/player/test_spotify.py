"""Spotify's ways to fail, each with the state it shows; no call blocks, none comes before its time."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from services.player.spotify import SCOPES, SpotifyOutput
from shared.errors import MoodstreamError
from shared.events import Song
from tests.player.spotify_simulator import Simulator, spotify_simulator

SONG = Song(id="t1", title="A title", artist="An artist", uri="spotify:track:t1")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with spotify_simulator() as running:
        yield running


def token(file: Path, expires_in_s: float = 3600) -> Path:
    file.write_text(
        json.dumps(
            {
                "access_token": "an access token",
                "refresh_token": "a refresh token",
                "scope": SCOPES,
                "token_type": "Bearer",
                "expires_in": 3600,
                "expires_at": int(time.time() + expires_in_s),
            }
        )
    )
    return file


@pytest.fixture
def output(simulator: Simulator, tmp_path: Path) -> SpotifyOutput:
    return SpotifyOutput(
        "client", "http://127.0.0.1:8080/callback", token(tmp_path / "token"), simulator.url, "http://page/login"
    )


async def test_a_song_plays(output: SpotifyOutput, simulator: Simulator) -> None:
    assert (await output.play(SONG)).state == "playing"
    assert simulator.calls == [("PUT", "/v1/me/player/play", {"uris": ["spotify:track:t1"]})]


async def test_pause_and_resume(output: SpotifyOutput, simulator: Simulator) -> None:
    assert (await output.pause()).state == "paused"
    assert (await output.resume()).state == "playing"
    assert [path for _, path, _ in simulator.calls] == ["/v1/me/player/pause", "/v1/me/player/play"]


def refusal(status: int, reason: str = "", **headers: str) -> tuple[int, dict[str, str], object]:
    return status, headers, {"error": {"status": status, "message": reason, "reason": reason}}


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [(401, "signed_out", "http://page/login"), (403, "unavailable", "Premium"), (500, "unavailable", "500")],
)
async def test_refusals_say_what_to_do(
    output: SpotifyOutput, simulator: Simulator, status: int, state: str, words: str
) -> None:
    simulator.answers = [refusal(status)]
    outcome = await output.play(SONG)
    assert outcome.state == state
    assert words in outcome.message


async def test_an_idle_device_is_named_and_so_woken(output: SpotifyOutput, simulator: Simulator) -> None:
    simulator.answers = [refusal(404, "NO_ACTIVE_DEVICE")]
    simulator.devices = [{"id": "speaker", "name": "Speaker"}]
    assert (await output.play(SONG)).state == "playing"
    assert simulator.calls[-1][1] == "/v1/me/player/play?device_id=speaker"


async def test_no_device_at_all_is_said(output: SpotifyOutput, simulator: Simulator) -> None:
    simulator.answers = [refusal(404, "NO_ACTIVE_DEVICE")]
    assert (await output.play(SONG)).state == "no_device"


async def test_nothing_is_sent_before_retry_after_has_passed(output: SpotifyOutput, simulator: Simulator) -> None:
    simulator.answers = [refusal(429, "rate", **{"Retry-After": "1"})]
    start = time.monotonic()
    assert (await output.play(SONG)).state == "rate_limited"
    assert (await output.play(SONG)).state == "rate_limited"
    assert time.monotonic() - start < 0.9
    assert len(simulator.calls) == 1
    while (await output.play(SONG)).state == "rate_limited":
        await asyncio.sleep(0.05)
    assert time.monotonic() - start >= 1
    assert len(simulator.calls) == 2


@pytest.mark.parametrize("header", ["soon", "", "-5", "1e400"])
async def test_a_senseless_retry_after_is_survived(output: SpotifyOutput, simulator: Simulator, header: str) -> None:
    simulator.answers = [refusal(429, "rate", **{"Retry-After": header})]
    assert (await output.play(SONG)).state == "rate_limited"


async def test_a_service_that_hangs_blocks_nobody_for_five_seconds(output: SpotifyOutput, simulator: Simulator) -> None:
    simulator.hang_s = 6
    start = time.monotonic()
    assert (await output.play(SONG)).state == "unavailable"
    assert time.monotonic() - start < 5


async def test_garbage_is_survived(output: SpotifyOutput, simulator: Simulator) -> None:
    simulator.answers = [(502, {}, b"<html>bad gateway</html>")]
    assert (await output.play(SONG)).state == "unavailable"


async def test_a_service_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = SpotifyOutput("client", "http://127.0.0.1:8080/", token(tmp_path / "token"), "http://127.0.0.1:9/v1/")
    assert (await away.play(SONG)).state == "unavailable"


async def test_without_a_token_it_is_signed_out_and_asks_nobody(simulator: Simulator, tmp_path: Path) -> None:
    output = SpotifyOutput("client", "http://127.0.0.1:8080/", tmp_path / "new", simulator.url, "http://page/login")
    assert (await output.check()).state == "signed_out"
    assert (await output.play(SONG)).message == "Sign in to Spotify at http://page/login"
    assert simulator.calls == []
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


async def test_a_broken_token_file_is_signed_out(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("not JSON")
    output = SpotifyOutput("client", "http://127.0.0.1:8080/", tmp_path / "token", simulator.url)
    assert (await output.play(SONG)).state == "signed_out"


async def test_a_song_without_a_spotify_address_is_said(output: SpotifyOutput, simulator: Simulator) -> None:
    outcome = await output.play(Song(id="x", title="Local song", artist="Somebody"))
    assert outcome.state == "unavailable"
    assert "Local song" in outcome.message
    assert simulator.calls == []


async def test_signing_in_uses_pkce_and_refuses_a_foreign_answer(output: SpotifyOutput) -> None:
    query = parse_qs(urlsplit(output.login_address()).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://127.0.0.1:8080/callback"]
    for state in ("", "foreign", "ü"):
        with pytest.raises(MoodstreamError, match="not started here"):
            await output.finish_login("a code", state)
