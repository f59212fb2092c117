"""A visitor without a token who does to a gateway whatever a socket can do, for a while, from an address of his own."""

import base64
import contextlib
import json
import socket
import time
from random import Random

ADDRESS = "127.0.0.2"
"""Another of this machine than the visitors', so that its limits are not theirs."""
MAX_HELD = 30
ATTACKS = ("half a request", "garbage", "camera", "body", "path", "socket", "deep", "token", "picture")


def visit(port: int, for_s: float, seed: str) -> int:
    """Attack after attack; gives how many. Connections that are held open are let go at the end."""
    random, held, count = Random(seed), list[socket.socket](), 0
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError):  # refused, cut off or restarted just now: rightly
            one = socket.create_connection(("127.0.0.1", port), 1, source_address=(ADDRESS, 0))
            attack = random.choice(ATTACKS)
            one.sendall(_bytes(attack, random))
            if attack in ("half a request", "socket"):
                held.append(one)
            else:
                one.settimeout(0.3)
                with contextlib.suppress(OSError):
                    one.recv(4_096)
                one.close()
        count += 1
        while len(held) > MAX_HELD:
            held.pop(0).close()
        time.sleep(0.02)
    for one in held:
        one.close()
    return count


def _bytes(attack: str, random: Random) -> bytes:
    match attack:
        case "half a request":
            return b"POST /api/v1/moods HTTP/1.1\r\nHost: localhost\r\nContent-Le"
        case "garbage":
            return random.randbytes(random.randint(1, 3_000))
        case "camera":
            invented = f"invented-{random.randrange(10_000)}\x1b[2J"
            return _post("/api/v1/moods", json.dumps({"mood": "sad", "camera_id": invented}).encode())
        case "body":
            return _post("/api/v1/feedback", b"x" * random.choice((10, 20_000, 300_000)))
        case "path":
            dots = "%2e%2e/" * random.randint(1, 9)
            return f"GET /music/{dots}etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        case "socket":
            return _upgrade("/api/v1/frames") + _frame(random.randbytes(random.randint(1, 2_000)))
        case "deep":
            return _post("/api/v1/picks", b"[" * random.randint(1_000, 9_000))
        case "token":
            token = base64.b64encode(random.randbytes(20)).decode()
            head = f"Host: localhost\r\nAuthorization: Bearer {token}"
            return f"GET /api/v1/operator/status HTTP/1.1\r\n{head}\r\n\r\n".encode()
        case _:
            jpeg = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + random.randbytes(2_000)
            return _post(f"/api/v1/frames?camera=c{random.randrange(500)}", jpeg, "image/jpeg")


def _post(path: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def _frame(body: bytes) -> bytes:
    """One binary frame of RFC 6455, masked with zeros."""
    return b"\x82\xfe" + len(body).to_bytes(2, "big") + bytes(4) + body
