"""Opening and closing by the hours: what is done, and that it happens without Redis, too."""

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from moodstream.contracts.events import RequestMade, StatusChanged
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.opening_control import OpeningControl
from services.gateway.state.opening_hours import Opening, OpeningHours
from shared.contracts.site_state import SiteState
from tests.support.gateways import connected_bus
from tests.support.scenes import CAMERA, mood_changed, new_session


class Switch(OpeningHours):
    """Hours that change when the test says so."""

    open = True

    def at(self, now: datetime) -> Opening:
        return Opening(self.open, None)


def switch() -> Switch:
    return Switch(((),) * 7, frozenset(), ZoneInfo("UTC"))


async def test_closing_ends_visits_and_pauses_and_opening_wakes_the_camera(redis_url: str) -> None:
    hours, state, announced = switch(), SiteState(CAMERA), []
    state.apply(mood_changed(Mood.HAPPY, new_session(), phase="start"))
    async with connected_bus(redis_url) as bus:
        control = OpeningControl(bus, state, hours, hours.zone)
        running = asyncio.create_task(control.run(lambda: announced.append(control.opening.open)))
        try:
            object.__setattr__(hours, "open", False)
            wanted = ["session.end", "player.command", "camera.pause"]
            async with asyncio.timeout(20):
                async for entry in bus.follow({RequestMade: "0-0"}, block_ms=100):
                    if entry and isinstance(entry[1], RequestMade) and entry[1].kind == wanted[0]:
                        wanted.pop(0)
                    if not wanted:
                        break
                object.__setattr__(hours, "open", True)
                while (await bus.newest(RequestMade, 1))[0].model_dump()["body"].get("seconds") != 0:
                    await asyncio.sleep(0.1)
                while len(await bus.newest(StatusChanged, 5)) < 2:
                    await asyncio.sleep(0.1)
            published = [one.model_dump(include={"state", "code"}) for one in await bus.newest(StatusChanged, 5)]
            assert published == [{"state": "online", "code": "open"}, {"state": "online", "code": "closed"}]
            assert announced == [False, True]
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_it_closes_although_redis_is_away(tmp_path: Path) -> None:
    hours, state, announced = switch(), SiteState(CAMERA), []
    with contextlib.ExitStack() as first:
        url = first.enter_context(embedded_redis(tmp_path / "redis"))
        async with connected_bus(url) as bus:
            control = OpeningControl(bus, state, hours, hours.zone)
            first.close()
            running = asyncio.create_task(control.run(lambda: announced.append(control.opening.open)))
            try:
                await asyncio.sleep(0.2)
                object.__setattr__(hours, "open", False)
                async with asyncio.timeout(20):
                    while not announced:
                        await asyncio.sleep(0.05)
                assert announced == [False]
                assert control.opening.open is False
            finally:
                running.cancel()
                await asyncio.wait([running])
