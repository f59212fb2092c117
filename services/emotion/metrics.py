"""The metrics of the emotion service, as Prometheus reads them at ``/metrics``."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from moodstream.contracts.events import FacesRead, MoodChanged
from services.emotion.faces.quality import REASONS

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0)


class Metrics:
    """The counters of one process, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._frames = self._counter("frames_read", "Frames that were read", "search")
        self._refused = self._counter("frames_refused", "Frames that were not usable pictures", "kind")
        self._old = self._counter("frames_too_old", "Frames dropped because of their age")
        self._missed = Gauge("moodstream_frames_missed", "Frames dropped before reading", registry=self.registry)
        self._late = self._counter("readings_late", "Readings that arrived after a newer one and were not used")
        self._faces = self._counter("faces_seen", "Faces that were seen")
        self._unread = self._counter("faces_unread", "Faces that were seen but not read", "reason")
        self._moods = self._counter("moods_told", "Mood events", "reason")
        self._took = self._histogram("reading_seconds", "Time from a frame's arrival to its reading")
        self._age = self._histogram("reading_age_seconds", "Age of the frame when its reading was published")
        self._views = self._counter("view_pictures", "Pictures that were drawn for an operator who mounts a camera")
        for reason in REASONS:
            self._unread.labels(reason)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"moodstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"moodstream_{name}", text, buckets=SECONDS, registry=self.registry)

    def frame_read(self, reading: FacesRead, fault: str | None, age_s: float) -> None:
        """Count a frame that was read, or refused because of a kind of fault."""
        if fault is not None:
            self._refused.labels(fault).inc()
        else:
            self._frames.labels(reading.search or "").inc()
        self._took.observe((reading.took_ms or 0.0) / 1000)
        self._age.observe(max(0.0, age_s))
        self._faces.inc(len(reading.faces))
        for face in reading.faces:
            if face.refused is not None:
                self._unread.labels(face.refused).inc()

    def view_drawn(self) -> None:
        """Count a picture of the view for mounting a camera."""
        self._views.inc()

    def frame_too_old(self) -> None:
        """Count a frame that was dropped unread."""
        self._old.inc()

    def reading_applied(self, missed: int, late: int) -> None:
        """Count what one reading added; ``missed`` is -1 when it closes a gap."""
        self._missed.inc(missed)
        self._late.inc(late)

    def mood_published(self, mood: MoodChanged) -> None:
        """Count a mood event."""
        self._moods.labels(mood.reason).inc()
