"""What the gateway counts, as Prometheus reads it at ``/metrics``."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Of one gateway, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._frames = Counter(
            "moodstream_browser_frames",
            "Pictures that browsers sent, by what became of them",
            ["outcome"],
            registry=self.registry,
        )

        self._views = Counter(
            "moodstream_views", "Times that an operator looked through a camera", registry=self.registry
        )

    def view_began(self) -> None:
        """An operator looks through a camera."""
        self._views.inc()

    def browser_frame(self, outcome: str) -> None:
        """``accepted``, ``no_jpeg``, ``too_fast``, ``too_large``, ``busy``, ``not_taken`` (by Redis),
        ``no_bytes`` or ``too_big``."""
        self._frames.labels(outcome).inc()

    def gauge(self, name: str, text: str, value: Callable[[], int]) -> None:
        """A gauge whose value is computed when it is read."""
        Gauge(name, text, registry=self.registry).set_function(lambda: float(value()))
