"""What the recommender counts, as Prometheus reads it at ``/metrics``."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from moodstream.contracts.events import SongPicked, SongsOffered
from moodstream.contracts.moods import MOODS, Mood
from services.recommender.reloader import Reloader


class Metrics:
    """Of one worker, in a registry of its own."""

    def __init__(self, reloader: Reloader) -> None:
        self.registry = CollectorRegistry()
        self._offers = Counter("moodstream_offers", "Offers of songs", ["mood"], registry=self.registry)
        self._picks = Counter("moodstream_picks", "Picks that were ranked by", ["by"], registry=self.registry)
        self._dropped = Counter(
            "moodstream_picks_dropped", "Picks of songs that are not in the catalogue any more", registry=self.registry
        )
        songs = Gauge("moodstream_songs", "Songs in the catalogue", registry=self.registry)
        songs.set_function(lambda: float(reloader.count))
        for mood in MOODS:
            self._offers.labels(mood)
        for by in ("visitor", "auto"):
            self._picks.labels(by)

    def offered(self, offer: SongsOffered) -> None:
        self._offers.labels(Mood(offer.mood)).inc()

    def ranked(self, pick: SongPicked) -> None:
        self._picks.labels(pick.by).inc()

    def dropped(self) -> None:
        self._dropped.inc()
