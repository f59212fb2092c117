"""A parent that keeps one child process alive: restarts it when it asks for that or crashes, passes signals on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from shared.exit_codes import EXIT_RESTART

LIFELINE = "MOODSTREAM_LIFELINE"
"""Environment variable with the file descriptor that closes when the parent is gone."""

MAX_PAUSE_S = 10.0


def supervise(command: Sequence[str], environment: Mapping[str, str], inherit: Sequence[int] = ()) -> int:
    """Run ``command`` again and again until it ends with another code than 70 and by no signal; return that code."""
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    lifeline, ours = os.pipe()
    pause_s = 0.2
    try:
        while True:
            started_s = time.monotonic()
            child = subprocess.Popen(
                command,
                env={**environment, LIFELINE: str(lifeline)},
                pass_fds=(lifeline, *inherit),
                start_new_session=True,  # the terminal's Ctrl-C reaches us, and we tell the child once
            )
            code = child.wait()
            if stopping or (code >= 0 and code != EXIT_RESTART):
                return max(code, 0)
            pause_s = 0.2 if time.monotonic() - started_s > 60 else min(2 * pause_s, MAX_PAUSE_S)
            print(f"moodstream: the services ended with code {code}; restarting them", file=sys.stderr)
            time.sleep(pause_s)
            if stopping:
                return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(lifeline)
        os.close(ours)
