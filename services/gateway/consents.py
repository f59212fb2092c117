"""How many visitors agreed, declined and withdrew, and how often an operator looked through a camera, by day.

Numbers alone, in Redis, gone after a while.
"""

from datetime import datetime, timedelta
from typing import Any

from shared.bus.connection import Bus

KEPT_DAYS = 31
SHOWN_DAYS = 7


class Consents:
    """Days are those of the site's own time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def count(self, choice: str, by: str, now: datetime) -> None:
        """One more."""
        await self._add(choice if choice != "given" else f"given_by_{by}", now)

    async def count_view(self, now: datetime) -> None:
        """An operator looks through a camera once more."""
        await self._add("viewed", now)

    async def _add(self, name: str, now: datetime) -> None:
        key = self._key(now)
        await self._bus.redis.hincrby(key, name, 1)
        await self._bus.redis.expire(key, KEPT_DAYS * 86_400)

    async def read_days(self, now: datetime) -> list[dict[str, Any]]:
        """The last days, newest first."""
        found: list[dict[str, Any]] = []
        for ago in range(SHOWN_DAYS):
            day = now - timedelta(days=ago)
            counts = {name.decode(): int(n) for name, n in (await self._bus.redis.hgetall(self._key(day))).items()}
            names = ("given_by_touch", "given_by_stay", "declined", "withdrawn", "viewed")
            found.append({"day": day.date().isoformat(), **{name: counts.get(name, 0) for name in names}})
        return found

    def _key(self, day: datetime) -> str:
        return self._bus.key("consents", day.date().isoformat())
