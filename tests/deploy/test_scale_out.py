"""Eight cameras, four workers, two sites, and the leader of Redis killed in the middle: nothing is lost."""

import subprocess
import sys
from pathlib import Path

import tests.support.redis_servers  # says what is missing where Debian's redis-server is not there

ROOT = Path(__file__).parents[2]


def test_nothing_is_lost_when_the_leader_of_redis_is_killed() -> None:
    with tests.support.redis_servers.single():
        pass
    run = [sys.executable, "-m", "benchmarks.sentinel", "--seconds", "16", "--harm", "kill"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "nothing was lost" in done.stdout
    assert "LOST" not in done.stdout
