"""The two wheels, and bare environments outside the checkout that have them and nothing of it."""

import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def build_wheels(folder: Path) -> tuple[Path, Path]:
    """The client's and the application's."""
    for source in (ROOT / "moodstream", ROOT):
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(command, cwd=source, check=True, capture_output=True)
    [client] = folder.glob("moodstream_client-*.whl")
    [application] = folder.glob("moodstream-*.whl")
    return client, application


RUN_S = 120


class BareEnvironment:
    """A virtual environment that sees nothing of the checkout, run in a folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False)
        [self.packages] = (folder / "venv" / "lib").glob("python*/site-packages")
        self.bin = folder / "venv" / "bin"
        self.python = self.bin / "python"

    def install(self, *what: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python)]
        subprocess.run([*pip, "install", "--quiet", "--no-compile", *what], check=True, cwd=self.folder)

    def link(self, names: Iterable[str]) -> None:
        """Have packages of the tests' own environment as links: what others made need not be installed again."""
        for name in names:
            found = distribution(name)
            for entry in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
                place = self.packages / entry
                if not place.exists():
                    place.symlink_to(Path(str(found.locate_file(entry))))

    def run(self, *command: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """A command of the environment, to its end."""
        with self.start(*command, env=env) as process:
            told, errors = process.communicate(timeout=RUN_S)
        return subprocess.CompletedProcess(command, process.returncode, told, errors)

    def start(self, *command: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """A command of the environment; nothing of the checkout, of this user or of Moodstream's settings helps it."""
        home = str(self.folder)
        mine = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": home, "XDG_RUNTIME_DIR": f"{home}/run"}
        return subprocess.Popen(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.folder,
            env=mine | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def closure(requirement: str) -> set[str]:
    """The names of all packages that a requirement needs, itself among them, as they are installed here."""
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(requirement), "")]
    while waiting:
        wanted, for_extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": for_extra}):
            continue
        for extra in ("", *wanted.extras):
            if (wanted.name, extra) not in seen:
                seen.add((wanted.name, extra))
                waiting += [(Requirement(text), extra) for text in _requirements(distribution(wanted.name))]
    return {name for name, _ in seen}


def _requirements(found: Distribution) -> list[str]:
    return found.requires or []
