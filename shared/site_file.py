"""What operators set on their page: one TOML file, which counts where neither the environment nor ``.env`` says more.

A setting may stand in it if its field says so: ``LIVE`` where the service takes a change up while it runs, ``AT_START``
where it has to be started again. The keys are the names of the settings in small letters: ``opening_hours = "..."``.
"""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from moodstream.errors import MoodstreamError
from shared.paths import data_home

LIVE: dict[str, JsonValue] = {"operator": "live"}
LIVE_LINES: dict[str, JsonValue] = {"operator": "live", "lines": True}
"""A text of several lines."""
AT_START: dict[str, JsonValue] = {"operator": "start"}
MAX_BYTES = 256 * 1024

_instead: ContextVar[Mapping[str, Any] | None] = ContextVar("instead", default=None)


def default_site_file() -> Path:
    """In the user's data folder."""
    return data_home() / "moodstream" / "settings.toml"


def operator_fields(kind: type[BaseSettings]) -> dict[str, Mapping[str, JsonValue]]:
    """The settings that may stand in the file, with what their fields say of them."""
    extras = {name: field.json_schema_extra for name, field in kind.model_fields.items()}
    return {name: extra for name, extra in extras.items() if isinstance(extra, dict) and "operator" in extra}


def read_site_file(path: Path) -> dict[str, Any]:
    """All that stands in it; nothing where there is no file. Raises MoodstreamError."""
    try:
        with path.open("rb") as file:
            return parse_site_file(file.read(MAX_BYTES + 1), path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MoodstreamError(f"MOODSTREAM_SITE_SETTINGS: {path}: {error.strerror}") from None


def parse_site_file(content: bytes, path: Path) -> dict[str, Any]:
    """What the bytes of such a file say. Raises MoodstreamError."""
    if len(content) > MAX_BYTES:
        raise MoodstreamError(f"MOODSTREAM_SITE_SETTINGS: {path} is larger than {MAX_BYTES} bytes")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise MoodstreamError(f"MOODSTREAM_SITE_SETTINGS: {path} is not in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise MoodstreamError(f"MOODSTREAM_SITE_SETTINGS: {path}: {error}") from None


@contextlib.contextmanager
def instead_of_file(values: Mapping[str, Any]) -> Iterator[None]:
    """Settings that are made meanwhile take these values instead of those in the file: to try them out."""
    token = _instead.set(values)
    try:
        yield
    finally:
        _instead.reset(token)


class SiteFile(PydanticBaseSettingsSource):
    """Reads the file that the environment, ``.env`` or the default names."""

    def __init__(
        self, kind: type[BaseSettings], given: Mapping[str, Any], *named_by: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(kind)
        self._named = given.get("site_settings")
        for source in named_by:
            if isinstance(source, EnvSettingsSource):
                self._named = self._named or source.env_vars.get("moodstream_site_settings")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = operator_fields(self.settings_cls)
        if not fields:
            return {}
        values = _instead.get()
        if values is None:
            values = read_site_file(Path(self._named) if self._named else default_site_file())
        return {name: values[name] for name in fields if name in values}
