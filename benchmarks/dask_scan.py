"""A folder heard on a Dask cluster of which a worker is killed: ``python -m benchmarks.dask_scan [--files 400]``.

Real processes on this machine: a scheduler and its workers. Once with all workers, once with one that is killed when a
quarter of the files is done (its nanny starts another), and once without Dask. Reported: files a minute, files that are
missing or twice in the journal, and whether all three catalogues are the same.
"""

import argparse
import json
import os
import signal
import sys
import time
import wave
from collections import Counter
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from distributed import Client, LocalCluster

from services.recommender.catalogue.scan import scan
from services.recommender.catalogue.sound_file import RATE
from services.recommender.catalogue.table import Catalogue
from services.recommender.dask_listening import listen_on_dask


def write_songs(folder: Path, count: int, seconds: float) -> None:
    """Chords with noise, of another pitch and speed in each file."""
    random = np.random.default_rng(1)
    at_s = np.arange(int(seconds * RATE)) / RATE
    for number in range(count):
        base, beat = 110 * 2 ** random.uniform(0, 2), random.uniform(1, 3)
        sound = sum(np.sin(2 * np.pi * base * step * at_s) for step in (1, 1.25, 1.5)) * (
            0.6 + 0.4 * np.sin(beat * at_s)
        )
        sound = 4000 * sound + random.normal(0, 300, len(at_s))
        with wave.open(str(folder / f"song {number:04}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(sound.astype("<i2").tobytes())


def heard_twice(target: Path) -> tuple[int, int]:
    """Files in the journal, and those that are in it more than once."""
    lines = target.with_name(f"{target.name}.scan.jsonl").read_text().splitlines()
    counts = Counter(json.loads(line)["file"] for line in lines)
    return len(counts), sum(count > 1 for count in counts.values())


def run(folder: Path, target: Path, cluster: LocalCluster | None, kill_after: int | None = None) -> Catalogue:
    killed: list[int] = []

    def look(text: str) -> None:
        done = int(text.split("] ")[1].split(" ")[0])
        if cluster is not None and kill_after is not None and done >= kill_after and not killed:
            with Client(cluster.scheduler_address, set_as_default=False) as client:
                killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    began_s = time.monotonic()
    listen = None if cluster is None else partial(listen_on_dask, folder=folder, address=cluster.scheduler_address)
    report = scan(folder, target, look, listen=listen)
    took_s = time.monotonic() - began_s
    written, twice = heard_twice(target)
    way = "this process's own" if cluster is None else "Dask, a worker killed" if killed else "Dask"
    pace = f"{report.files} files in {took_s:.0f} s, {60 * report.files / took_s:.0f} a minute"
    faults = f"missing {report.files - written}, heard twice {twice}, faults {len(report.faults)}"
    print(f"{way:<22} {report.songs} songs of {pace};  {faults}", flush=True)
    return Catalogue.load(target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=20, help="length of each")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with (
        TemporaryDirectory() as place,
        LocalCluster(
            n_workers=given.workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        folder = Path(place, "music")
        folder.mkdir()
        write_songs(folder, given.files, given.seconds)
        print(f"{given.files} files of {given.seconds:.0f} s, {given.workers} workers, {os.cpu_count()} cores")
        plain = run(folder, Path(place, "dask.parquet"), cluster)
        killed = run(folder, Path(place, "killed.parquet"), cluster, given.files // 4)
        alone = run(folder, Path(place, "alone.parquet"), None)
        same = plain.frame.equals(alone.frame) and killed.frame.equals(alone.frame)
        print("all catalogues are the same" if same else "the catalogues differ")
        return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
