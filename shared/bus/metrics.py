"""What every process counts of its events, as Prometheus reads it at ``/metrics``."""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from moodstream.contracts.events import EVENTS, Captured
from moodstream.contracts.streams import CAPTURES

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the buckets."""

SkipReason = Literal["expired", "done before", "put aside"]

_EVENT_TYPES = frozenset(event.__name__ for event in EVENTS)


class Metrics:
    """Of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        by_group = "type", "group"
        self._published = self._counter("moodstream_events_published", "Events published to Redis", "type")
        self._publishing = self._histogram(
            "moodstream_publishing_seconds", "Time to publish an event, retries included"
        )
        self._waited = self._histogram(
            "moodstream_waiting_seconds", "Time from an event's publication until its handling began", *by_group
        )
        self._handled = self._histogram("moodstream_handling_seconds", "Time to handle an event", *by_group)
        self._skipped = self._counter(
            "moodstream_events_left_out",
            "Events not handled: expired, done before, or put aside as dead letters",
            *by_group,
            "reason",
        )
        self._failed = self._counter("moodstream_handling_failures", "Failed attempts to handle an event", *by_group)
        self._malformed, self._lost = dict[type[Captured], Counter](), dict[type[Captured], Counter]()
        for kind, name in CAPTURES.items():
            begin, what = f"moodstream_{name}_", name.capitalize()
            self._malformed[kind] = self._counter(f"{begin}without_headers", f"Malformed entries in the {name} stream")
            self._lost[kind] = self._counter(f"{begin}not_taken", f"{what} that Redis did not accept in time")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=SECONDS, registry=self.registry)

    def count_published(self, type_: str, seconds: float) -> None:
        self._published.labels(event_type_label(type_)).inc()
        self._publishing.observe(seconds)

    def count_handled(self, type_: str, group: str, waited_s: float, seconds: float) -> None:
        self._waited.labels(event_type_label(type_), group).observe(max(0.0, waited_s))
        self._handled.labels(event_type_label(type_), group).observe(seconds)

    def count_failure(self, type_: str, group: str) -> None:
        self._failed.labels(event_type_label(type_), group).inc()

    def count_skipped(self, type_: str, group: str, reason: SkipReason) -> None:
        self._skipped.labels(event_type_label(type_), group, reason).inc()

    def count_malformed(self, kind: type[Captured]) -> None:
        self._malformed[kind].inc()

    def count_lost(self, kind: type[Captured]) -> None:
        self._lost[kind].inc()

    def show_suppressed_lines(self, count: Callable[[], float]) -> None:
        """``count``: how many lines the log has suppressed; asked whenever the metrics are read."""
        gauge = Gauge("moodstream_log_lines_left_out", "Log lines suppressed by rate limits", registry=self.registry)
        gauge.set_function(count)


def event_type_label(type_: object) -> str:
    """The name of a type of event, or "other" for anything else somebody wrote: a label has few values."""
    return type_ if isinstance(type_, str) and type_ in _EVENT_TYPES else "other"
