"""A simulated network camera: MJPEG and snapshots over HTTP, with every fault on demand."""

import base64
import contextlib
import socket
import struct
import threading
import time
from typing import Literal

import numpy as np

from tests.support.pictures import encoded, noise

Mode = Literal[
    "good",
    "stall",
    "closed",
    "freeze",
    "black",
    "covered",
    "garbage",
    "bomb",
    "endless",
    "truncated",
    "slow",
    "flood",
    "one",
]
BOMB_SIDE = 60_000


def bomb() -> bytes:
    """A small JPEG that claims 60,000 x 60,000 pixels."""
    jpeg = bytearray(encoded(noise(64, 64)))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack(">HH", BOMB_SIDE, BOMB_SIDE)
    return bytes(jpeg)


def coloured(level: int | None, seed: int = 0, size: tuple[int, int] = (240, 320)) -> bytes:
    """A JPEG: noise, or one level everywhere but for a little noise."""
    if level is None:
        return encoded(noise(*size, seed=seed))
    random = np.random.default_rng(seed).integers(-2, 3, size)
    return encoded(np.clip(level + random, 0, 255).astype(np.uint8))


class MjpegServer:
    """Serves ``/video`` and ``/snapshot.jpg``; ``mode`` may be changed at any time."""

    def __init__(self, rate: float = 20.0, password: str | None = None) -> None:
        self.rate, self.password = rate, password
        self.mode: str = "good"
        self.connections = 0
        self.paths: list[str] = []
        self._pictures = {
            "good": [coloured(None, seed) for seed in range(40)],
            "black": [coloured(2, seed) for seed in range(10)],
            "covered": [coloured(70, seed) for seed in range(10)],
        }
        self._bomb, self._sent = bomb(), 0
        self._socket: socket.socket | None = None
        self._port = 0
        self._open: set[socket.socket] = set()
        self._ended = False
        self._listen()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/video"

    @property
    def snapshot(self) -> str:
        return f"http://127.0.0.1:{self._port}/snapshot.jpg"

    def set(self, mode: Mode) -> None:
        """``closed`` is a camera without power: nobody listens, and what was open breaks."""
        before, self.mode = self.mode, mode
        if mode == "closed":
            self._close()
        elif before == "closed":
            self._listen()

    def end(self) -> None:
        self._ended = True
        self._close()

    def _listen(self) -> None:
        self._socket = listener = socket.create_server(("127.0.0.1", self._port), backlog=16)
        self._port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with client, contextlib.suppress(OSError):
            request = client.recv(4096).decode("latin-1")
            if not request:  # a capture process that was ended before it had asked
                return
            self.paths.append(request.split(" ")[1])
            if self.password is not None:
                wanted = base64.b64encode(f"user:{self.password}".encode()).decode()
                if f"Basic {wanted}" not in request:
                    client.sendall(
                        b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="c"\r\nContent-Length: 0\r\n'
                        b"Connection: close\r\n\r\n"
                    )
                    return
            self.connections += "User-Agent" in request  # a capture process names itself, a probe does not
            if "snapshot" in request:
                self._send_snapshot(client)
            else:
                self._send_video(client)
        self._open.discard(client)

    def _send_snapshot(self, client: socket.socket) -> None:
        while self.mode == "stall":
            time.sleep(0.05)
        body = self._picture()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        client.sendall(head.encode() + body)

    def _send_video(self, client: socket.socket) -> None:
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        given = 0
        while not self._ended:
            if self.mode == "stall":
                time.sleep(0.05)
                continue
            if self.mode == "one" and given:
                return
            if self.mode == "endless":
                client.sendall(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + b"\xff\xd8" + b"x" * 65536)
                while self.mode == "endless":
                    client.sendall(b"x" * 65536)
                return
            if self.mode == "garbage":
                client.sendall(
                    b"--frame\r\nContent-Type: image/jpeg\r\n\r\n<html>what</html>" + bytes(range(256)) + b"\r\n"
                )
            else:
                body = self._picture()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                client.sendall(head.encode() + body + b"\r\n")
            given += 1
            time.sleep(1 / {"slow": 1.5, "flood": 2000.0}.get(self.mode, self.rate))

    def _picture(self) -> bytes:
        self._sent += 1
        if self.mode == "bomb":
            return self._bomb
        if self.mode == "freeze":
            return self._pictures["good"][0]
        some = self._pictures.get(self.mode, self._pictures["good"])
        picture = some[self._sent % len(some)]
        return picture[: len(picture) // 2] if self.mode == "truncated" else picture
