"""Secrets from files, as Docker's images take them: of a secret setting X, ``MOODSTREAM_X_FILE`` names a file with it.

Without that, the file ``/run/secrets/moodstream_x`` is used where there is one; ``MOODSTREAM_SECRETS`` names another
folder. What has ``repr=False`` is secret.
"""

import os
import stat
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from moodstream.errors import MoodstreamError

FOLDER = "MOODSTREAM_SECRETS"
"""Environment variable that names another folder for them."""

MOUNTED = Path("/run/secrets")
"""Where containers find their secrets. Only the container sees these files, so their mode does not matter."""

MAX_BYTES = 64 * 1024


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that the other sources, the environment and ``.env``, name."""

    def __init__(self, kind: type[BaseSettings], *named_by: PydanticBaseSettingsSource) -> None:
        super().__init__(kind)
        self._prefix = str(self.config.get("env_prefix", ""))
        self._given: dict[str, str | None] = {}
        for source in reversed(named_by):
            if isinstance(source, EnvSettingsSource):
                self._given |= source.env_vars

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._secret(field_name) if field.repr is False else None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = ((name, self.get_field_value(field, name)[0]) for name, field in self.settings_cls.model_fields.items())
        return {name: value for name, value in found if value is not None}

    def _secret(self, name: str) -> str | None:
        variable = f"{self._prefix}{name}".lower()
        file = self._given.get(f"{variable}_file")
        setting = f"{variable}_file".upper()
        if file and self._given.get(variable):
            raise MoodstreamError(f"{setting}: {variable.upper()} is set as well; set one of them only")
        if file:
            return read_secret(Path(file), setting)
        mounted = Path(os.environ.get(FOLDER) or MOUNTED) / variable
        return read_secret(mounted, variable.upper()) if not self._given.get(variable) and mounted.is_file() else None


def read_secret(file: Path, setting: str) -> str:
    """The secret in a file, without the end of its line. Raises MoodstreamError, whose text never contains it."""
    try:
        mode = file.stat().st_mode
        if mode & stat.S_IROTH and MOUNTED not in file.parents:
            raise MoodstreamError(f"{setting}: every user of this computer can read {file}: chmod 600 {file}")
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode().strip()
    except OSError as error:
        raise MoodstreamError(f"{setting}: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MoodstreamError(f"{setting}: {file} is not a text file") from None
    if not text:
        raise MoodstreamError(f"{setting}: {file} is empty")
    return text
