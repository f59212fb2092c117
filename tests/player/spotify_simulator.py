"""A stand-in for Spotify's Web API, since the real one needs an account: answers as told, hangs, refuses.

It speaks the few calls of the player and fails in the ways that Spotify documents.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Simulator:
    """What it will answer next, and what it was asked."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    """(status, headers, JSON or bytes) of the next calls; when used up, 204"""
    devices: list[dict[str, Any]] = field(default_factory=list)
    hang_s: float = 0.0
    calls: list[tuple[str, str, Any]] = field(default_factory=list)


@contextmanager
def spotify_simulator() -> Iterator[Simulator]:
    simulator = Simulator()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            simulator.calls.append((self.command, self.path, json.loads(body) if body else None))
            time.sleep(simulator.hang_s)
            if self.path.startswith("/v1/me/player/devices"):
                self._send(200, {}, {"devices": simulator.devices})
            else:
                self._send(*(simulator.answers.pop(0) if simulator.answers else (204, {}, None)))

        do_GET = do_PUT = do_POST = _answer

        def _send(self, status: int, headers: dict[str, str], content: Any) -> None:
            body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """The test's own output stays readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    simulator.url = f"http://127.0.0.1:{server.server_address[1]}/v1/"
    try:
        yield simulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
