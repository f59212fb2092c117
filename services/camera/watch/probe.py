"""A cheap, frequent check whether a camera that is down answers again, so that its restart need not wait."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from services.camera.rules.address import host_and_port, webcam_number

TIMEOUT_S = 2.0
PICTURE_BYTES = 400
"""A body longer than this counts as pictures."""


async def probe_camera(address: str) -> str | None:
    """A short text that changes when the camera's answer changes; None when it does not answer.

    No password is sent: "401" is an answer, too.
    """
    number = webcam_number(address)
    if number is not None:
        return "device" if await asyncio.to_thread(Path(f"/dev/video{number}").exists) else None
    place = host_and_port(address)
    if place is None:
        return None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _ask(address, *place)
    except (OSError, TimeoutError, ValueError):
        return None


async def _ask(address: str, host: str, port: int) -> str:
    parts = urlsplit(address)
    scheme = parts.scheme.lower()
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # nothing secret is sent, and the answer is not trusted
    reader, writer = await asyncio.open_connection(host, port, ssl=trust if scheme in ("https", "rtsps") else None)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if scheme.startswith("rtsp"):
            request = f"DESCRIBE rtsp://{host}:{port}{path} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
        else:
            request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].split(b" ")[1].decode("ascii")
        return status + (await _pictures(reader) if scheme.startswith("http") else "")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
        return "odd"
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(0.2):
                await writer.wait_closed()


async def _pictures(reader: asyncio.StreamReader) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_S / 2):
            await reader.readexactly(PICTURE_BYTES)
    except (TimeoutError, asyncio.IncompleteReadError):
        return ""
    return " with pictures"
