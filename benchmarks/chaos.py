"""Random faults over the whole chain, then an audit: ``python -m benchmarks.chaos [--seeds 20] [--seconds 60]``.

Every process of the chain is killed, stopped and cut off, Redis itself too, from a seed (``tests/support/chaos.py``):
lines become slow, a visitor is hostile, and in each fourth seed Redis comes back empty. Afterwards somebody sets the
clock, and the embedded Redis of ``moodstream run`` is killed.
The same chain meets one seed after the other, and the audit looks at all since it began. A seed that breaks a promise
keeps its folder, with the logs of all processes; the next one begins with a new chain, and the exit code is 1.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.clock import try_it
from tests.faults.embedded import outlive
from tests.support.chaos import Chain, chain, one_seed


def main() -> int:
    parser = argparse.ArgumentParser(description="Random faults over the whole chain, then an audit.")
    parser.add_argument("--seeds", type=int, default=20, help="how many, one after the other")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=60, help="of faults in each")
    parser.add_argument("--embedded", type=int, default=5, help="kills of the embedded Redis of `moodstream run`")
    given = parser.parse_args()
    broken, done, last = 0, 0, given.first + given.seeds
    seeds = iter(range(given.first, last))
    while done < given.seeds:
        folder = Path(tempfile.mkdtemp(prefix="moodstream-chaos-"))
        with chain(folder) as whole:
            for seed in seeds:
                done += 1
                if not passes(whole, seed, given.seconds):
                    broken += 1
                    print(f"seed {seed}: the logs are in {folder}; a new chain begins", flush=True)
                    break
            else:
                shutil.rmtree(folder, ignore_errors=True)
    print(f"{given.seeds} seeds, {broken} of them with a broken promise", flush=True)
    for what, wrong in (("a clock that is set", _set_clock), ("kills of an embedded Redis", _kill_embedded)):
        with tempfile.TemporaryDirectory(prefix="moodstream-chaos-") as name:
            found = wrong(Path(name), given)
        print(json.dumps({"fault": what, "broken": found}), flush=True)
        broken += bool(found)
    return 1 if broken else 0


def _set_clock(folder: Path, _: argparse.Namespace) -> list[str]:
    """Apart from the seeds: what a killed worker held is claimed only when a clock that was set back has caught up."""
    try:
        return list(try_it(folder)["broken"])
    except AssertionError as error:
        return [str(error)]


def _kill_embedded(folder: Path, given: argparse.Namespace) -> list[str]:
    return outlive(folder, f"seed {given.first}", given.embedded)


def passes(whole: Chain, seed: int, seconds: float) -> bool:
    begun = time.monotonic()
    try:
        found = one_seed(whole, seed, seconds)
        counts, faults = found.counts, found.faults
    except AssertionError as error:
        counts, faults = {}, [str(error)]
    counts |= {"took s": round(time.monotonic() - begun), "load": round(os.getloadavg()[0], 1)}
    print(json.dumps({"seed": seed, **counts, "broken": faults}), flush=True)
    return not faults


if __name__ == "__main__":
    sys.exit(main())
