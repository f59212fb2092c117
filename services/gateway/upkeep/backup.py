"""A zip of what operators have set: settings, look, catalogue and audit; no passwords, no tokens, no music.

Blocking, so to be called in a thread.
"""

import json
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from moodstream.errors import MoodstreamError
from services.gateway.look.png import MAX_BYTES as MAX_LOGO_BYTES
from services.gateway.look.png import NoPicture, rebuild
from services.gateway.look.texts import checked
from shared.site_file import MAX_BYTES as MAX_SETTINGS_BYTES

CATALOGUE = "catalogue.parquet"
NAMES = ("settings.toml", "audit.jsonl", CATALOGUE, "look/logo.png")
TEXTS = "look/texts"
MAX_CATALOGUE_BYTES = 512 * 2**20
NOTE = "README.txt"
README = "What operators of Moodstream have set. No passwords, tokens, addresses of alerts or music are in it.\n"


@dataclass
class Restored:
    """What a backup holds, checked."""

    settings: dict[str, Any] = field(default_factory=dict)
    logo: bytes | None = None
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    has_catalogue: bool = False


def write(folder: Path, target: Path) -> None:
    """The data folder as a zip. Raises OSError."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NOTE, README)
        files = [folder / name for name in NAMES] + sorted((folder / TEXTS).glob("*.json"))
        for file in files:
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())


def read(source: Path) -> Restored:
    """Raises MoodstreamError with one line: then there is nothing to restore."""
    try:
        with zipfile.ZipFile(source) as archive:
            return _checked(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise MoodstreamError("it is no backup: the file is no whole zip") from None
    except NoPicture as error:
        raise MoodstreamError(f"its logo was not taken: {error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise MoodstreamError(f"a file in it is damaged: {error}") from None


def take_catalogue(source: Path, target: Path) -> None:
    """The catalogue of a backup that was read, as a file. Raises OSError or MoodstreamError."""
    left = MAX_CATALOGUE_BYTES
    with zipfile.ZipFile(source) as archive, archive.open(CATALOGUE) as packed, target.open("wb") as file:
        while chunk := packed.read(2**20):
            left -= len(chunk)
            if left < 0:
                raise MoodstreamError("its catalogue is larger than it says")
            file.write(chunk)


def _checked(archive: zipfile.ZipFile) -> Restored:
    restored, names = Restored(), [one.filename for one in archive.infolist()]
    if not set(names) & set(NAMES):
        raise MoodstreamError("it is no backup of Moodstream")
    for name in names:
        path = PurePosixPath(name)
        is_text = str(path.parent) == TEXTS and path.suffix == ".json"
        if name not in (*NAMES, NOTE) and not is_text:
            raise MoodstreamError(f"{name[:80]} does not belong into a backup")
        if is_text:
            given = json.loads(_bytes(archive, name, 64 * 1024).decode())
            if not isinstance(given, dict):
                raise MoodstreamError(f"{name} holds no texts")
            restored.texts[path.stem] = checked(path.stem, {str(key): str(text) for key, text in given.items()})
    if "settings.toml" in names:
        restored.settings = tomllib.loads(_bytes(archive, "settings.toml", MAX_SETTINGS_BYTES).decode())
    if "look/logo.png" in names:
        restored.logo = rebuild(_bytes(archive, "look/logo.png", MAX_LOGO_BYTES))
    if CATALOGUE in names:
        if archive.getinfo(CATALOGUE).file_size > MAX_CATALOGUE_BYTES:
            raise MoodstreamError("its catalogue is too large")
        restored.has_catalogue = True
    return restored


def _bytes(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """No more is ever unpacked."""
    with archive.open(name) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise MoodstreamError(f"{name} is too large")
    return data
