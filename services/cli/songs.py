"""``moodstream songs``."""

import argparse
import json
from pathlib import Path

from services.cli.arguments import Commands, add, add_group, reading


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    songs = add_group(commands, "songs", "The catalogue of songs.")
    imports = reading(add(songs, "import", songs_import, "Take in a catalogue; says what was dropped, and why."))
    imports.add_argument("csv", type=Path, metavar="CSV")
    moods = reading(add(songs, "mood", songs_mood, "Mood, valence and arousal of every song."))
    similar = reading(add(songs, "similar", songs_similar, "Songs ranked by similarity to others."))
    similar.add_argument("ids", nargs="+", metavar="ID")
    similar.add_argument("-n", type=int, default=10, help="how many; 0 for all")
    for one in (imports, moods, similar):
        one.add_argument("--catalogue", type=Path, metavar="FILE", help="instead of MOODSTREAM_CATALOGUE")


def songs_import(given: argparse.Namespace) -> int:
    """Take in a catalogue and say what was dropped."""
    from services.recommender.commands import import_file

    report = import_file(given.csv, _catalogue(given))
    print(json.dumps(report.as_dict()) if given.json else report.as_text())
    return 0


def songs_mood(given: argparse.Namespace) -> int:
    """Mood, valence and arousal of every song."""
    from services.recommender.commands import moods

    for song in moods(_catalogue(given)):
        text = f"{song['id']}  {song['mood']:<6}{song['valence']:+.2f} {song['arousal']:+.2f}"
        print(json.dumps(song) if given.json else text)
    return 0


def songs_similar(given: argparse.Namespace) -> int:
    """Rankings by similarity to the given songs."""
    from services.recommender.commands import similar

    for found in similar(given.ids, _catalogue(given), given.n):
        if given.json:
            print(json.dumps(found))
            continue
        print(found["id"])
        for song in found["ranking"]:
            print(f"  {song['similarity']:.3f}  {song['id']}  {song['reason']}")
    return 0


def _catalogue(given: argparse.Namespace) -> Path:
    from services.recommender.main import RecommenderSettings
    from shared.settings import load

    return load(RecommenderSettings, catalogue=given.catalogue).catalogue
