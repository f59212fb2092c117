"""Whether there is a newer Moodstream: asked of an address that the operator names, once a day, and not at all without.

The request is a ``GET`` that says nothing of this place. The answer is JSON: ``{"version": "1.2.3"}``, or what PyPI
says of a package, ``{"info": {"version": "1.2.3"}}``.
"""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
from pydantic import BaseModel, ConfigDict, ValidationError

from moodstream import __version__
from moodstream.contracts.events import Moment, utc_now
from shared.files import replacing
from shared.web.guarded_http import GuardedNetwork

log = logging.getLogger("moodstream.gateway")

EVERY = timedelta(days=1)
LOOK_EVERY_S = 2.0
"""after a change of the address"""
TIMEOUT_S = 10.0
MAX_BYTES = 1 << 20
"""PyPI tells all files of all versions, too"""
VERSION = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})")
REDIRECTS = range(300, 400)


class NotTold(Exception):
    """One line."""


class Found(BaseModel):
    """What was found out last; it outlives a restart, so that no start asks before a day is over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str
    at: Moment
    version: str | None = None
    fault: str | None = None

    @property
    def is_newer(self) -> bool:
        return self.version is not None and numbers(self.version) > numbers(__version__)


class Updates:
    """``tell`` is called with a version that is newer than this one."""

    def __init__(self, file: Path, address: str, tell: Callable[[str], Awaitable[None]], *, private: bool) -> None:
        """``private``: the address may be one of the own network, and be spoken to without TLS."""
        self.address, self._file, self._tell, self._private = address, file, tell, private
        self.found: Found | None = None

    async def run(self) -> None:
        """For ever; without an address nobody is asked."""
        self.found = await asyncio.to_thread(self._read)
        while True:
            if self.address and self._is_due(utc_now()):
                await self._ask(self.address)
            await asyncio.sleep(LOOK_EVERY_S)

    def to_json(self) -> dict[str, Any] | None:
        """Of the address that is set now; None where none is, or it has not answered yet."""
        found = self.found
        if not self.address or found is None or found.address != self.address:
            return None
        told = found.model_dump(mode="json", include={"at", "version", "fault"})
        return told | {"newer": found.is_newer, "running": __version__}

    def _is_due(self, now: datetime) -> bool:
        found = self.found
        if found is None or found.address != self.address:
            return True
        return not timedelta(0) <= now - found.at < EVERY  # also where the clock was set back

    async def _ask(self, address: str) -> None:
        version, fault = None, None
        try:
            version = await newest_version(address, private=self._private)
        except NotTold as error:
            fault = str(error)
            log.warning("whether there is a newer version is not known: %s", fault)
        self.found = Found(address=address, at=utc_now(), version=version, fault=fault)
        try:
            await asyncio.to_thread(self._write, self.found)
        except OSError as error:
            log.warning("%s: %s; after a restart it is asked once more", self._file, error.strerror)
        if version is not None and self.found.is_newer:
            await self._tell(version)

    def _read(self) -> Found | None:
        try:
            return Found.model_validate_json(self._file.read_bytes()[:MAX_BYTES])
        except (OSError, ValidationError):
            return None

    def _write(self, found: Found) -> None:
        with replacing(self._file) as file:
            file.write(found.model_dump_json().encode())


async def newest_version(address: str, *, private: bool) -> str:
    """What the address tells. Raises NotTold; redirects are not followed, as they could lead anywhere."""
    network = GuardedNetwork(private, "MOODSTREAM_UPDATE_PRIVATE=true", MAX_BYTES)
    headers: list[tuple[bytes | str, bytes | str]] = [("accept", "application/json"), ("user-agent", "moodstream")]
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context(), network_backend=network) as pool,
        ):
            answer = await pool.request("GET", address, headers=headers)
    except TimeoutError:
        raise NotTold(f"no answer within {TIMEOUT_S:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise NotTold(str(error) or type(error).__name__) from None
    if answer.status in REDIRECTS:
        raise NotTold(f"it answered {answer.status}, a redirect, which is not followed: set the address it leads to")
    if answer.status != 200:
        raise NotTold(f"it answered {answer.status}")
    return _version_in(answer.content)


def _version_in(content: bytes) -> str:
    """Raises NotTold."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise NotTold("its answer is not JSON") from None
    for one in (told, told.get("info") if isinstance(told, dict) else None):
        version = one.get("version") if isinstance(one, dict) else None
        if isinstance(version, str) and VERSION.fullmatch(version):
            return version.removeprefix("v")
    raise NotTold('its answer has no version, such as {"version": "1.2.3"}')


def numbers(version: str) -> tuple[int, ...]:
    """To compare by; 1.2 and 1.2.0 are the same."""
    found = VERSION.match(version)
    parts = [int(part) for part in found[1].split(".")] if found else []
    return tuple(parts + [0] * (4 - len(parts)))
