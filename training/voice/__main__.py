"""The voice models, from the corpora to the files that ship and the figures of their card.

``python -m training.voice --data ../shared/data --cache runs/voice``: fits 16 sets of readers, one after the other or
``--processes`` at the same time, or on the workers of a Dask cluster (``--dask tcp://HOST:8786``), which see both
folders under the same path; each that is done lies in the cache, so a run that was stopped goes on. Prints tables
for ``models/voice.md``, with speakers apart and corpora apart, and writes ``models/voice.onnx`` and
``models/voice_free.onnx``. For ``training.fusion --voices`` it leaves ``readings.npz`` in the cache.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from services.recommender.dask_work import on_dask
from services.voice.model import VOICE_MODELS
from training.data import in_one_line
from training.voice import corpora
from training.voice.card import write_files, write_readings, write_tables
from training.voice.runs import Where, fit_some, say, tasks


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.voice", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with voice.csv and the folder voice")
    parser.add_argument("--cache", type=Path, required=True, help="folder for features and networks (1 GB)")
    parser.add_argument("--out", type=Path, default=VOICE_MODELS["research"].parent, help="where the files go (models)")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--dask", metavar="ADDRESS", help="instead: on the workers of this Dask cluster")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", default="1.0.0")
    given = parser.parse_args(arguments)
    voices = corpora.load(given.data, given.cache, given.seed, given.processes)
    names = list(tasks(voices, given.seed))
    where = Where(given.data.resolve(), given.cache.resolve(), given.seed)
    if given.dask:
        with on_dask(given.dask, "training.voice") as each:
            each(fit_some, where, [[name] for name in names])
    else:
        with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
            list(pool.map(partial(fit_some, where), [names[at :: given.processes] for at in range(given.processes)]))
    write_files(voices, given.cache, given.out, given.version, given.seed, say)
    write_tables(voices, given.cache, given.seed, print)
    say(f"for training.fusion: {write_readings(voices, given.cache, given.seed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
