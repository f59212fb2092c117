"""MPD as the images have it, Snapcast's server as its image has it, and a loudspeaker that writes into a file."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moodstream.contracts.events import Song
from services.player.mpd import MpdOutput
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.servers.mpd_server import Mpd, mpd_server, tone

ROOT = Path(__file__).parents[2]
TONE = Song(id="1", title="Tone", artist="Nobody", uri="file:tone.wav")
WITHIN_S = 30.0


class Rooms:
    """The programs and where they listen."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stream, self.control = folder, free_port(), free_port()
        self.heard = folder / "heard.raw"

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        program = shutil.which(command[0]) or missing(command[0])
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            environment = os.environ | {"HOME": str(self.folder)}
            return subprocess.Popen([program, *command[1:]], stdout=log, stderr=log, env=environment)

    def configuration(self) -> Path:
        """That of the image, with other ports and folders."""
        text = (ROOT / "deploy" / "snapcast" / "snapserver.conf").read_text()
        for old, new in (
            ("1704", str(self.stream)),
            ("1705", str(self.control)),
            ("0.0.0.0", "127.0.0.1"),
            ("/data", str(self.folder)),
            ("/rooms/mpd", str(self.folder / "pipe")),
        ):
            assert old in text
            text = text.replace(old, new)
        file = self.folder / "snapserver.conf"
        file.write_text(text)
        return file

    async def ask(self, method: str) -> Any:
        """Snapcast's JSON-RPC. Raises OSError while nobody listens."""
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.control)
            writer.write(json.dumps({"id": 1, "jsonrpc": "2.0", "method": method}).encode() + b"\r\n")
            while "result" not in (answer := json.loads(await reader.readline())):
                pass  # it tells everybody what changes, too
            writer.close()
        return answer["result"]

    async def stream_is(self, state: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    [stream] = (await self.ask("Server.GetStatus"))["server"]["streams"]
                    if stream["status"] == state:
                        assert stream["id"] == "moodstream"
                        return
                except OSError:
                    pass
                await asyncio.sleep(0.1)


def output_of_the_image(pipe: Path) -> str:
    """The output ``rooms`` of the image's configuration, which writes into another pipe."""
    text = (ROOT / "deploy" / "mpd" / "mpd.conf").read_text()
    found: str
    [found] = [one for one in re.findall(r"audio_output \{.*?\n\}\n", text, re.DOTALL) if '"rooms"' in one]
    return found.replace("/rooms/mpd", str(pipe))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mpd]:
    folder = tmp_path_factory.mktemp("rooms")
    os.mkfifo(folder / "pipe")  # as the command of the image does
    tone(folder / "music" / "tone.wav", "Tone", "Nobody")
    with mpd_server(folder, outputs=output_of_the_image(folder / "pipe")) as running:
        running.update()
        yield running


async def test_what_mpd_plays_is_heard_in_another_room_also_after_the_server_was_away(daemon: Mpd) -> None:
    rooms = Rooms(daemon.folder)
    server = rooms.start("snapserver", "--config", str(rooms.configuration()))
    output = MpdOutput(daemon.address)
    client = None
    try:
        await rooms.stream_is("idle")
        assert (await output.play([TONE])).state == "playing"
        await rooms.stream_is("playing")
        client = rooms.start(
            "snapclient", "-h", "127.0.0.1", "-p", str(rooms.stream), "--player", f"file:filename={rooms.heard}"
        )
        await loud(rooms.heard)
        server.kill()
        server.wait()
        assert (daemon.folder / "pipe").is_fifo(), "who ends takes no pipe away that another writes to"
        server = rooms.start("snapserver", "--config", str(rooms.configuration()))
        await rooms.stream_is("playing")
        before = rooms.heard.stat().st_size
        await loud(rooms.heard, before)
    finally:
        await output.close()
        for process in (server, client):
            if process is not None:
                process.kill()
                process.wait()


def not_silent(file: Path, after: int) -> int:
    """Bytes other than 0."""
    sound = file.read_bytes()[after:] if file.exists() else b""
    return len(sound) - sound.count(0)


async def loud(file: Path, after: int = 0) -> None:
    """Until half a second of sound that is not silence was written."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if await asyncio.to_thread(not_silent, file, after) > 48_000:
                return
            await asyncio.sleep(0.1)
