"""Reading and changing what operators may set: each service describes and checks its settings, by its own rules."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.requests import (
    CheckMoodSettings,
    CheckPlayerSettings,
    CheckSettings,
    CheckSongSettings,
    SiteSetting,
    SiteSettings,
)
from moodstream.errors import MoodstreamError
from services.gateway.site_settings.file import Changed, SettingsFile, Stored
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.web.operator import Who

ASKED: Mapping[str, type[CheckSettings]] = {
    "recommender": CheckSongSettings,
    "player": CheckPlayerSettings,
    "emotion": CheckMoodSettings,
}
OWN = "gateway"
ANSWER_S = 3.0
TRIES = 5
AUDITED = 50


class Refused(Exception):
    """A change that is not made; ``status`` is that of HTTP."""

    def __init__(self, status: int, text: str, setting: str | None = None) -> None:
        super().__init__(text)
        self.status, self.setting = status, setting


@dataclass(frozen=True)
class Group:
    """The settings of one service."""

    service: str
    settings: Sequence[SiteSetting] = ()
    fault: str | None = None
    """why nothing is known of it now"""

    def to_json(self) -> dict[str, Any]:
        settings = [one.model_dump(mode="json") for one in self.settings]
        return {"service": self.service, "fault": self.fault, "settings": settings}


class SettingsControl:
    """The gateway alone writes the file; each service follows it by itself."""

    def __init__(self, bus: Bus, own: SettingsDesk[Any], file: SettingsFile) -> None:
        self._bus, self._own, self._file = bus, own, file

    async def read(self) -> tuple[Stored, list[Group]]:
        """The file, and the settings of every service that answers. Raises Refused where the file is no good."""
        stored = await self._stored()
        return stored, list(await asyncio.gather(*map(self._group, (OWN, *ASKED))))

    async def audited(self) -> list[dict[str, Any]]:
        """The newest entries of the audit, newest first."""
        return await asyncio.to_thread(self._file.audit.newest, AUDITED)

    async def change(self, version: str, values: Mapping[str, Any], who: Who) -> None:
        """Set some; None goes back to the default. All or nothing. Raises Refused."""
        stored, groups = await self.read()
        if version != stored.version:
            raise _changed()
        owners = {one.name: (group.service, one) for group in groups for one in group.settings}
        for name in values:
            if name not in owners:
                away = [group.service for group in groups if group.fault is not None]
                why = f"; {', '.join(away)} does not answer" if away else ""
                raise Refused(504 if away else 422, f"{name}: no service has such a setting{why}")
            if owners[name][1].set_by == "environment":
                raise Refused(409, f"{name}: {owners[name][1].variable} sets it, and overrules this page", name)
        wanted = {name: value for name, value in {**stored.values, **values}.items() if value is not None}
        for service in sorted({owners[name][0] for name in values}):
            its = {name: value for name, value in wanted.items() if name in owners and owners[name][0] == service}
            await self._check(service, its)
        await self._write(version, values, who, "settings")

    async def set(self, name: str, value: Any, who: Who) -> None:
        """One setting, whatever else was changed meanwhile; None goes back to the default. Raises Refused."""
        for _ in range(TRIES):
            try:
                await self.change((await self._stored()).version, {name: value}, who)
                return
            except Refused as refused:
                if refused.status != 412:
                    raise
        raise _changed()

    async def block(self, line: str, remark: str, who: Who) -> None:
        """One song or artist more that is never offered. Raises Refused."""
        await self._edit("block", lambda lines: lines if line in lines else [*lines, f"# {remark}", line], who)

    async def correct(self, song_id: str, mood: Mood | None, remark: str, who: Who) -> None:
        """The mood of a song, which the operator knows better; None goes by the model again. Raises Refused."""

        def edit(lines: list[str]) -> list[str]:
            kept = [line for line in lines if line not in (f"# {remark}", *(f"{song_id} {one.value}" for one in MOODS))]
            return kept if mood is None else [*kept, f"# {remark}", f"{song_id} {mood.value}"]

        await self._edit("corrected", edit, who)

    async def _edit(self, name: str, edit: Callable[[list[str]], list[str]], who: Who) -> None:
        """Change the lines of a setting, again where somebody else was quicker."""
        for _ in range(TRIES):
            stored = await self._stored()
            before = [line.strip() for line in str(stored.values.get(name, "")).splitlines() if line.strip()]
            if (after := edit(before)) == before:
                return
            try:
                await self.change(stored.version, {name: "\n".join([*after, ""]) if after else None}, who)
                return
            except Refused as refused:
                if refused.status != 412:
                    raise
        raise _changed()

    async def note(self, who: Who, what: str) -> None:
        """Into the audit, before it is done. Raises Refused where that cannot be: then it is not done."""
        try:
            await asyncio.to_thread(self._file.note, who, what)
        except OSError as error:
            raise Refused(507, f"it cannot be noted in the audit, so it is not done: {error.strerror}") from None

    async def _stored(self) -> Stored:
        try:
            return await asyncio.to_thread(self._file.read)
        except MoodstreamError as error:
            raise Refused(409, str(error)) from None
        except OSError as error:
            raise Refused(409, f"{self._file.path}: {error.strerror}") from None

    async def _group(self, service: str) -> Group:
        try:
            return Group(service, (await self._ask(service, None)).settings)
        except MoodstreamError as error:
            return Group(service, fault=str(error))

    async def _check(self, service: str, values: Mapping[str, Any]) -> None:
        try:
            fault = (await self._ask(service, values)).fault
        except MoodstreamError as error:
            raise Refused(504, str(error)) from None
        if fault is not None:
            raise Refused(422, fault.error, fault.name)

    async def _ask(self, service: str, values: Mapping[str, Any] | None) -> SiteSettings:
        """Raises MoodstreamError."""
        if service == OWN:
            return await asyncio.to_thread(self._own.answer, values)
        asked = ASKED[service](values=None if values is None else dict(values))
        return await self._bus.ask(asked, ANSWER_S)

    async def _write(self, version: str, values: Mapping[str, Any], who: Who, what: str) -> None:
        try:
            await asyncio.to_thread(self._file.change, version, values, who, what)
        except Changed:
            raise _changed() from None
        except MoodstreamError as error:
            raise Refused(409, str(error)) from None
        except OSError as error:
            raise Refused(507, f"the settings could not be stored, and stay as they were: {error.strerror}") from None


def _changed() -> Refused:
    return Refused(412, "somebody else has changed the settings meanwhile; look at them, then save again")
