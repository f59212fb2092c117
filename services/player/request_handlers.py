"""The requests that the player answers: commands, what it does now, what it could play on."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from moodstream.contracts.events import RequestMade
from moodstream.contracts.requests import (
    AskPlayer,
    CheckPlayerSettings,
    CommandPlayer,
    Device,
    Devices,
    ListDevices,
    PlayerState,
    PlayerStatus,
    Request,
    SiteSettings,
)
from moodstream.errors import MoodstreamError
from services.player.action_results import ActionResults
from services.player.outputs import Output
from services.player.playback import PlaybackPublisher
from services.player.programme.state_machine import Programme
from shared.app.site_settings import SettingsDesk
from shared.delivery.serve import Handler

REPLY_S = 0.7
"""A reply comes within a second: if the output takes longer, the reply says what plays until then."""
DEVICES_S = 4.6
UPCOMING_SHOWN = 10


class RequestHandlers:
    """Each raises MoodstreamError to refuse."""

    def __init__(
        self,
        programme: Programme,
        output: Output,
        playback: PlaybackPublisher,
        results: ActionResults,
        desk: SettingsDesk[Any],
        wake: Callable[[], None],
    ) -> None:
        """``wake`` is called when there is something to do."""
        self._programme, self._output, self._playback = programme, output, playback
        self._results, self._desk, self._wake = results, desk, wake

    def by_kind(self) -> Mapping[type[Request[Any]], Handler]:
        return {
            CommandPlayer: self._command,
            AskPlayer: self._status,
            ListDevices: self._list_devices,
            CheckPlayerSettings: self._check_settings,
        }

    async def _command(self, request: CommandPlayer, made: RequestMade) -> PlayerState:
        action = self._programme.apply_command(request, made, datetime.now().astimezone())
        self._wake()
        await self._results.wait_for(action, REPLY_S)
        return PlayerState.model_validate(self._playback.now.model_dump())

    async def _status(self, _: AskPlayer, __: RequestMade) -> PlayerStatus:
        now = self._playback.now.model_dump(exclude={"id", "type", "trace_id", "session_id"})
        coming, missing = self._programme.upcoming[:UPCOMING_SHOWN], tuple(self._programme.missing.values())
        return PlayerStatus.model_validate({**now, "coming": coming, "missing": missing})

    async def _list_devices(self, _: ListDevices, __: RequestMade) -> Devices:
        try:
            async with asyncio.timeout(DEVICES_S):
                found = await self._output.list_devices()
        except TimeoutError:
            raise MoodstreamError(f"{self._output.name} does not answer") from None
        return Devices(tuple(Device(id=one.id, name=one.name, active=one.active) for one in found))

    async def _check_settings(self, request: CheckPlayerSettings, _: RequestMade) -> SiteSettings:
        return await asyncio.to_thread(self._desk.answer, request.values)
