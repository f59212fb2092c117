"""Who has asked for an action can wait for what becomes of it."""

import asyncio

from moodstream.errors import MoodstreamError
from services.player.programme.actions import Action


class ActionResults:
    """A future for each action that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: dict[Action, asyncio.Future[None]] = {}

    async def wait_for(self, action: Action, timeout_s: float) -> None:
        """Returns when the action is done, or after the time. Raises MoodstreamError when the output refused it."""
        done = self._waiting[action] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(done)
        except TimeoutError:
            done.add_done_callback(lambda late: late.exception())  # else asyncio complains that nobody has read it

    def settle(self, action: Action, error: MoodstreamError | None = None) -> None:
        """The action is done, or the output has refused it."""
        done = self._waiting.pop(action, None)
        if done is None or done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def settle_all(self) -> None:
        """For actions that have to wait themselves, such as for the end of a rate limit."""
        for action in list(self._waiting):
            self.settle(action)
