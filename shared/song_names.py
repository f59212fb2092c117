"""Titles and names as they are compared: without case, signs and accents, but never so that two words become one. Pure.

An accent on a Latin or Greek letter is left out, for people and shops leave it out. In other scripts the marks make
other letters: か is not が, и is not й, and vowels of Indian scripts are marks alone.
"""

import itertools
import re
import unicodedata

FORMS = 32
"""Mixed spellings of one path that are tried."""

_LATIN_AND_GREEK = ((0x00, 0x24F), (0x370, 0x3FF), (0x1E00, 0x1FFF))
_VOWEL_POINTS = ((0x591, 0x5C7), (0x610, 0x61A), (0x64B, 0x65F), (0x670, 0x670))
"""Of Hebrew and Arabic, where most texts have none."""
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ё": "е"}
    | {"&": " and ", "×": "x"}
)
"""Letters that have no accent to leave out, and signs that are read as words."""
_SIGN_FOR_LETTER = {"$": "s", "!": "i"}
_WITHIN_A_WORD = re.compile(r"(?<=\w)[$!](?=\w)")
_PART = re.compile(r"\bpt\b\.?")


def plain_name(text: str) -> str:
    """What a title or name is compared by. Of one that has no letters its signs count: "!!!" is not "???"."""
    small = unicodedata.normalize("NFC", text.casefold())
    spoken = _PART.sub("part", _WITHIN_A_WORD.sub(lambda found: _SIGN_FOR_LETTER[found[0]], small))
    kept, base = list[str](), ""
    for sign in unicodedata.normalize("NFKD", spoken.translate(_LETTERS)):
        if unicodedata.category(sign).startswith("M"):
            if kept and not _within(base, _LATIN_AND_GREEK) and not _within(sign, _VOWEL_POINTS):
                kept.append(sign)
        else:
            base = sign
            if sign.isalnum():
                kept.append(sign)
    plain = unicodedata.normalize("NFC", "".join(kept))
    return plain or "".join(unicodedata.normalize("NFKC", small).split())


def every_form(path: str) -> tuple[str, ...]:
    """The path of a file as it is given, and as other systems write it down: ü is one letter, or u with two dots.

    Folders that came from different systems are written each in its own way, up to ``FORMS`` of all together.
    """
    one_way = (path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path))
    parts = (dict.fromkeys(unicodedata.normalize(form, part) for form in ("NFC", "NFD")) for part in path.split("/"))
    mixed = ("/".join(names) for names in itertools.islice(itertools.product(*parts), FORMS))
    return tuple(dict.fromkeys((*one_way, *mixed)))


def _within(sign: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in ranges)
