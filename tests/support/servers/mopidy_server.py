"""A real Mopidy that speaks MPD's protocol, with a folder of generated WAV files and no sound card."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from mpd import MPDClient

from tests.support.needs import missing
from tests.support.ports import free_port

START_S = 60.0

CONFIG = """
[core]
cache_dir = {folder}/cache
config_dir = {folder}/config
data_dir = {folder}/data
[audio]
output = fakesink sync=true
[mpd]
hostname = 127.0.0.1
port = {port}
[http]
enabled = false
[local]
media_dir = {folder}/music
[file]
enabled = true
media_dirs = {folder}/music
"""


@contextlib.contextmanager
def mopidy_server(folder: Path) -> Iterator[str]:
    """Serve ``folder/music``, which is scanned first; gives the address."""
    program = shutil.which("mopidy")
    if program is None:
        missing("mopidy")
    assert program is not None
    port = free_port()
    config, log = folder / "mopidy.conf", folder / "mopidy.log"
    config.write_text(CONFIG.format(folder=folder, port=port))
    with log.open("wb") as lines:
        subprocess.run([program, "--config", config, "local", "scan"], stdout=lines, stderr=lines, check=True)
        process = subprocess.Popen([program, "--config", config], stdout=lines, stderr=lines)
    try:
        _wait_until_up(process, port, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        client = MPDClient()
        with contextlib.suppress(OSError):
            client.connect("127.0.0.1", port)
            client.disconnect()
            return
        time.sleep(0.1)
    raise AssertionError(f"mopidy did not start: {log.read_text()[-1_000:]}")
