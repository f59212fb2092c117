"""Fits the models that hear the mood of music, ``models/music_ears.npz`` and ``models/music_ears_alone.npz``.

``python -m training.music.ears --clips music.csv --sounds FOLDER --songs SONGS.csv``: the clips have the columns
``file``, ``quadrant`` (Q1 happy, Q2 angry, Q3 sad, Q4 calm), ``artist`` and ``title``; the songs are any table with
Spotify's features, from which clips get energy, valence and danceability by artist and title. ``--keep FILE`` keeps the
features of the clips for the next run. ``--alone`` fits the second model, which does without the network that set-up
fetches (``services/recommender/models/tagger.py``). The sound is measured by the very code that ``songs scan`` runs.

Artists are apart everywhere. A quarter of the clips is kept aside by a seed; the penalty is chosen by cross-validation
on the others, and what is reported of the kept ones comes from a model that never met their artists. The file that is
written is fitted on all clips.
"""

import argparse
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.audio import heard_features
from services.recommender.catalogue.sound_file import read_excerpt
from services.recommender.catalogue.spectra import Spectra
from services.recommender.models.ears import EARS, EARS_ALONE, ESTIMATED, SOUND_FEATURES, Ears, standard
from services.recommender.models.tagger import Tagger
from services.recommender.models.vectors import Floats

QUADRANTS = {"Q1": Mood.HAPPY, "Q2": Mood.ANGRY, "Q3": Mood.SAD, "Q4": Mood.CALM}
SEED = 19
KEPT_ASIDE = 4
"""One part in so many."""
FOLDS, REPEATS = 5, 4
PENALTIES = (0.3, 1.0, 3.0, 10.0)
ESTIMATE_PENALTY = 3.0
TEMPERATURES = np.geomspace(0.5, 12, 60)

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Clips:
    features: Floats
    """[n, f]"""
    moods: Codes
    """[n] positions in ``MOODS``"""
    artists: Codes
    """[n] the same number for the same artist"""
    estimates: Floats
    """[n, 3] ``ESTIMATED`` of the song or the mean of its artist's songs; not a number where neither is known"""
    exact: npt.NDArray[np.bool_]
    """[n] whether they are those of the song itself"""


def read(table: Path, sounds: Path, songs: Path, keep: Path | None, *, alone: bool = False) -> Clips:
    """``alone``: without what the tagger hears.

    Raises what pandas raises, and MoodstreamError for a clip that cannot be decoded.
    """
    clips = pd.read_csv(table, keep_default_na=False)
    names = clips["file"].tolist()
    known = dict(zip(*np.load(keep).values(), strict=True)) if keep is not None and keep.exists() else {}
    tagger = Tagger.load()
    rows = [known[name] if name in known else measure(sounds / name, tagger) for name in names]
    if keep is not None:
        np.savez(keep, names=np.array(names), features=np.array(rows))
    moods = np.array([MOODS.index(QUADRANTS[name]) for name in clips["quadrant"]])
    artists, _ = pd.factorize(clips["artist"].where(clips["artist"] != "", clips["file"]).str.casefold(), sort=True)
    estimates, exact = _matched(clips, pd.read_csv(songs, low_memory=False))
    features = np.array(rows, dtype=np.float64)
    return Clips(features[:, :SOUND_FEATURES] if alone else features, moods, artists, estimates, exact)


def measure(path: Path, tagger: Tagger) -> Floats:
    return np.asarray(heard_features(Spectra(read_excerpt(path).sound), tagger), dtype=np.float64)


