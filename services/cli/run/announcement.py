"""Says where the page is once it answers, and meanwhile, now and then, that it is still starting."""

import asyncio
import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator

from services.cli.run.child_environment import READY

STILL_STARTING_S = 6.0


@contextlib.contextmanager
def waiting_for_child(say: Callable[[str], None], text: str) -> Iterator[int]:
    """Give the end of a line for the child; whenever it says that it is ready, ``say`` the text and let it go on."""
    ours, theirs = socket.socketpair()
    waiting = threading.Thread(target=_wait, args=(ours, say, text), daemon=True)
    waiting.start()
    with ours:
        try:
            yield theirs.fileno()
        finally:
            theirs.close()  # the last of this end: whoever still waits, wakes
            waiting.join()


def _wait(line: socket.socket, say: Callable[[str], None], text: str) -> None:
    waited_s = 0.0
    while not select.select([line], [], [], STILL_STARTING_S)[0]:
        waited_s += STILL_STARTING_S
        say(f"Still starting ({waited_s:.0f} s)")
    while line.recv(1):  # nothing, once the child and its parent are at their end
        say(text)
        with contextlib.suppress(OSError):  # the child has died meanwhile, and another comes
            line.sendall(b"1")


async def announce_ready() -> None:
    """In the child: everything works. Returns when that is announced."""
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=os.dup(int(os.environ[READY]))) as line:
        line.setblocking(False)
        await loop.sock_sendall(line, b"1")
        await loop.sock_recv(line, 1)
