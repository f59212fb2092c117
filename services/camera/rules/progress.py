"""Whether what a camera does goes on: its captures, with their rests and pauses, and the publishing of frames. Pure.

It counts rounds instead of reading a clock: a process that was stopped, and its rounds with it, blames nobody.
"""

STUCK_AFTER_ROUNDS = 30


class Progress:
    """``round`` is called in even steps by somebody who is not stuck, ``goes_on`` by what is watched."""

    def __init__(self, rounds: int = STUCK_AFTER_ROUNDS) -> None:
        self._rounds = rounds
        self._without: dict[str, int] = {}

    def goes_on(self, what: str) -> None:
        """From the first call on, ``what`` has to go on until it says that it is done."""
        self._without[what] = 0

    def done(self, what: str) -> None:
        """Nothing more is expected of it for now."""
        self._without.pop(what, None)

    def round(self) -> str | None:
        """One round has passed; says what has not gone on for too many."""
        for what in self._without:
            self._without[what] += 1
        return next((what for what, rounds in self._without.items() if rounds > self._rounds), None)
