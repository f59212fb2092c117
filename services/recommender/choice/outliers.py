"""Entries of a catalogue that are no songs to offer: intros, skits, spoken word, karaoke, pieces of a few seconds."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.occasions import matches

Mask = npt.NDArray[np.bool_]

MIN_SECONDS = 45
"""A shorter piece is over before anybody has listened."""

MAX_INTRO_SECONDS = 150
"""A longer one that is called an intro is a song that is called so."""

SPOKEN = 0.66
"""Speechiness above which a track is probably speech alone, by Spotify's own description of the feature."""

CERTAINLY_SPOKEN = 0.85
"""Above this, in genres whose songs are half spoken, too."""

_PART = r"(?:intro(?:duction)?|outro|interlude|prelude|skit|prologue|epilogue|intermission|sketch|segue)"
_INTRO = "|".join(
    (
        rf"^\W*{_PART}\W*$",
        rf"^{_PART}\b\s*(?:[-:/(\[|#]|\d|by\b|to\b)",
        rf"[-:(\[/]\s*{_PART}\b\s*\d*\s*(?:[)\]]|$)",
        rf"\(\s*{_PART}\b|\b(?:skit|interlude)\s*\d*$",
    )
)
_SPOKEN = "|".join(
    (
        r"\b(?:audiobook|audio book|hörbuch|hörspiel|podcast|spoken word|commentary|interview|monologue|radio drama)\b",
        r"\b(?:voice ?mail|voice memo|stand-?up comedy)\b",
        r"^(?:kapitel|chapter|chapitre|capítulo|teil)\s+\d+|\b(?:kapitel|teil)\s+\d+\b.*:",
    )
)
_KARAOKE = "|".join(
    (
        r"karaoke|\bin the style of\b|\bmade famous by\b|\boriginally performed by\b|\(tribute (?:to|version)",
        r"\bbacking track\b|\b(?:sing.?along|instrumental|playback) version\b",
    )
)
_NOISE = "|".join(
    (
        r"\b(?:white|pink|brown) noise (?:for|sleep|baby|loop|machine|\(|-)|\bringtone\b",
        r"\b(?:rain|thunder|ocean|nature|heartbeat|fan|womb|jungle) sounds?\b",
    )
)
_RAPPED = r"rap|hip.?hop|trap|grime|reggaeton|latin|dancehall|drill|urban"


def find_outliers(catalogue: Catalogue) -> Mapping[str, Mask]:
    """By kind, bool [n]: the entries of that kind; an entry may be of several."""
    frame = catalogue.frame
    titles, seconds = frame["title"], frame["duration_ms"].to_numpy() / 1000
    speech = frame["speechiness"].to_numpy()
    spoken = (speech > SPOKEN) & (~matches(frame["genre"], _RAPPED) | (speech > CERTAINLY_SPOKEN))
    return {
        "short": seconds < MIN_SECONDS,
        "intro": matches(titles, _INTRO) & (seconds < MAX_INTRO_SECONDS),
        "spoken": spoken | matches(titles, _SPOKEN),
        "karaoke": matches(titles, _KARAOKE) | matches(frame["artist"], r"karaoke|\btribute (?:band|to|players)\b"),
        "noise": matches(titles, _NOISE),
    }


def outliers(catalogue: Catalogue) -> Mask:
    """bool [n]: entries of any kind."""
    return np.asarray(np.any(list(find_outliers(catalogue).values()), axis=0))
