"""``moodstream words``."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import BinaryIO

from services.cli.options import Commands, add_command, add_json
from shared.words.reader import WordsReader

MAX_LINE_BYTES = 65_536
"""Of a longer line the beginning is read, and no more of it is held."""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_json(add_command(commands, "words", words))


def words(given: argparse.Namespace) -> int:
    """Print one line for each line that comes in, empty ones too."""
    reader = WordsReader.load()
    for text in lines(sys.stdin.buffer):
        reading = reader.read(text)
        if given.json:
            valence = None if reading.valence is None else round(reading.valence, 4)
            found = reading.probabilities
            shares = None if found is None else {str(mood): round(share, 4) for mood, share in found.items()}
            print(json.dumps({"probabilities": shares, "valence": valence, "language": reading.language}), flush=True)
        elif reading.probabilities is None:
            print("no mood", flush=True)
        else:
            mood, share = max(reading.probabilities.items(), key=lambda one: one[1])
            print(f"{mood} {share:.0%}" + (f" ({reading.language})" if reading.language else ""), flush=True)
    return 0


def lines(stream: BinaryIO) -> Iterator[str]:
    """Each line without its end; bytes that are no UTF-8 become replacement signs."""
    while line := stream.readline(MAX_LINE_BYTES):
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(MAX_LINE_BYTES)):
            pass
        yield line.decode(errors="replace").rstrip("\r\n")
