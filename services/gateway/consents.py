"""How many visitors agreed to be seen or heard, declined, stopped, withdrew; how often an operator looked; by day.

Numbers alone, in Redis, gone after a while.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from services.gateway.state.report import CONSENTS
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

    async def count_voice(self, choice: str, now: datetime) -> None:
        """One more was asked whether the page may hear them."""
        await self._add(f"voice_{choice}", now)

    async def count_view(self, now: datetime) -> None:
        """An operator looks through a camera once more."""
        await self._add("viewed", now)

    async def _add(self, name: str, now: datetime) -> None:
        key = self._key(now.date())
        await self._bus.redis.hincrby(key, name, 1)
        await self._bus.redis.expire(key, KEPT_DAYS * 86_400)

    async def newest(self, now: datetime) -> list[dict[str, Any]]:
        """The last days, newest first."""
        return await self.read_days([now.date() - timedelta(days=ago) for ago in range(SHOWN_DAYS)])

    async def read_days(self, days: Iterable[date]) -> list[dict[str, Any]]:
        """What was counted on each of these days."""
        found: list[dict[str, Any]] = []
        for day in days:
            counts = {name.decode(): int(n) for name, n in (await self._bus.redis.hgetall(self._key(day))).items()}
            found.append({"day": day.isoformat(), **{name: counts.get(name, 0) for name in CONSENTS}})
        return found

    def _key(self, day: date) -> str:
        return self._bus.key("consents", day.isoformat())
