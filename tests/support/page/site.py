"""The whole of Moodstream as `moodstream run` starts it, in processes of its own, with a token for the operator."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.gateways import ROOT
from tests.support.ports import free_port

TOKEN = "a-token-of-the-operator"
START_S = 90.0


@dataclass(frozen=True)
class Site:
    url: str
    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def services(self) -> int:
        """The process id of the child that holds the services."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(one) for one in children if b"_services" in Path(f"/proc/{one}/cmdline").read_bytes())


@contextlib.contextmanager
def site(folder: Path, *arguments: str, **settings: str) -> Iterator[Site]:
    """Ready; ended when the test is over, however it ends."""
    port = free_port()
    environment = os.environ | {
        "MOODSTREAM_OPERATOR_TOKEN": TOKEN,
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        **settings,
    }
    command = [sys.executable, "-m", "services", "run", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/health/ready", timeout=5).status_code == 200:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError("moodstream run did not start")
        yield Site(url, folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
