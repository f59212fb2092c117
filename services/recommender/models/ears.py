"""The mood of music by its sound, and Spotify's energy, valence and danceability: what a small model hears in it.

There are two: ``EARS`` is told what a network hears besides (``models/tagger.py``), and needs the weights of it that
set-up fetches; ``EARS_ALONE`` does without. Both are fitted by ``training/music/ears.py``; only fitted numbers ship, in
files of their own that may be removed: then ``songs scan`` uses plain formulas and says so. The card of both is
``models/music_ears.md``.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.models.tagger import TAGGER, Tagger
from services.recommender.models.vectors import MODELS, Floats

EARS = MODELS / "music_ears.npz"
EARS_ALONE = MODELS / "music_ears_alone.npz"
FORMULAS = "formulas"
"""Who listened where the model was removed."""

SOUND_FEATURES = 1_343
"""So many ``catalogue/sound_features.py`` measures."""

ESTIMATED = ("energy", "valence", "danceability")
"""Features of Spotify's that the model estimates, 0..1."""

ARRAYS = ("means", "spreads", "moods", "mood_biases", "estimates", "estimate_biases")
"""What a file holds besides its version."""

CLIP = 4.0
"""Standard deviations: what lies further away than anything it was fitted on counts as the edge of it."""


@dataclass(frozen=True, eq=False)
class Ears:
    """Linear in the features of ``catalogue/sound_features.py``, and in the tagger's behind them where there are more;
    each counted in standard deviations."""

    version: str
    means: Floats
    """[f] of each feature"""
    spreads: Floats
    """[f]"""
    moods: Floats
    """[f, 4] to the moods' logits"""
    mood_biases: Floats
    """[4]"""
    estimates: Floats
    """[f, 3] to ``ESTIMATED``"""
    estimate_biases: Floats
    """[3]"""
    tagger: Tagger | None = None
    """the network whose features it is told besides"""

    @classmethod
    def load(cls, path: Path = EARS) -> "Ears":
        """Raises MoodstreamError when the file or the network that it needs is missing, or is not what it should be."""
        try:
            with np.load(path) as file:
                arrays = {name: file[name] for name in ("version", *ARRAYS)}
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the model that hears moods, {path}: {error}") from None
        version = str(arrays.pop("version"))
        tagger = Tagger.load() if len(arrays["means"]) > SOUND_FEATURES else None
        return cls(version, **{name: array.astype(np.float64) for name, array in arrays.items()}, tagger=tagger)

    def save(self, path: Path) -> None:
        singles = {name: np.asarray(getattr(self, name), np.float32) for name in ARRAYS}
        np.savez_compressed(path, allow_pickle=False, version=np.array(self.version), **singles)

    def memberships(self, features: Floats) -> Floats:
        """[n, 4] in the order of ``MOODS``, rows sum to 1; features [n, f], one row a stretch of music."""
        scores = standard(features, self.means, self.spreads) @ self.moods + self.mood_biases
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def listen(self, features: Floats) -> dict[str, float]:
        """Of a song, one row a stretch: ``heard_MOOD`` for each mood, and ``ESTIMATED``; means of its stretches."""
        memberships = self.memberships(features).mean(axis=0)
        rows = standard(features, self.means, self.spreads) @ self.estimates + self.estimate_biases
        heard = {f"heard_{mood}": round(float(share), 5) for mood, share in zip(MOODS, memberships, strict=True)}
        estimated = rows.mean(axis=0).clip(0, 1)
        return heard | {name: round(float(value), 4) for name, value in zip(ESTIMATED, estimated, strict=True)}


def best_ears() -> Path | None:
    """The file of the model that hears best among those that are here with all they need."""
    usable = (EARS, TAGGER.find()), (EARS_ALONE, True)
    return next((file for file, needed in usable if file.exists() and needed), None)


def standard(features: Floats, means: Floats, spreads: Floats) -> Floats:
    """[n, f] in standard deviations from the mean, within ``CLIP``."""
    return np.clip((features - means) / spreads, -CLIP, CLIP)
