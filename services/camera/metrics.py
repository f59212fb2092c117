"""The metrics of a camera service; the labels name a camera by its id, never by its address."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_STATES = ("online", "degraded", "offline")


class Metrics:
    """The metrics of all cameras of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        name, camera = "moodstream_camera_", ("camera",)
        self._captured = Counter(
            name + "frames_captured", "Frames that left the capture process", camera, registry=registry
        )
        self._published = Counter(name + "frames_published", "Frames that Redis accepted", camera, registry=registry)
        self._dropped = Counter(
            name + "frames_dropped",
            "Frames that were not published: newer (a newer one came), redis (not accepted), unfit (frozen or black)",
            ("camera", "reason"),
            registry=registry,
        )
        self._restarts = Counter(name + "restarts", "Restarts of the capture process", camera, registry=registry)
        self._state = Gauge(
            name + "state", "1 for the state that the camera is in", ("camera", "state"), registry=registry
        )
        self._rate = Gauge(name + "source_rate", "Pictures a second that the camera gives", camera, registry=registry)
        self._light = Gauge(name + "light", "Mean level of the picture, 0 to 255", camera, registry=registry)
        self._sharpness = Gauge(name + "sharpness", "Variance of the Laplacian at 320 px", camera, registry=registry)
        self._latency = Histogram(
            name + "latency_seconds",
            "From capture until Redis has the frame",
            camera,
            buckets=_SECONDS,
            registry=registry,
        )

    def of(self, camera_id: str) -> "CameraMetrics":
        return CameraMetrics(self, camera_id)


class CameraMetrics:
    """The metrics of one camera."""

    def __init__(self, all_: Metrics, camera_id: str) -> None:
        self._all, self._id = all_, camera_id
        self.captured = self.published = self.restarts = 0
        self.state("offline")
        for counter in (all_._captured, all_._published, all_._restarts):
            counter.labels(camera_id)
        self._latency = all_._latency.labels(camera_id)

    def frame_captured(self, light: float, sharpness: float) -> None:
        self.captured += 1
        self._all._captured.labels(self._id).inc()
        self._all._light.labels(self._id).set(light)
        self._all._sharpness.labels(self._id).set(sharpness)

    def frame_published(self, latency_s: float) -> None:
        self.published += 1
        self._all._published.labels(self._id).inc()
        self._latency.observe(max(0.0, latency_s))

    def frame_dropped(self, reason: str) -> None:
        self._all._dropped.labels(self._id, reason).inc()

    def restarted(self) -> None:
        self.restarts += 1
        self._all._restarts.labels(self._id).inc()

    def source_rate(self, rate: float) -> None:
        self._all._rate.labels(self._id).set(rate)

    def state(self, now: str) -> None:
        for state in _STATES:
            self._all._state.labels(self._id, state).set(state == now)
