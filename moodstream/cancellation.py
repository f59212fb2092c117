"""Connections to Redis that heed a cancellation.

Until Python 3.12, ``asyncio.wait_for`` forgets that it was cancelled when what it waits for comes in the same turn of
the loop (https://github.com/python/cpython/issues/86296). redis-py sends each command that way, so that every second
cancellation around a command was lost, and time-outs with them, which are cancellations, too.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

T = TypeVar("T")


async def heed(work: Awaitable[T]) -> T:
    """Await the work of a library that may lose a cancellation; raises CancelledError where it has lost one."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    result = await work
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return result


class Heedful:
    """Stands before a connection class of redis-py."""

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        try:
            await heed(super().send_packed_command(*arguments, **options))  # type: ignore[misc]
        except asyncio.CancelledError:
            # the command may be on its way, and its answer must not be taken for that to the next one
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise


class _Tcp(Heedful, Connection):
    pass


class _Tls(Heedful, SSLConnection):
    pass


class _Unix(Heedful, UnixDomainSocketConnection):
    pass


def connection_class(url: str) -> type[Any]:
    """The class of the connections to this address: ``redis://``, ``rediss://`` or ``unix://``."""
    kinds = {"rediss": _Tls, "unix": _Unix}
    return kinds.get(url.partition("://")[0], _Tcp)
