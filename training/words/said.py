"""How people say what they feel, in a few words: sentences from lists, for what comments and subtitles hardly hold.

"Ich bin müde und traurig" is what somebody types into a kiosk; GoEmotions has comments on others, XED lines of films.
The lists (``said.json``, ``signs.json``) were written for this project.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from moodstream.contracts.moods import MOODS, Mood

DENIED = {Mood.HAPPY: Mood.SAD, Mood.SAD: Mood.CALM, Mood.ANGRY: Mood.CALM, Mood.CALM: Mood.ANGRY}
"""What a denied feeling is read as: nothing tells it but common sense."""
VERY_AFTER = ("ar",)
"""Languages that say "happy very"."""

Lists = dict[str, list[str]]


@cache
def phrases() -> dict[str, Lists]:
    """By language: ways to say a feeling, to deny it, to stress it (``{}`` is the word), and the words of each mood."""
    read: dict[str, Lists] = json.loads((Path(__file__).parent / "said.json").read_text(encoding="utf-8"))
    return read


def sentences(language: str) -> Iterator[tuple[str, Mood]]:
    """All that the lists of a language give, with what each says."""
    lists = phrases()[language]
    for mood in MOODS:
        for word in lists[mood]:
            stressed = [f"{word} {very}" if language in VERY_AFTER else f"{very} {word}" for very in lists["very"]]
            yield from ((feeling.format(word), mood) for feeling in lists["feeling"])
            yield from ((lists["feeling"][0].format(one), mood) for one in stressed)
            yield from ((denied.format(word), DENIED[mood]) for denied in lists["denied"])


def signs() -> Iterator[tuple[str, Mood]]:
    """Each emoji and emoticon alone, twice, and after another of its mood."""
    read: Lists = json.loads((Path(__file__).parent / "signs.json").read_text(encoding="utf-8"))
    for mood in MOODS:
        for place, sign in enumerate(read[mood]):
            yield from ((sign, mood), (f"{sign}{sign}", mood), (f"{read[mood][place - 1]} {sign}", mood))
