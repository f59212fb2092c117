"""How soon a pick is heard, and whether the music comes back: ``python -m benchmarks.player [COUNT] [--away SECONDS]``.

Needs mpd. The first part times a real Music Player Daemon with a null output, from before the ranking is published
until the daemon itself says that another song plays. With ``--away``, MPD and the simulated Spotify are then taken
away for so long while rankings go on, and it is measured how soon after their return the next song plays.
"""

import argparse
import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from moodstream.contracts.events import PlaybackChanged, Song
from moodstream.contracts.requests import AskPlayer
from services.cli.run.embedded_redis import embedded_redis
from services.player.mpd import MpdOutput
from shared.bus.connection import Bus
from tests.support.players import playback_where, player, ranked, state_is
from tests.support.servers.mpd_server import Mpd, mpd_server, tone
from tests.support.simulated_spotify import SimulatedSpotify, create_spotify_output, sign_in
from tests.support.wires import p95

SONGS = [Song(id=f"s{n}", title=f"Song {n}", artist="Ola Verano") for n in range(20)]
TRACKS = [song.model_copy(update={"uri": f"spotify:track:{n:022d}"}) for n, song in enumerate(SONGS)]
BACK_S = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=200)
    parser.add_argument("--away", type=float, default=0.0, metavar="SECONDS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, mpd_server(Path(folder)) as daemon:
        for song in SONGS:
            tone(Path(folder) / "music" / f"{song.id}.wav", song.title, song.artist)
        daemon.update()
        with embedded_redis() as url:
            asyncio.run(times(url, daemon, given.count))
        if given.away:
            with embedded_redis() as url:
                asyncio.run(mpd_away(url, daemon, given.away))
            with embedded_redis() as url:
                asyncio.run(spotify_away(url, Path(folder), given.away))
    return 0


async def times(url: str, daemon: Mpd, count: int) -> None:
    delays = []
    async with player(url, MpdOutput(daemon.address)) as bus:
        await state_is(bus, "ready")
        for number in range(count):
            song = SONGS[number % len(SONGS)]
            heard = asyncio.create_task(asyncio.to_thread(plays, daemon, f"{song.id}.wav"))
            await asyncio.sleep(0.2)
            begun = time.perf_counter()
            await bus.publish(ranked(song, *SONGS))
            delays.append(1000 * (await heard - begun))
    load = os.getloadavg()[0]
    half, most = statistics.median(delays), max(delays)
    print(f"ranking -> MPD plays: {count} picks, p50 {half:.1f} ms, p95 {p95(delays):.1f} ms, most {most:.1f} ms")
    print(f"load {load:.1f} on {os.cpu_count()} cores", flush=True)


def plays(daemon: Mpd, file: str) -> float:
    """The moment at which MPD says that it plays this file; it is asked every 2 ms over one connection."""
    with socket.create_connection(("127.0.0.1", daemon.port), 5) as connection:
        lines = connection.makefile("rw", encoding="utf-8", newline="\n")
        lines.readline()
        while True:
            found = {}
            for command in ("currentsong", "status"):
                lines.write(command + "\n")
                lines.flush()
                while not (line := lines.readline()).startswith("OK"):
                    name, _, value = line.rstrip("\n").partition(": ")
                    found[name] = value
            if found.get("file") == file and found.get("state") == "play":
                return time.perf_counter()
            time.sleep(0.002)


async def mpd_away(url: str, daemon: Mpd, seconds: float) -> None:
    async with player(url, MpdOutput(daemon.address)) as bus:
        await bus.publish(ranked(*SONGS))
        await state_is(bus, "playing")
        start = await bus.last_id(PlaybackChanged)
        daemon.stop()
        await gone(bus, start, seconds, SONGS)
        start = await bus.last_id(PlaybackChanged)
        begun = time.perf_counter()
        await asyncio.to_thread(daemon.start)
        await state_is(bus, "playing", start=start, within_s=BACK_S)
        took_s = time.perf_counter() - begun
        print(f"MPD away for {seconds:.0f} s: plays again {took_s:.1f} s after its return", flush=True)


async def spotify_away(url: str, folder: Path, seconds: float) -> None:
    spotify = SimulatedSpotify()
    spotify.start()
    sign_in(spotify, folder / "spotify.json")
    async with player(url, create_spotify_output(spotify, folder)) as bus:
        await bus.publish(ranked(*TRACKS))
        await state_is(bus, "playing")
        start = await bus.last_id(PlaybackChanged)
        spotify.stop()
        await gone(bus, start, seconds, TRACKS)
        last = ranked(TRACKS[7])
        await bus.publish(last)
        start = await bus.last_id(PlaybackChanged)
        begun = time.perf_counter()
        spotify.start()
        await playback_where(bus, lambda event: event.song == TRACKS[7], start, BACK_S)
        took_s = time.perf_counter() - begun
    spotify.stop()
    print(f"Spotify away for {seconds:.0f} s: the newest pick plays {took_s:.1f} s after its return", flush=True)


async def gone(bus: Bus, start: str, seconds: float, songs: list[Song]) -> None:
    """While the output is away rankings go on; the player answers within a second all the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await bus.publish(ranked(songs[int(time.monotonic()) % 5]))
        await bus.ask(AskPlayer())  # raises when the player does not answer
        await asyncio.sleep(min(5.0, max(0.0, until - time.monotonic())))
    await state_is(bus, "unavailable", start=start)


if __name__ == "__main__":
    sys.exit(main())
