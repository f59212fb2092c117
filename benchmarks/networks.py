"""Accuracy, size and time of every network of ``training``, measured in one run, as a table and as a page.

    python -m benchmarks.networks [--run RUN ...] [--rounds N] [--out networks.html]

The time does not depend on the weights, so networks without a run are built with fresh ones and have no accuracy.
They take turns, face by face, on one core, each with the others' weights in the caches. TensorFlow is needed.
"""

import argparse
import html
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import onnx

from benchmarks.classifier import AFTER, FACES, measure
from moodstream.contracts.moods import MOODS
from services.emotion.faces.classifier import MODEL, Classifier
from training.data import DataError
from training.export import to_onnx
from training.networks import NETWORKS, calibrated
from training.quantise import quantise
from training.runs import config_of, history_of

COLUMNS = {
    "network": "network",
    "weights": "weights, millions",
    "accuracy": "accuracy, %",
    "macro_f1": "macro F1",
    "epoch": "epoch",
    "float_mb": "float, MB",
    "int8_mb": "int8, MB",
    "float_ms": "float, ms a face",
    "int8_ms": "int8, ms a face",
}
HIGHER_IS_BETTER = {"accuracy", "macro_f1"}


def most_accurate(run: Path) -> dict[str, Any]:
    """What the most accurate epoch of a run read of PublicTest; raises DataError when there is none."""
    best = max(history_of(run), key=lambda row: row["accuracy"], default=None)
    if best is None:
        raise DataError(f"{run} has not gone through one epoch")
    figures = {"accuracy": round(100 * best["accuracy"], 1), "macro_f1": best["macro_f1"], "epoch": best["epoch"]}
    return {"network": config_of(run).network} | figures


def shipped() -> dict[str, Any]:
    classifier = Classifier(MODEL)
    metrics = json.loads(classifier.metadata["metrics"])["PublicTest"]
    return {"accuracy": round(100 * metrics["accuracy"], 1), "macro_f1": metrics["macro_f1"]}


def compare(runs: list[Path], rounds: int, folder: Path) -> list[dict[str, Any]]:
    """A row for the shipped file and for each network; of several runs of one network the most accurate counts."""
    trained: dict[str, dict[str, Any]] = {}
    for row in sorted(map(most_accurate, runs), key=lambda row: row["accuracy"]):
        trained[row["network"]] = row
    rows = {"shipped": {"network": "shipped, both views"} | shipped()}
    files = {"shipped int8": MODEL}
    labels = {"labels": json.dumps([str(mood) for mood in MOODS])}
    for name, build in NETWORKS.items():
        if name == "tiny":
            continue
        network = build()
        rows[name] = {"network": name, "weights": round(network.count_params() / 1e6, 2)} | trained.get(name, {})
        files[f"{name} float"], files[f"{name} int8"] = folder / f"{name}.onnx", folder / f"{name}.int8.onnx"
        onnx.save(to_onnx(calibrated(network), labels), files[f"{name} float"])
        quantise(files[f"{name} float"], files[f"{name} int8"], FACES)
    for (file, when), figures in measure(files, rounds).items():
        if when == AFTER:
            name, precision = file.split()
            rows[name] |= {
                f"{precision}_ms": round(figures["median_ms"], 2),
                f"{precision}_mb": round(figures["megabytes"], 2),
            }
    return list(rows.values())


def page(rows: list[dict[str, Any]], load: float) -> str:
    """The table as HTML; the bar behind a figure is its share of the largest in its column."""
    head = "".join(f"<th>{html.escape(title)}</th>" for title in COLUMNS.values())
    body = "".join("<tr>" + "".join(_cell(row, key, rows) for key in COLUMNS) + "</tr>" for row in rows)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Networks of Moodstream</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }}
th:first-child, td:first-child {{ text-align: left; }}
</style>
<h1>Networks of Moodstream</h1>
<p>Accuracy on FER2013's PublicTest, four moods, of the most accurate epoch of a run, one view of each face (the shipped
file: both views). Medians of one face at a time on one core, in one run; load of the machine {load:.1f}.</p>
<table><tr>{head}</tr>{body}</table>
</html>
"""


def _cell(row: dict[str, Any], key: str, rows: list[dict[str, Any]]) -> str:
    value = row.get(key)
    if value is None:
        return "<td></td>"
    if isinstance(value, str) or key == "epoch":
        return f"<td>{html.escape(str(value))}</td>"
    share = value / max(other.get(key, 0) for other in rows)
    colour = "#cfe8cf" if key in HIGHER_IS_BETTER else "#dfe6f2"
    return f'<td style="background: linear-gradient(to left, {colour} {share:.0%}, transparent 0)">{value}</td>'


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, action="append", default=[], help="folder of a run; repeatable")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out", type=Path, help="write the page there too")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="moodstream-networks-") as folder:
            rows = compare(given.run, given.rounds, Path(folder))
    except DataError as error:
        print(f"networks: {error}", file=sys.stderr)
        return 1
    print("  ".join(f"{title:>{max(8, len(title))}}" for title in COLUMNS.values()))
    for row in rows:
        print("  ".join(f"{row.get(key, '')!s:>{max(8, len(title))}}" for key, title in COLUMNS.items()))
    if given.out:
        given.out.write_text(page(rows, os.getloadavg()[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
