"""The page's own words of a place: which may be changed, and to what. Pure."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from moodstream.errors import MoodstreamError

MAX_LETTERS = 200
MAX_BYTES = 64 * 1024
VALUES = re.compile(r"\{\w+\}")
OWN = re.compile(r"(attract|goodbye|closed|wait|unsure|ask_lead|hand_lead|declined)(_\w+)?|offer|choose|hand")
"""Never the notice, the question for consent, or the ways to stop: what they say has to be true everywhere."""
NOT_OWN = ("attract_own", "attract_detail", "goodbye_lead", "declined_detail", "wait_lead")
"""These say what the camera does, and what becomes of a visit."""
MESSAGES = Path(__file__).parents[1] / "static" / "messages"

Texts = Mapping[str, Mapping[str, str]]
"""By language and key."""


@cache
def words_of(language: str) -> Mapping[str, str]:
    """The texts of the page that a place may have its own of. Raises KeyError for no language."""
    file = MESSAGES / f"{language}.json"
    if not language.isalpha() or not file.is_file():
        raise KeyError(language)
    words: dict[str, str] = json.loads(file.read_text("utf-8"))
    return {key: text for key, text in words.items() if OWN.fullmatch(key) and key not in NOT_OWN}


def checked(language: str, given: Mapping[str, str]) -> dict[str, str]:
    """The texts that differ from the page's. Raises MoodstreamError with one line."""
    try:
        known = words_of(language)
    except KeyError:
        raise MoodstreamError(f"{language}: the page speaks no such language") from None
    for key, text in given.items():
        if key not in known:
            raise MoodstreamError(f"{key}: there is no such text, or it has to stay as it is")
        if not text.strip():
            continue
        if len(text) > MAX_LETTERS or any(ord(letter) < 32 for letter in text):
            raise MoodstreamError(f"{key}: one line of at most {MAX_LETTERS} letters")
        if sorted(VALUES.findall(text)) != sorted(VALUES.findall(known[key])):
            wanted = ", ".join(VALUES.findall(known[key])) or "no value in braces"
            raise MoodstreamError(f"{key}: it needs {wanted}, as “{known[key]}” has")
    return {key: text.strip() for key, text in given.items() if text.strip() not in ("", known[key])}
