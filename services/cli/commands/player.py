"""``moodstream player``."""

import argparse
import json
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from moodstream.contracts.requests import AskPlayer, CommandPlayer, ListDevices, PlayerStatus, Request
from moodstream.errors import MoodstreamError
from services.cli.connection import redis_url
from services.cli.options import Commands, add_command, add_group, add_json
from services.cli.redis_client import check_redis
from services.player.commands import ask, try_output
from services.player.main import PlayerSettings, create_login
from services.player.outputs import Outcome
from services.player.spotify.terminal_login import sign_in
from shared.exit_codes import EXIT_FAILED
from shared.settings import load

SONGS_TRIED = 20

R = TypeVar("R", bound=BaseModel)


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    player = add_group(commands, "player")
    text = "Show what the player is doing, what it needs, and which songs it could not find."
    add_json(add_command(player, "status", status, text))
    devices = add_json(add_command(player, "devices", devices_list, "List the devices it can play on."))
    devices.add_argument("--use", metavar="NAME", help="play on this device from now on; a name or an id")
    add_command(player, "login", login, "Sign in to Spotify; works without a browser on this machine.")
    text = "Test the configured player: whether it answers, and whether it finds songs."
    test = add_json(add_command(player, "test", player_test, text))
    test.add_argument("--catalogue", type=Path, metavar="FILE", help="search for the songs of this table")
    test.add_argument("-n", type=int, default=SONGS_TRIED, help=f"songs to search for; 0 for all ({SONGS_TRIED})")


def status(given: argparse.Namespace) -> int:
    """Ask the running player."""
    now = _ask(AskPlayer())
    if given.json:
        print(now.model_dump_json())
        return 0
    song = f" {now.song.name}" if now.song else ""
    about = [f"on {now.device}"] if now.device else []
    about += [f"volume {now.volume} %"] if now.volume is not None else []
    print(f"{now.output}: {now.state.replace('_', ' ')}{song}" + (f" ({', '.join(about)})" if about else ""))
    if now.message:
        print(f"  {now.message}")
    for one in now.coming[:3]:
        print(f"  next: {one.name}")
    for one in now.missing:
        print(f"  not found: {one.name}")
    return 0


def devices_list(given: argparse.Namespace) -> int:
    """List the devices of the running player, or choose one."""
    if given.use:
        _ask(CommandPlayer(command="transfer", device=given.use))
    for one in _ask(ListDevices()).root:
        print(one.model_dump_json() if given.json else f"{'*' if one.active else ' '} {one.name}  ({one.id})")
    return 0


def login(given: argparse.Namespace) -> int:
    """Sign in to Spotify; a running player picks up the token within seconds."""
    sign_in(create_login(load(PlayerSettings)), sys.stdin, sys.stdout)
    return 0


def player_test(given: argparse.Namespace) -> int:
    """Print state, devices, and which songs are found. Returns 1 when it could not play.

    Where a site runs, its player says how it does, and its output is the one that is looked into.
    """
    songs = _songs(given.catalogue, given.n)
    running = _running()
    trial = try_output(load(PlayerSettings, player=running.output if running else None), songs)
    if running:
        trial = replace(trial, outcome=Outcome(running.state, running.message))
    works = trial.outcome.state in ("ready", "playing", "paused")
    missing = [song for song, place in trial.found if place is None]
    if given.json:
        found = {"output": trial.name, "state": trial.outcome.state, "message": trial.outcome.advice}
        found["devices"] = [one.name for one in trial.devices]  # type: ignore[assignment]
        found["songs"] = len(trial.found)  # type: ignore[assignment]
        found["missing"] = [song.model_dump(mode="json") for song in missing]  # type: ignore[assignment]
        print(json.dumps(found))
    else:
        print(f"{trial.name}: {trial.outcome.state.replace('_', ' ')}. {trial.outcome.advice}".rstrip())
        for one in trial.devices:
            print(f"  device: {one.name}")
        if trial.found:
            print(f"  {len(trial.found) - len(missing)} of {len(trial.found)} songs were found")
        for song in missing:
            print(f"  not found: {song.name}")
    return 0 if works else EXIT_FAILED


def _running() -> PlayerStatus | None:
    """The player of the site that runs here; None where there is no site."""
    try:
        redis_url()
    except MoodstreamError:
        return None
    return _ask(AskPlayer())


def _songs(catalogue: Path | None, count: int) -> Any:
    if count < 0:
        raise MoodstreamError("-n must be 0 or more")
    # not in an image of the player alone
    from services.recommender.commands import open_songs
    from services.recommender.main import RecommenderSettings

    songs = open_songs(catalogue or load(RecommenderSettings).catalogue)
    step = max(1, len(songs) // count) if count else 1  # from all over the table
    return islice((songs.song(position) for position in range(0, len(songs), step)), count or None)


def _ask(request: Request[R]) -> R:
    url = redis_url()
    check_redis(url)
    return ask(url, request)
