"""Who is alive, from what processes say of themselves once a second. Pure: times are always given."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ALIVE_S = 10.0
"""A process that has not said for so long that it is alive is gone, or hangs."""

Beats = Mapping[str, Mapping[str, float]]
"""When each process was last alive, by the clock of Redis, by service and process."""


@dataclass
class Heartbeats:
    """A sign of life counts for ten seconds by this process's own clock, from when it was first seen.

    So it does no harm when somebody sets the clock of Redis: who is alive says so a second later, by the new time, and
    who is gone does not come back to life.
    """

    alive_s: float = ALIVE_S
    _seen: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """the last sign of life of a process, and until when it counts"""

    def count_alive(self, beats: Beats, clock_s: float, now_s: float) -> Counter[str]:
        """How many processes of each service are alive; ``clock_s`` by the clock of Redis, ``now_s`` by our own."""
        listed = dict(_flat(beats))
        for process, at_s in listed.items():
            before_s, until_s = self._seen.get(process, (None, now_s))
            if at_s != before_s:
                age_s = clock_s - at_s
                fresh = 0 <= age_s < self.alive_s
                self._seen[process] = at_s, max(until_s, now_s + self.alive_s - age_s) if fresh else until_s
        # one that is not there any more may come again: a Redis that has started empty knows nobody for a second
        self._seen = {one: seen for one, seen in self._seen.items() if one in listed or seen[1] > now_s}
        return Counter(service for (service, _), (_, until_s) in self._seen.items() if until_s > now_s)


def _flat(beats: Beats) -> Iterator[tuple[tuple[str, str], float]]:
    for service, processes in beats.items():
        for process, at_s in processes.items():
            yield (service, process), at_s
