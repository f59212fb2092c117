"""What is cancelled ends, whatever a library makes of the cancellation, or is named and left behind."""

import asyncio
import logging
import time
from typing import Any

import pytest

from shared.tasks import end_tasks

NEVER = 1_000
"""Cancellations in vain; more than any test here makes until it sees to its end."""


async def deaf(times: int) -> None:
    """Goes on after so many cancellations, as a library may."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def loses_it_in_wait_for() -> None:
    """The way in which redis-py and aiomqtt do it until Python 3.12."""
    while True:
        await asyncio.wait_for(asyncio.sleep(0), 5)


async def released(*tasks: "asyncio.Task[Any]") -> None:
    """So that the test itself can end."""
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.sleep(0)


async def begun(*tasks: "asyncio.Task[Any]") -> None:
    await asyncio.sleep(0)
    assert not [task for task in tasks if task.done()]


async def test_a_task_that_loses_cancellations_is_cancelled_until_it_ends() -> None:
    tasks = [asyncio.create_task(deaf(0)), asyncio.create_task(deaf(2)), asyncio.create_task(loses_it_in_wait_for())]
    await begun(*tasks)
    assert await end_tasks(*tasks, within_s=20)
    assert all(task.cancelled() for task in tasks)


async def test_one_that_never_ends_is_named_and_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    ends, never, named = (asyncio.create_task(deaf(times)) for times in (0, NEVER, NEVER))
    named.set_name("the drummer")
    await begun(ends, never, named)
    with caplog.at_level(logging.ERROR):
        assert not await end_tasks(ends, never, named, within_s=0.2)
    assert "exiting without waiting for: deaf, the drummer" in caplog.text
    assert ends.cancelled()
    await released(never, named)


async def test_whoever_cleans_up_and_is_cancelled_cleans_up_first() -> None:
    slow = asyncio.create_task(deaf(2))
    await begun(slow)
    cleaning = asyncio.create_task(end_tasks(slow, within_s=20))
    await begun(cleaning)
    cleaning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cleaning
    assert slow.cancelled()


async def test_cancelled_for_ever_it_still_ends_in_time() -> None:
    never = asyncio.create_task(deaf(NEVER))
    await begun(never)
    cleaning, begun_s = asyncio.create_task(end_tasks(never, within_s=0.5)), time.monotonic()
    while not cleaning.done():
        cleaning.cancel()
        await asyncio.sleep(0.05)
    assert cleaning.cancelled()
    await released(never)
    assert time.monotonic() - begun_s < 10


async def test_what_has_ended_by_itself_costs_nothing() -> None:
    done = asyncio.create_task(asyncio.sleep(0))
    await done
    assert await end_tasks(done)
    assert await end_tasks()
