"""What every process counts of its events, as Prometheus reads it at ``/metrics``."""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from moodstream.contracts.events import EVENTS

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

LeftOut = Literal["expired", "done before", "put aside"]

_TYPES = frozenset(event.__name__ for event in EVENTS)


class Metrics:
    """Of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._published = Counter(
            "moodstream_events_published", "Events that Redis has taken", ["type"], registry=self.registry
        )
        self._publishing = Histogram(
            "moodstream_publishing_seconds",
            "Until Redis had taken an event, further tries included",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._waited = Histogram(
            "moodstream_waiting_seconds",
            "From an event's publication until a service began with it",
            ["type", "group"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._handled = Histogram(
            "moodstream_handling_seconds",
            "Time that a service took for an event",
            ["type", "group"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._left_out = Counter(
            "moodstream_events_left_out",
            "Events that were not handled: expired, done before, put aside as dead letters",
            ["type", "group", "reason"],
            registry=self.registry,
        )
        self._failed = Counter(
            "moodstream_handling_failures", "Tries that ended with an error", ["type", "group"], registry=self.registry
        )
        self._refused = Counter(
            "moodstream_frames_without_headers", "Entries in the stream of frames that are none", registry=self.registry
        )
        self._lost = Counter(
            "moodstream_frames_not_taken", "Frames that Redis did not take in time", registry=self.registry
        )

    def published(self, type_: str, seconds: float) -> None:
        self._published.labels(known(type_)).inc()
        self._publishing.observe(seconds)

    def handled(self, type_: str, group: str, waited_s: float, seconds: float) -> None:
        self._waited.labels(known(type_), group).observe(max(0.0, waited_s))
        self._handled.labels(known(type_), group).observe(seconds)

    def failed(self, type_: str, group: str) -> None:
        self._failed.labels(known(type_), group).inc()

    def left_out(self, type_: str, group: str, reason: LeftOut) -> None:
        self._left_out.labels(known(type_), group, reason).inc()

    def frame_refused(self) -> None:
        self._refused.inc()

    def frame_lost(self) -> None:
        self._lost.inc()

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """One that is asked for its value when it is read."""
        Gauge(name, text, registry=self.registry).set_function(value)


def known(type_: object) -> str:
    """A name of an event, whatever somebody has written there: the values of a label are bounded."""
    return type_ if isinstance(type_, str) and type_ in _TYPES else "other"
