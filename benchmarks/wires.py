"""How long a change of mood takes to each local wire: ``python -m benchmarks.wires [COUNT]``. Needs mosquitto."""

import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from services.cli.run.embedded_redis import embedded_redis
from tests.support.wires import measure, p95


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with embedded_redis() as url, tempfile.TemporaryDirectory() as folder:
        delays = asyncio.run(measure(url, Path(folder), count))
    print(f"{count} changes; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for wire, values in delays.items():
        half = statistics.median(values)
        print(f"{wire:<10} p50 {half:6.1f} ms   p95 {p95(values):6.1f} ms   most {max(values):6.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
