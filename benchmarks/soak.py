"""The whole chain under load for a long time: ``python -m benchmarks.soak [--minutes 30] [--plot FILE.png]``.

Every service is its own process: a drawn face before the camera, a visitor in the hall every half second who picks
through the gateway, simulated Spotify, a receiver of webhooks, 200 listeners of whom 100 never read. Says how the
memory of each process grew after the warm-up (a third of the time, ten minutes at most), and holds the streams against
what was sent.
"""

import argparse
import math
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.chaos import audit, chain, rest, run
from tests.support.memory import Samples, Watch, slope_mb_h
from tests.support.page.listeners import crowd

MAX_MB_H = 5.0
READERS, DEAF = 100, 100
EVERY_S = 5.0
REDIS_MOST_MB = 256.0


def main() -> int:
    parser = argparse.ArgumentParser(description="The whole chain under load for a long time.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--plot", type=Path, default=Path("soak.png"), help="where the picture goes")
    given = parser.parse_args()
    folder, seconds = Path(tempfile.mkdtemp(prefix="moodstream-soak-")), 60 * given.minutes
    with chain(folder) as whole:
        pids = {name: part.pid for name, part in whole.parts.items()} | {"redis": whole.server.pid}
        port, every_s = whole.parts["gateway"].port, min(EVERY_S, seconds / 60)
        with crowd(port, READERS, DEAF) as listeners, Watch(pids, every_s) as watch:
            run(whole, 0, seconds, [])
        # before anything else may fail: half an hour is long
        largest = growth(watch.samples, min(600.0, seconds / 3), given.plot)
        print(f"listeners read {listeners.heard_bytes / 1e6:.0f} MB over {listeners.connections} connections")
        rest(whole)
        found = audit(whole, [])
        with whole.server.client() as client:
            redis_mb = client.info("memory")["used_memory_peak"] / 1e6
    print(f"{given.minutes:g} minutes, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {found.counts}")
    print(f"Redis: {redis_mb:.1f} MB at most, streams within their limits")
    broken = [*found.faults, *(["memory grows"] if largest >= MAX_MB_H or redis_mb >= REDIS_MOST_MB else [])]
    print("nothing lost, nothing grows" if not broken else f"broken: {broken}")
    shutil.rmtree(folder, ignore_errors=True)
    return 1 if broken else 0


def growth(samples: dict[str, Samples], warm_up_s: float, file: Path) -> float:
    """Draw and print how each process grew; megabytes per hour of that which grew most, infinite where unknown."""
    slopes = {name: slope_mb_h(points, warm_up_s) for name, points in samples.items()}
    plot(samples, slopes, warm_up_s, file)
    for name, slope in slopes.items():
        sizes = [size for _, size in samples[name]]
        print(f"{name:14} {sizes[-1]:6.1f} MB at the end, {max(sizes):6.1f} at most, {slope:+6.2f} MB/h", flush=True)
    replaced = [name for name, slope in slopes.items() if math.isnan(slope)]
    if replaced:
        print(f"{', '.join(replaced)}: replaced within the warm-up, so nothing is known of their growth", flush=True)
    return math.inf if replaced else max(slope for name, slope in slopes.items() if name != "redis")


def plot(samples: dict[str, Samples], slopes: dict[str, float], warm_up_s: float, file: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 6))
    for name, points in samples.items():
        axes.plot([x / 60 for x, _ in points], [y for _, y in points], label=f"{name} {slopes[name]:+.1f} MB/h")
    axes.axvline(warm_up_s / 60, linestyle=":", color="grey")
    axes.set(xlabel="minutes", ylabel="resident memory, MB", title="Memory of every process under load")
    axes.legend(fontsize="small", ncols=2)
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
