"""Commands by voice: how often talk is taken for one, and how many of those that are spoken are understood.

    python -m benchmarks.voice_commands 4 ../shared/data/voice.csv    # each fourth recording; minutes

Talk is that of recorded corpora, whose sentences are no commands. Commands are synthetic (``espeak-ng``), with noise.
"""

import csv
import sys
from collections import Counter
from itertools import product
from pathlib import Path

from moodstream.contracts.events import SpokenCommand
from services.voice.commands import CommandReader
from services.voice.sound_files import read_blocks
from services.voice.speech import find_speech
from tests.support.voice.spoken import VOICES, speak

SAID: dict[str, SpokenCommand] = {
    **{f"play something {mood}": mood for mood in ("angry", "happy", "sad", "calm")},
    **{f"pick the {place} one": place for place in ("first", "second", "third", "fourth", "fifth")},
    **{word: word for word in ("stop", "pause", "louder", "quieter", "next")},
    "go on": "resume",
    "other songs": "other",
}
SNR_DB = (40, 20, 10)


def measure_talk(reader: CommandReader, table: Path, each: int) -> None:
    """Prints a line a corpus."""
    heard, taken = Counter[str](), Counter[str]()
    with table.open(newline="") as rows:
        for row in list(csv.DictReader(rows))[::each]:
            heard[row["corpus"]] += 1
            pieces = list(find_speech(read_blocks(table.parent / "voice" / row["file"])))
            taken[row["corpus"]] += reader.read(pieces) is not None
    for corpus, count in heard.items():
        per_1000 = 1000 * taken[corpus] / count
        print(f"{corpus:8} {count:5} utterances, {taken[corpus]:3} taken for commands: {per_1000:.1f} per 1,000")


def measure_commands(reader: CommandReader) -> None:
    """Prints a line a level of the noise."""
    for snr_db in SNR_DB:
        spoken = list(product(SAID.items(), VOICES))
        heard = [reader.read(list(find_speech([speak(text, voice, snr_db=snr_db)]))) for (text, _), voice in spoken]
        right = sum(one == command for one, ((_, command), _) in zip(heard, spoken, strict=True))
        wrong = sum(one is not None for one in heard) - right
        print(f"{snr_db} dB above the noise: {right} of {len(spoken)} synthetic commands, {wrong} taken for another")


if __name__ == "__main__":
    measure_commands(CommandReader())
    if len(sys.argv) > 2:
        measure_talk(CommandReader(), Path(sys.argv[2]), int(sys.argv[1]))
