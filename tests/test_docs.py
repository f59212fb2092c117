"""The documents for people: every link leads somewhere, and words are spelt right, in British English."""

import functools
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import codespell_lib
import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md"), *ROOT.glob("deploy/**/*.md")]
)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ALSO_BRITISH = {"authorization", "ax", "license", "meter", "practice", "program", "tire", "writable"}
"""Words of American English that British English has as well, and a header of HTTP."""


def anchors(suffix: str, text: str) -> set[str]:
    """The ids of an HTML page, or the anchors that GitHub makes: headings in small letters, hyphens for blanks."""
    if suffix == ".html":
        return set(re.findall(r'\bid="([^"]+)"', text))
    found: list[str] = []
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        before = found.count(slug)
        found.append(slug)
        if before:
            found.append(f"{slug}-{before}")
    return set(found)


def broken_links(document: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.is_relative_to(ROOT) or not file.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(file.suffix, text if file == document else file.read_text("utf-8")):
            yield f"{target}: no such heading"


def american_words(text: str) -> set[str]:
    """The words that Americans spell in another way; those in code are names."""
    words = set(re.findall(r"[a-z]+", CODE.sub("", FENCE.sub("", text)).lower()))
    return words & (in_dictionary() - ALSO_BRITISH)


@functools.cache
def in_dictionary() -> frozenset[str]:
    lines = files("codespell_lib").joinpath("data/dictionary_en-GB_to_en-US.txt").read_text(encoding="utf-8")
    return frozenset(word.strip() for line in lines.splitlines() for word in line.partition("->")[2].split(","))


def test_there_are_documents() -> None:
    assert {ROOT / "README.md", ROOT / "docs/install.md", ROOT / "models/README.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document, document.read_text(encoding="utf-8"))) == []


def test_words_are_spelt_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert codespell_lib.main(*map(str, DOCUMENTS)) == 0, capsys.readouterr().out


def test_spelling_is_british() -> None:
    found = {str(one.relative_to(ROOT)): american_words(one.read_text(encoding="utf-8")) for one in DOCUMENTS}
    assert {document: words for document, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("nowhere.md", "no such file"),
        ("../../outside.md", "no such file"),
        ("README.md#nothing-of-that-name", "no such heading"),
        ("#neither-here", "no such heading"),
    ],
)
def test_a_broken_link_is_found(target: str, fault: str) -> None:
    assert list(broken_links(ROOT / "README.md", f"# Here\n[see]({target})")) == [f"{target}: {fault}"]


@pytest.mark.parametrize("target", ["https://example.org/x", "#here", "#here-1", "docs/install.md", "#a-code-and-link"])
def test_a_good_link_is_left_alone(target: str) -> None:
    text = f"# Here\n## Here\n## A `code` and [link](x)!\n[see]({target})\n`[not](one)`\n"
    assert [one for one in broken_links(ROOT / "README.md", text) if not one.startswith("x:")] == []


def test_american_spelling_is_found() -> None:
    assert american_words("The color of the `center` was analyzed; a colour.") == {"color", "analyzed"}


def test_a_misspelt_word_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("It occured twice.")
    assert codespell_lib.main(str(page)) != 0
    assert "occurred" in capsys.readouterr().out
