"""What a text is read by: its words, pairs of words, words that are denied, parts of words, and signs, as hashes. Pure.

The same for every language: letters of any script make words, and parts of words stand for endings nobody listed.
"""

import re
import unicodedata
from zlib import crc32

MAX_CHARACTERS = 2_000
"""Of a longer text its beginning is read."""

_EMOTICON = r"[:;=]['’]?-?(?:[()\[\]/\\|*3]+|[dpo](?!\w))|<3"
_WORD = r"[^\W\d_]+(?:'[^\W\d_]+)*"
_TOKENS = re.compile(rf"{_EMOTICON}|{_WORD}|\d+|[^\w\s]+")
_SIGN = re.compile(rf"{_EMOTICON}|[\U0001F000-\U0001FAFF\u2600-\u27BF\u2190-\u21FF\u2B00-\u2BFF]")
_DROPPED = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
"""What only changes how an emoji is drawn: variants, joiners, tones of skin."""
_ENDS = frozenset(".,;!?:،؛؟")
"""Signs that end what a negation denies."""
_NEGATIONS = """
    not no never nobody nothing neither nor without hardly cannot
    nicht kein keine keinen keiner keinem nie niemals ohne
    ne n pas jamais rien sans aucun aucune
    nunca nada sin ni tampoco
    لا ليس لست لم لن بدون غير مش
    non mai niente senza
    não nem sem
    niet geen nooit zonder
    inte ingen aldrig utan
    nie nigdy bez
    ei en et emme ilman
"""
NEGATIONS = frozenset(_NEGATIONS.split())
"""In English, German, French, Spanish, Arabic, Italian, Portuguese, Dutch, Swedish, Polish and Finnish."""
DENIED = 4
"""Words that a negation denies."""
PARTS = (3, 4, 5)
"""Lengths of the parts of words."""


def normalised(text: str) -> str:
    """One form for each character, small letters, straight apostrophes; the beginning of a text that is too long."""
    one_form = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold()
    return _DROPPED.sub("", one_form.replace("’", "'"))


def signs(text: str) -> str:
    """Only the emoji and emoticons of a text, with spaces between them."""
    return " ".join(_SIGN.findall(normalised(text)))


def features(text: str, bits: int) -> list[int]:
    """Hashes of ``bits`` bits of all that is in a text, each once, in rising order; none where nothing is in it."""
    tokens, found, denied = _TOKENS.findall(normalised(text)), set[str](), 0
    for place, token in enumerate(tokens):
        found.add(("n" if denied and token[0].isalnum() else "w") + token)
        found |= {f"{kind}{token} {later}" for kind, later in zip("bs", tokens[place + 1 : place + 3], strict=False)}
        if not token[0].isalnum():
            found |= {"p" + sign for sign in token}
            denied = 0 if token[0] in _ENDS else denied
            continue
        whole, kind = f"<{token}>", "d" if denied else "c"
        found |= {kind + whole[at : at + size] for size in PARTS for at in range(len(whole) - size + 1)}
        denied = max(0, denied - 1)
        if token in NEGATIONS or token.endswith("n't"):
            denied = DENIED
    return hashed(found, bits)


def hashed(found: set[str], bits: int) -> list[int]:
    """Hashes of features, each once, in rising order."""
    mask = (1 << bits) - 1
    return sorted({crc32(one.encode()) & mask for one in found})
