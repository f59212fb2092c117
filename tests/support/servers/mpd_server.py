"""A real Music Player Daemon with a null output and a few generated WAV files."""

import contextlib
import math
import shutil
import signal
import socket
import struct
import subprocess
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.needs import missing
from tests.support.ports import free_port

RATE = 8_000
START_S = 20.0

CONFIG = """
music_directory "{folder}/music"
playlist_directory "{folder}/playlists"
db_file "{folder}/database"
pid_file "{folder}/pid"
bind_to_address "127.0.0.1"
port "{port}"
auto_update "no"
filesystem_charset "UTF-8"
zeroconf_enabled "no"
{password}
audio_output {{
    type "null"
    name "Hall"
    mixer_type "null"
}}
audio_output {{
    type "null"
    name "Garden"
    mixer_type "null"
    enabled "no"
}}
"""


def tone(file: Path, title: str = "", artist: str = "", seconds: float = 30.0, hertz: float = 220.0) -> None:
    """A sine in a WAV file; with a title it carries ID3 tags, as taggers write them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cycle = [int(8_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)]
    samples = struct.pack(f"<{RATE}h", *cycle) * int(seconds)
    samples += struct.pack(f"<{RATE}h", *cycle)[: 2 * int(RATE * (seconds % 1))]
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples)
    if title:
        _tag(file, {"TIT2": title, "TPE1": artist})


def _tag(file: Path, frames: dict[str, str]) -> None:
    body = b""
    for name, text in frames.items():
        content = b"\x03" + text.encode()
        body += name.encode() + struct.pack(">IH", len(content), 0) + content
    size = len(body)
    head = b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    tag = head + body + b"\x00" * ((len(head) + size) % 2)
    whole = bytearray(file.read_bytes() + b"id3 " + struct.pack("<I", len(tag)) + tag)
    whole[4:8] = struct.pack("<I", len(whole) - 8)
    file.write_bytes(whole)


@dataclass
class Mpd:
    """Starts, stops and starts again on the same port."""

    folder: Path
    password: str = ""
    outputs: str = ""
    """more of them, as in its configuration"""
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("mpd")
        if program is None:
            missing("mpd")
        assert program is not None
        (self.folder / "playlists").mkdir(exist_ok=True)
        config = self.folder / "mpd.conf"
        password = (
            f'password "{self.password}@read,add,control,admin"\ndefault_permissions "read"' if self.password else ""
        )
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, password=password) + self.outputs)
        command = [program, "--no-daemon", "--stderr", str(config)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.send_command("ping")
                return
            time.sleep(0.02)
        raise AssertionError("mpd did not start")

    def send_command(self, command: str) -> dict[str, str]:
        """One command over a connection of its own; gives the answer's lines as a table."""
        with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
            lines = connection.makefile("rw", encoding="utf-8", newline="\n")
            if not lines.readline().startswith("OK MPD"):
                raise OSError("no greeting")
            if self.password:
                lines.write(f"password {self.password}\n")
                lines.flush()
                lines.readline()
            lines.write(command + "\n")
            lines.flush()
            answer: dict[str, str] = {}
            for line in lines:
                if line.startswith(("OK", "ACK")):
                    return answer
                name, _, value = line.rstrip("\n").partition(": ")
                answer[name] = value
        raise OSError("no end of the answer")

    def update(self) -> None:
        """Read the music folder anew."""
        self.send_command("update")
        while "updating_db" in self.send_command("status"):
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def mpd_server(folder: Path, password: str = "", outputs: str = "") -> Iterator[Mpd]:
    daemon = Mpd(folder, password, outputs)
    (folder / "music").mkdir(exist_ok=True)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
