"""The metrics of the voice service, as Prometheus reads them at ``/metrics``."""

from collections.abc import Callable
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 4.0)

Outcome = Literal["mood", "unsure", "no_speech", "command"]


class Metrics:
    """The counters of one process, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sounds = self._counter("sounds_read", "Sounds that were read, by what was heard in them", "outcome")
        self._refused = self._counter("sounds_refused", "Sounds that were not usable sound files", "kind")
        self._old = self._counter("sounds_too_old", "Sounds dropped because of their age")
        self._speech = self._counter("speech_seconds", "Seconds of speech that were read")
        self._took = self._histogram("voice_reading_seconds", "Time to read a sound or a piece of speech")
        self._age = self._histogram("voice_age_seconds", "Age of the sound when its reading was published")
        for outcome in get_args(Outcome):
            self._sounds.labels(outcome)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"moodstream_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"moodstream_{name}", text, buckets=SECONDS, registry=self.registry)

    def sound_read(self, outcome: Outcome, speech_s: float, took_s: float) -> None:
        """Count what was heard in a sound, or in a piece of speech from a microphone."""
        self._sounds.labels(outcome).inc()
        self._speech.inc(speech_s)
        self._took.observe(took_s)

    def command_heard(self, took_s: float) -> None:
        """Count a sound in which a visitor said what the page shall do."""
        self._sounds.labels("command").inc()
        self._took.observe(took_s)

    def reading_published(self, age_s: float) -> None:
        """``age_s``: since the speech ended."""
        self._age.observe(max(0.0, age_s))

    def sound_refused(self, kind: str) -> None:
        """Count a sound that is none, by the kind of its fault."""
        self._refused.labels(kind).inc()

    def sound_too_old(self) -> None:
        """Count a sound that was dropped unread."""
        self._old.inc()

    def show_microphone(self, works: Callable[[], bool]) -> None:
        """``works``: whether the microphone of this machine is heard now; asked whenever the metrics are read."""
        text = "1 while the microphone of this machine, or the file in its place, is heard"
        Gauge("moodstream_microphone_works", text, registry=self.registry).set_function(lambda: float(works()))