def _matched(clips: pd.DataFrame, songs: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
    values = songs[list(ESTIMATED)].set_axis(songs["artist"].astype(str).str.split(";").str[0].map(_plain))
    by_artist = values[values.index != ""].groupby(level=0).mean()
    by_song = values.set_axis(values.index + "|" + songs["title"].astype(str).map(_plain)).groupby(level=0).mean()
    artists = clips["artist"].map(_plain)
    keys = artists + "|" + clips["title"].map(_plain)
    exact = keys.isin(by_song.index).to_numpy(dtype=bool)
    found = by_artist.reindex(artists).to_numpy(dtype=np.float64, copy=True)
    found[exact] = by_song.reindex(keys[exact]).to_numpy(dtype=np.float64)
    return found, exact


def _plain(name: str) -> str:
    """Letters and digits, without what stands in brackets or after a dash."""
    spread = unicodedata.normalize("NFKD", re.sub(r"\(.*?\)|\[.*?\]| - .*$|\bfeat\b.*$", "", name.casefold()))
    return "".join(letter for letter in spread if letter.isascii() and letter.isalnum())


def parts(clips: Clips, rows: Codes, count: int, seed: int) -> Codes:
    """[len(rows)] which part each clip is in; artists are apart, moods are spread evenly."""
    artists = np.unique(clips.artists[rows])
    np.random.default_rng(seed).shuffle(artists)
    moods = {one: np.bincount(clips.moods[rows][clips.artists[rows] == one], minlength=len(MOODS)) for one in artists}
    total = np.bincount(clips.moods[rows], minlength=len(MOODS))
    filled = np.zeros((count, len(MOODS)))
    part = {}
    for artist in sorted(artists, key=lambda one: -int(moods[one].sum())):
        after = filled + moods[artist]
        part[artist] = int(((after / total).max(axis=1) + after.sum(axis=1) / total.sum()).argmin())
        filled[part[artist]] += moods[artist]
    return np.array([part[artist] for artist in clips.artists[rows]])


def ridge(inputs: Floats, targets: Floats, penalty: float) -> tuple[Floats, Floats]:
    """[f, t] and [t] weights and biases; solved among the rows, since there are more features than clips."""
    middle = targets.mean(axis=0)
    alike = inputs @ inputs.T / inputs.shape[1]
    solved = np.linalg.solve(alike + penalty * np.eye(len(inputs)), targets - middle)
    return inputs.T @ solved / inputs.shape[1], middle


def fit(clips: Clips, rows: Codes, penalty: float, temperature: float = 1.0, version: str = "") -> Ears:
    """On some of the clips."""
    means, spreads = clips.features[rows].mean(axis=0), clips.features[rows].std(axis=0) + 1e-6
    inputs = standard(clips.features[rows], means, spreads)
    moods, mood_biases = ridge(inputs, np.eye(len(MOODS))[clips.moods[rows]], penalty)
    known = np.isfinite(clips.estimates[rows]).all(axis=1)
    estimates, estimate_biases = ridge(inputs[known], clips.estimates[rows][known], ESTIMATE_PENALTY)
    return Ears(version, means, spreads, temperature * moods, temperature * mood_biases, estimates, estimate_biases)


def crossed(clips: Clips, rows: Codes, penalty: float, seed: int) -> Floats:
    """[len(rows), 4] the logits of each clip by a model that never met its artist, before the temperature."""
    found = np.zeros((len(rows), len(MOODS)))
    part = parts(clips, rows, FOLDS, seed)
    for number in range(FOLDS):
        ears = fit(clips, rows[part != number], penalty)
        new = standard(clips.features[rows[part == number]], ears.means, ears.spreads)
        found[part == number] = new @ ears.moods + ears.mood_biases
    return found


def balanced(codes: Codes, said: Codes) -> float:
    return float(np.mean([(said[codes == code] == code).mean() for code in range(len(MOODS))]))


def interval(codes: Codes, said: Codes, artists: Codes) -> tuple[float, float]:
    """95 %, by drawing artists again."""
    random = np.random.default_rng(SEED)
    rows = [np.flatnonzero(artists == one) for one in np.unique(artists)]
    drawn = []
    for _ in range(1000):
        some = np.concatenate([rows[number] for number in random.integers(0, len(rows), len(rows))])
        drawn.append(balanced(codes[some], said[some]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def temperature_of(logits: Floats, codes: Codes) -> float:
    """By how much logits are to be multiplied for the likeliest labels."""
    losses = [-np.log(_softmax(times * logits)[np.arange(len(codes)), codes]).mean() for times in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibration_error(memberships: Floats, codes: Codes, bins: int = 10) -> float:
    sure, right = memberships.max(axis=1), memberships.argmax(axis=1) == codes
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(sure[place == one].mean() - right[place == one].mean()) * (place == one).mean() for one in set(place)]
    return float(sum(gaps))


def report_estimates(clips: Clips, rows: Codes, penalty: float) -> None:
    """On the songs whose own features are known, by models that never met their artists."""
    found = np.zeros((len(rows), len(ESTIMATED)))
    part = parts(clips, rows, FOLDS, SEED)
    for number in range(FOLDS):
        ears = fit(clips, rows[part != number], penalty)
        new = standard(clips.features[rows[part == number]], ears.means, ears.spreads)
        found[part == number] = (new @ ears.estimates + ears.estimate_biases).clip(0, 1)
    own = clips.exact[rows]
    print(f"estimates, {own.sum()} songs whose own features are known, artists apart:")
    for column, name in enumerate(ESTIMATED):
        true, said = clips.estimates[rows][own, column], found[own, column]
        plain = np.abs(true - np.nanmean(clips.estimates[:, column])).mean()
        together = np.corrcoef(true, said)[0, 1]
        print(
            f"  {name:<13} mean error {np.abs(true - said).mean():.3f} (the mean alone {plain:.3f}), r {together:.2f}"
        )


def print_table(codes: Codes, said: Codes) -> None:
    for code, mood in enumerate(MOODS):
        row = np.bincount(said[codes == code], minlength=len(MOODS))
        print(f"  {mood:<6} {' '.join(f'{count:4d}' for count in row)}   recall {row[code] / row.sum():.2f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--sounds", type=Path, required=True)
    parser.add_argument("--songs", type=Path, required=True)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--version", default="2.0.0")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    out = given.out or (EARS_ALONE if given.alone else EARS)
    clips = read(given.clips, given.sounds, given.songs, given.keep, alone=given.alone)
    everything = np.arange(len(clips.moods))
    part = parts(clips, everything, KEPT_ASIDE, SEED)
    chosen_on, aside = everything[part != 0], everything[part == 0]
    codes = clips.moods[chosen_on]
    tried = {}
    for penalty in PENALTIES:
        logits = [crossed(clips, chosen_on, penalty, seed) for seed in range(REPEATS)]
        tried[penalty] = float(np.mean([balanced(codes, one.argmax(axis=1)) for one in logits]))
        print(f"penalty {penalty:g}: {tried[penalty]:.3f} (cross-validated, {len(chosen_on)} clips)", flush=True)
    penalty = max(tried, key=lambda one: tried[one])
    temperature = temperature_of(crossed(clips, chosen_on, penalty, SEED), codes)
    memberships = fit(clips, chosen_on, penalty, temperature).memberships(clips.features[aside])
    said, true = memberships.argmax(axis=1), clips.moods[aside]
    low, high = interval(true, said, clips.artists[aside])
    print(
        f"kept aside, {len(aside)} clips: balanced accuracy {balanced(true, said):.3f} [{low:.3f}, {high:.3f}], "
        f"calibration error {calibration_error(memberships, true):.3f}, temperature {temperature:.2f}"
    )
    print_table(true, said)
    every = [crossed(clips, everything, penalty, SEED + seed).argmax(axis=1) for seed in range(REPEATS)]
    low, high = interval(clips.moods, every[0], clips.artists)
    score = np.mean([balanced(clips.moods, one) for one in every])
    print(f"all {len(everything)} clips, cross-validated: {score:.3f} [{low:.3f}, {high:.3f}]")
    report_estimates(clips, everything, penalty)
    temperature = temperature_of(crossed(clips, everything, penalty, SEED), clips.moods)
    fit(clips, everything, penalty, temperature, given.version).save(out)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
