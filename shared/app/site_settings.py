"""What operators may set of a service: described for their page, and tried out as at the start of the service. Pure."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import JsonValue

from moodstream.contracts.requests import SettingFault, SettingValue, SiteSetting, SiteSettings
from moodstream.errors import MoodstreamError, SettingError
from shared.settings import Settings, load, set_by_environment
from shared.site_file import instead_of_file, operator_fields, read_site_file

S = TypeVar("S", bound=Settings)
SetBy = Literal["environment", "file", "default"]


class SettingsDesk(Generic[S]):
    """Answers ``CheckSettings`` of one service; reads the file each time, so it may block for a moment."""

    def __init__(self, running: S, check: Callable[[S], object]) -> None:
        """``running`` are the settings of the start; ``check`` raises MoodstreamError as the start would."""
        self._running, self._check = running, check
        self._kind = type(running)

    def answer(self, values: Mapping[str, Any] | None) -> SiteSettings:
        """Raises MoodstreamError where the file or the environment is no good as it is."""
        return SiteSettings(settings=self._describe(), fault=None if values is None else self._fault(values))

    def _load(self) -> S:
        return load(self._kind, site_settings=self._running.site_settings)

    def _fault(self, values: Mapping[str, Any]) -> SettingFault | None:
        known = operator_fields(self._kind)
        if strange := next((name for name in values if name not in known), None):
            return SettingFault(name=None, error=f"{strange}: there is no such setting here")
        try:
            with instead_of_file(values):
                self._check(self._load())
        except SettingError as error:
            name = error.setting.removeprefix("MOODSTREAM_").lower()
            return SettingFault(name=name if name in known else None, error=str(error))
        except MoodstreamError as error:
            return SettingFault(name=None, error=str(error))
        return None

    def _describe(self) -> tuple[SiteSetting, ...]:
        now, above, file = self._load(), set_by_environment(self._kind), read_site_file(self._running.site_settings)
        with instead_of_file({}):
            unset = self._load()
        schemas = self._kind.model_json_schema()["properties"]

        def set_by(name: str) -> SetBy:
            return "environment" if name in above else "file" if name in file else "default"

        names = operator_fields(self._kind)
        return tuple(self._setting(name, schemas[name], now, unset, set_by(name)) for name in names)

    def _setting(self, name: str, schema: Mapping[str, Any], now: S, unset: S, set_by: SetBy) -> SiteSetting:
        field, live = self._kind.model_fields[name], schema["operator"] == "live"
        kinds = [schema, *schema.get("anyOf", ())]
        choices = next((one["enum"] for one in kinds if "enum" in one), ())
        types = {one.get("type") for one in kinds}
        control = "choice" if choices else "flag" if "boolean" in types else "text"
        if types & {"integer", "number"}:
            control = "number"
        value, default = getattr(now, name), field.default if set_by == "environment" else getattr(unset, name)
        return SiteSetting(
            name=name,
            variable=f"MOODSTREAM_{name.upper()}",
            value=_plain(value),
            default=_plain(default),
            set_by=set_by,
            control="lines" if "lines" in schema else cast(Any, control),
            choices=tuple(choices),
            minimum=_bound(kinds, "minimum"),
            maximum=_bound(kinds, "maximum"),
            live=live,
            pending=not live and value != getattr(self._running, name),
            meaning=field.description or "",
        )


def _plain(value: object) -> SettingValue:
    return str(value) if isinstance(value, Path) else cast(SettingValue, value)


def _bound(kinds: list[Mapping[str, Any]], name: str) -> float | None:
    found: JsonValue = next((one[name] for one in kinds if name in one), None)
    return float(found) if isinstance(found, int | float) else None
