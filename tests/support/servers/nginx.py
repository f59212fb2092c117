"""A real nginx before a gateway, with the configuration that the documentation gives."""

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support.gateways import ROOT, Gateway
from tests.support.needs import missing
from tests.support.ports import free_port

CONFIG = (ROOT / "deploy" / "nginx" / "moodstream.conf").read_text("utf-8")
START_S = 10.0


@contextlib.contextmanager
def nginx(config: str, gateway: Gateway, folder: Path, path: str = "") -> Iterator[int]:
    """The port on which it listens, without TLS: browsers take 127.0.0.1 for safe. ``path`` is where the pages lie."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or missing("nginx")
    port = free_port()
    server = re.sub(r"(?m)^ *ssl_certificate.*$", "", config)
    server = server.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(
        "127.0.0.1:8080", f"127.0.0.1:{gateway.port}"
    )
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{server} }}\n"
    )
    with subprocess.Popen([program, "-e", folder / "error.log", "-p", folder, "-c", file]) as process:
        try:
            deadline = time.monotonic() + START_S
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{port}{path}/health/live").status_code == 200:
                        break
                time.sleep(0.05)
            else:
                raise AssertionError(f"nginx did not start: {(folder / 'error.log').read_text()}")
            yield port
        finally:
            process.terminate()
