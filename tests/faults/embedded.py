"""The embedded Redis of ``moodstream run`` is killed again and again, and forgets everything each time; songs go on."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from random import Random

from redis.exceptions import RedisError

from services.cli.redis_client import connected
from tests.support.processes import Part, running, waited

WITHIN_S = 90.0
"""A visitor of the demonstration comes, and picks, within a minute."""


def outlive(folder: Path, seed: str, kills: int) -> list[str]:
    """What was wrong, in words."""
    random, faults = Random(seed), list[str]()
    environment = dict.fromkeys(("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"), str(folder))
    arguments = ("run", "--demo", "--auto")
    part = Part("run", "services", folder, "", environment, arguments, player="log")
    with running(part):
        redis_url = json.loads((folder / "moodstream.json").read_text())["redis_url"]
        for number in range(1, kills + 1):
            time.sleep(random.uniform(0, 4))
            os.kill(server_of(part.pid), signal.SIGKILL)
            try:
                waited(lambda: not part.is_ready(), 5, "ready without its Redis")
                part.wait_ready(WITHIN_S)
                waited(lambda: plays(redis_url), WITHIN_S, "nothing played afterwards")
            except AssertionError as error:
                faults.append(f"kill {number}: {error}")
    faults += [f"run ended with {end.code}" for end in part.ends if not end.asked]
    faults += [f"run said {line!r}" for line in part.text().splitlines() if line.startswith("Traceback")]
    return faults


def server_of(pid: int) -> int:
    """The process of the embedded server that this one has started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, rest = stat.read_text().partition("(")[2].rsplit(")", 1)
            if name.startswith(("valkey", "redis")) and int(rest.split()[1]) == pid:
                return int(stat.parent.name)
    raise AssertionError(f"process {pid} has no embedded Redis")


def plays(redis_url: str) -> bool:
    """Whether a ranking was made and something plays, since Redis came back empty."""
    with contextlib.suppress(RedisError), connected(redis_url) as client:
        return bool(client.exists("mood:rankings") and client.xlen("mood:rankings") and client.xlen("mood:playback"))
    return False
