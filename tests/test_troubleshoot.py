"""What the page for troubles quotes is what the program says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/troubleshoot.md"


def test_every_message_occurs_in_the_program() -> None:
    sources = [path for folder in ("moodstream", "shared", "services") for path in (ROOT / folder).rglob("*.py")]
    program = "\n".join(path.read_text() for path in [*sources, ROOT / "Makefile"])
    program = re.sub(r'"\s*\n\s*f?"', "", program)  # a message over two lines of code is one
    headings = re.findall(r"^### (.*)$", PAGE.read_text(), re.M)
    messages = [quoted.strip("` ") for heading in headings for quoted in re.findall(r"``.+?``|`[^`]+`", heading)]
    assert len(messages) >= 15
    missing = [
        piece
        for message in messages
        if message != "unsure"
        for piece in (part.strip() for part in message.split("…"))
        if piece and piece not in program
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["scaling", "capacity", "appliance", "operate", "troubleshoot", "privacy"])
def test_the_pages_for_operators_name_what_there_is(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / "docs" / target).exists(), target
    settings = (ROOT / ".env.example").read_text()
    for setting in re.findall(r"MOODSTREAM_[A-Z_]+[A-Z]", text):
        assert f"{setting}=" in settings, setting
    program = "\n".join(
        path.read_text() for folder in ("moodstream", "shared", "services") for path in (ROOT / folder).rglob("*.py")
    )
    for metric in re.findall(r"`(moodstream_[a-z_]+)", text):
        assert metric in program or f'"{metric.removeprefix("moodstream_")}"' in program, metric
