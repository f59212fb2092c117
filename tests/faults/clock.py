"""The whole chain on a machine whose clock is set: ``python -m tests.faults.clock FOLDER``, begun by ``test_clock.py``.

This process, Redis and every service have loaded ``clock.c``: it adds what stands in a file, ``FAULT_CLOCK``.
"""

import json
import os
import struct
import sys
import threading
from pathlib import Path

from moodstream.contracts.events import MoodChanged
from tests.support.chaos import audit, chain, rest, run

FOR_S = 40.0
STEPS_H = {8.0: 2, 18.0: -2, 28.0: 0}
"""Hours that the clock is off from so many seconds on."""


def set_clock(hours: float) -> None:
    with Path(os.environ["FAULT_CLOCK"]).open("r+b") as file:  # in its place: others have it before their eyes
        file.write(struct.pack("q", int(hours * 3600 * 1e9)))


def main(folder: Path) -> None:
    with chain(folder) as whole:
        for at_s, hours in STEPS_H.items():
            threading.Timer(at_s, set_clock, [hours]).start()
        run(whole, 0, FOR_S, [])
        rest_s = rest(whole)
        found = audit(whole, [])
        told = [one for one in whole.entries(MoodChanged) if one.camera_id == "camera-1"]
    print(
        json.dumps(
            {
                "broken": found.faults,
                "dwells_s": [one.dwell_s for one in told],
                "phases": [one.phase for one in told],
                "rest_s": rest_s,
            }
            | found.counts
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
