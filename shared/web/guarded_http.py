"""HTTP to addresses that somebody else has named: no private address unless allowed, and no endless answer."""

import asyncio
import socket
from typing import Any

import httpcore

from shared.networks import is_public

MAX_ANSWER_BYTES = 16 * 1024
"""Of an answer whose body is not read."""


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up once, checks what it stands for, and connects to just that: a name cannot change in between."""

    def __init__(self, private: bool, allowed_by: str, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        """``allowed_by``: what its owner sets to allow private addresses."""
        self._allowed_by = allowed_by
        self._private, self._max_bytes, self._network = private, max_bytes, httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *more: Any, **settings: Any) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error.strerror}") from None
        except UnicodeError:  # of the IDNA codec
            raise httpcore.ConnectError(f"{host}: no name of a host") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._private and not all(is_public(address) for address in addresses):
            raise httpcore.ConnectError(f"{host} has a private address; allow it with {self._allowed_by}")
        for address in addresses[:-1]:
            try:
                return BoundedStream(await self._network.connect_tcp(address, port, *more, **settings), self._max_bytes)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return BoundedStream(await self._network.connect_tcp(addresses[-1], port, *more, **settings), self._max_bytes)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection on which an answer is short. Whatever the other side sends beyond that ends it.

    The library reads on as long as something comes, such as one "103 Early Hints" after the other, and would keep the
    whole process busy with it.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, max_bytes: int) -> None:
        self._stream, self._max_bytes, self._left = stream, max_bytes, max_bytes

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore.ReadError(f"the answer has more than {self._max_bytes} bytes")
        data = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._left = self._max_bytes  # for the answer to what is asked now
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *given: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._stream.start_tls(*given, **named), self._max_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
