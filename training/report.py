"""What the data is like: ``python -m training.report --data FER2013 --out FOLDER``.

Faces of each expression in each part, sample faces of your own copy, pixel-identical copies, and how far FER+'s ten
people agree with FER2013's labels. Writes report.json and PNG pictures; the pictures of faces are for your eyes only.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from training import plots
from training.data import EXPRESSIONS, FOUR, PARTS, Fer2013, in_one_line, load

SAMPLES = 12


def report(data: Fer2013, out: Path, seed: int = 1) -> dict[str, Any]:
    """Write the report into a folder and return its figures."""
    out.mkdir(parents=True, exist_ok=True)
    parts = {name: data.usage == part for part, name in PARTS.items() if (data.usage == part).any()}
    counts = {
        name: {one: int((chosen & (data.labels == index)).sum()) for index, one in enumerate(EXPRESSIONS)}
        for name, chosen in parts.items()
    }
    moods = np.isin(data.labels, FOUR)
    result: dict[str, Any] = {
        "faces": counts,
        "per_cent": {
            name: {one: round(100 * count / max(1, sum(of_part.values())), 1) for one, count in of_part.items()}
            for name, of_part in counts.items()
        },
        "of_four_moods": {name: int((chosen & moods).sum()) for name, chosen in parts.items()},
        "copies_of_training": {name: int((chosen & data.copies).sum()) for name, chosen in parts.items()},
        "grey_level": {"mean": round(float(data.images.mean()), 1), "deviation": round(float(data.images.std()), 1)},
    }
    plots.distribution(counts, out / "distribution.png")
    random = np.random.default_rng(seed)
    rows = {}
    for index, name in enumerate(EXPRESSIONS):
        faces = data.images[data.labels == index]
        if len(faces):
            rows[name] = faces[random.permutation(len(faces))[:SAMPLES]]
    plots.samples(rows, out / "samples.png")
    if data.votes is not None:
        result["ferplus"] = _noise(data, out, random)
    (out / "report.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def _noise(data: Fer2013, out: Path, random: np.random.Generator) -> dict[str, Any]:
    """How FER+'s votes stand to FER2013's labels, over the faces that have votes."""
    assert data.votes is not None
    voted = data.votes.sum(axis=1) > 0
    labels, votes = data.labels[voted], data.votes[voted]
    shares, most = votes / votes.sum(axis=1, keepdims=True), votes.argmax(axis=1)
    table = np.stack([np.bincount(most[labels == one], minlength=len(EXPRESSIONS)) for one in range(len(EXPRESSIONS))])
    plots.matrix(
        table, EXPRESSIONS, EXPRESSIONS, ("FER2013", "FER+, most votes"),
        out / "ferplus.png",
    )  # fmt: skip
    unlike = np.flatnonzero(shares[np.arange(len(labels)), labels] == 0)
    disputed = {}
    for index, name in enumerate(EXPRESSIONS):
        faces = data.images[voted][unlike][labels[unlike] == index]
        if len(faces):
            disputed[f"{name}?"] = faces[random.permutation(len(faces))[:SAMPLES]]
    if disputed:
        plots.samples(disputed, out / "disputed.png")
    four = np.isin(labels, FOUR)
    return {
        "faces_with_votes": int(voted.sum()),
        "agreement": round(float((most == labels).mean()), 4),
        "agreement_four_moods": round(float((most == labels)[four].mean()), 4),
        "agreement_by_label": {
            name: round(float((most == labels)[labels == index].mean()), 4)
            for index, name in enumerate(EXPRESSIONS)
            if (labels == index).any()
        },
        "nobody_voted_for_the_label": round(len(unlike) / len(labels), 4),
        "share_of_the_most_voted": round(float(shares.max(axis=1).mean()), 4),
    }


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.report", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and pictures")
    given = parser.parse_args(arguments)
    result = report(load(given.data), given.out)
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
