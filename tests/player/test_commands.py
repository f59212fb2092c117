"""``moodstream player``, as a person runs it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from services.player.outputs import Device, Outcome
from tests.support.gateways import ROOT
from tests.support.players import SONGS, ScriptedOutput, player, ranked, state_is
from tests.support.simulated_spotify import SimulatedSpotify, sign_in, spotify_settings


class Radio(ScriptedOutput):
    """Has a device, and lacks a song."""

    async def play(self, songs: object) -> Outcome:
        if songs[0].id == "s0":  # type: ignore[index]
            return Outcome("unavailable", "not here", skip=True)
        return await super().play(songs)

    async def list_devices(self) -> list[Device]:
        return [Device("1", "Kitchen", True), Device("2", "Hall", False)]


async def moodstream(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services", "player", *arguments],
        cwd=ROOT,
        env=clean | {f"MOODSTREAM_{name}": value for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_status_and_devices_of_the_player_that_runs(redis_url: str) -> None:
    async with player(redis_url, Radio()) as bus:
        await bus.publish(ranked(*SONGS))
        await state_is(bus, "playing")
        status, as_json, devices, wrong = await asyncio.gather(
            moodstream("status", REDIS_URL=redis_url),
            moodstream("status", "--json", REDIS_URL=redis_url),
            moodstream("devices", REDIS_URL=redis_url),
            moodstream("devices", "--use", "Cellar", REDIS_URL=redis_url),
        )
    assert status.stdout.splitlines() == [
        "browser: playing Song 1 - A",
        "  next: Song 2 - A",
        "  next: Song 3 - A",
        "  not found: Song 0 - A",
    ]
    assert json.loads(as_json.stdout)["song"]["id"] == "s1"
    assert devices.stdout == "* Kitchen  (1)\n  Hall  (2)\n"
    assert (wrong.returncode, wrong.stderr) == (1, "moodstream: the player browser has no devices to choose from\n")


async def test_without_a_player_it_is_one_line(redis_url: str) -> None:
    alone, away = await asyncio.gather(
        moodstream("status", REDIS_URL=redis_url), moodstream("status", REDIS_URL="redis://127.0.0.1:9/0")
    )
    assert (alone.returncode, alone.stderr) == (1, "moodstream: the player does not answer\n")
    assert (away.returncode, len(away.stderr.splitlines())) == (1, 1)


async def test_trying_the_output_says_which_songs_it_has(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    given = spotify_settings(spotify, tmp_path)
    environment = {
        "PLAYER": "spotify",
        "SPOTIFY_CLIENT_ID": given.spotify_client_id,
        "SPOTIFY_TOKEN_FILE": str(given.spotify_token_file),
        "SPOTIFY_API_URL": spotify.api_url,
        "SPOTIFY_ACCOUNTS_URL": spotify.accounts_url,
        "SPOTIFY_APP": "no-such-program",
    }
    sign_in(spotify, given.spotify_token_file)
    works = await moodstream("test", "-n", "4", **environment)
    assert works.returncode == 0, works.stderr
    assert "spotify: ready." in works.stdout
    assert "4 of 4 songs were found" in works.stdout


async def test_trying_asks_the_site_that_runs(redis_url: str) -> None:
    async with player(redis_url, ScriptedOutput()) as bus:
        await bus.publish(ranked(*SONGS))
        await state_is(bus, "playing")
        done, other = await asyncio.gather(
            moodstream("test", "-n", "1", "--json", REDIS_URL=redis_url, PLAYER="log"),
            moodstream("test", "-n", "1", REDIS_URL="redis://127.0.0.1:9/0"),
        )
    told = json.loads(done.stdout)
    assert (told["output"], told["state"]) == ("browser", "playing")
    assert (other.returncode, len(other.stderr.splitlines())) == (1, 1)


async def test_wrong_use_is_one_line() -> None:
    tries = (("test", "-n", "-1"), ("login",))
    for done in await asyncio.gather(*(moodstream(*arguments, PLAYER="log") for arguments in tries)):
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
