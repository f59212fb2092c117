"""The house stays one that a stranger can live in: no room too wide, one word a thing, docs that name what exists."""

import re
from pathlib import Path

import pytest

from moodstream.contracts.requests import KINDS
from tests.support.needs import ROOT

PRODUCT = ("moodstream", "services", "shared", "training")
MAX_MODULES = {"tests": 30} | dict.fromkeys(PRODUCT, 20)
OLD_NAMES = (
    *("Trouble", "Degraded", "Meters", "Board", "Present", "Parts", "Doors", "Shelf", "Patience", "Looks"),
    *("Tracking", "Keep", "Line", "Seldom", "Memory"),
    *("trouble", "meters", "shelf", "seldom"),
)
OLD_CONSTANTS = re.compile(r"\b_?(?:MOST|LEAST|LONGEST|SHORTEST)_[A-Z]|\b(?:AGAIN|SOON|DEAF)_S\b")


def sources(*folders: str) -> list[Path]:
    return [file for folder in folders for file in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("top", MAX_MODULES)
def test_no_folder_is_too_wide(top: str) -> None:
    folders = {file.parent for file in sources(top)}
    widths = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: width for folder, width in widths.items() if width > MAX_MODULES[top]} == {}


def test_kinds_of_requests_stand_in_the_contracts_alone() -> None:
    bare = re.compile("|".join(rf"""["']{re.escape(kind)}["']""" for kind in KINDS))
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in sources("services", "shared", "moodstream", "benchmarks")
        if file != ROOT / "moodstream/contracts/requests.py"
        for match in bare.finditer(file.read_text())
    ]
    assert found == []


def test_old_words_do_not_come_back() -> None:
    names = re.compile(rf"\b_?(?:{'|'.join(OLD_NAMES)})\b(?=[.(\[:,)])")
    found = [
        f"{file.relative_to(ROOT)}:{number}: {match[0]}"
        for file in sources(*PRODUCT)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := names.search(line.partition("#")[0]) or OLD_CONSTANTS.search(line))
    ]
    assert found == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md", "docs/reliability.md", "docs/security.md"])
def test_docs_name_files_that_exist(page: str) -> None:
    """By their whole path, or by the last parts of it, as the tables of a room do."""
    there = ["/" + str(file.relative_to(ROOT)) for file in sources(*PRODUCT, "tests", "benchmarks")]
    named = set(re.findall(r"`([\w/]+\.py)(?:::\w+)?`", (ROOT / page).read_text()))
    assert named
    assert [name for name in sorted(named) if not any(file.endswith(f"/{name}") for file in there)] == []


def test_each_target_of_make_is_made_once_and_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    [declared] = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    targets = re.findall(r"^([a-z][a-z0-9-]*):(?!=)(.*)$", text, re.M)
    assert sorted(name for name, _ in targets) == sorted(declared.split())
    assert {name for name, rest in targets if "## " not in rest} <= {"has-data"}
