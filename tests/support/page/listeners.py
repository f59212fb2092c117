"""A crowd that listens to a gateway's live events, some of whom never read what they asked for."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

LISTEN = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
AGAIN_S = 0.5
DEAF_S = 60.0
"""How long one who does not read holds a connection before the next one; the gateway cuts it off after half of that."""
NARROW_BYTES = 32_768


@dataclass
class Crowd:
    """What it has done so far."""

    port: int
    heard_bytes: int = 0
    connections: int = 0


@contextlib.contextmanager
def crowd(port: int, readers: int, deaf: int) -> Iterator[Crowd]:
    """So many listeners for as long as the block runs; who is refused or cut off comes back."""
    over, whole = threading.Event(), Crowd(port)
    thread = threading.Thread(target=lambda: asyncio.run(_listen(whole, readers, deaf, over)), daemon=True)
    thread.start()
    try:
        yield whole
    finally:
        over.set()
        thread.join()


async def _listen(whole: Crowd, readers: int, deaf: int, over: threading.Event) -> None:
    tasks = [asyncio.create_task(_again(_read, whole)) for _ in range(readers)]
    tasks += [asyncio.create_task(_again(_hold, whole)) for _ in range(deaf)]
    while not over.is_set():
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _again(listen: Callable[[Crowd], Awaitable[None]], whole: Crowd) -> None:
    while True:
        with contextlib.suppress(OSError):
            await listen(whole)
        await asyncio.sleep(AGAIN_S)


async def _read(whole: Crowd) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", whole.port)
    with contextlib.closing(writer):
        writer.write(LISTEN)
        whole.connections += 1
        while some := await reader.read(65_536):
            whole.heard_bytes += len(some)


async def _hold(whole: Crowd) -> None:
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
        narrow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(narrow, ("127.0.0.1", whole.port))
        await loop.sock_sendall(narrow, LISTEN)
        whole.connections += 1
        await asyncio.sleep(DEAF_S)
