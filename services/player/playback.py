"""Tells everybody what plays now."""

from moodstream.contracts.events import Event, PlaybackChanged
from services.player.metrics import Metrics
from services.player.programme.state_machine import Programme
from shared.bounded import Bounded
from shared.bus.connection import Bus

ANSWERED_KEPT = 1_000


class PlaybackPublisher:
    """Publishes playback events, without those that say nothing new."""

    def __init__(self, bus: Bus, programme: Programme, output: str, metrics: Metrics) -> None:
        """``output`` is the name of the output."""
        self._bus, self._programme, self._output, self._metrics = bus, programme, output, metrics
        self._published: PlaybackChanged | None = None
        self._answered: Bounded[str, None] = Bounded(ANSWERED_KEPT)
        """ids of the causes that an event was published for"""

    @property
    def now(self) -> PlaybackChanged:
        """What plays now, as an event without a cause."""
        programme, shown = self._programme, self._programme.shown
        return PlaybackChanged(
            state=shown.state,
            output=self._output,
            song=programme.song if shown.state in ("playing", "paused") else None,
            message=programme.message,
            until=programme.until,
            device=shown.device,
            volume=programme.volume,
        )

    async def publish_change(self, cause: Event | None) -> bool:
        """Publish what plays now, if it is new or the answer to a cause; says whether it was published.

        The first event on a cause has the id that follows from it.
        """
        now = self.now
        self._metrics.show_playback(now)
        first = cause is not None and cause.id not in self._answered
        if not first and self._published is not None and _same(now, self._published):
            return False
        self._published = now
        if cause is not None:
            fields = now.model_dump(exclude={"id", "trace_id", "session_id"})
            if first:
                now = PlaybackChanged.following(cause, **fields)
                self._answered[cause.id] = None
            else:
                now = PlaybackChanged(**fields, session_id=cause.session_id, trace_id=cause.trace_id)
        await self._bus.publish(now)
        return True


def _same(one: PlaybackChanged, other: PlaybackChanged) -> bool:
    compared = {"state", "song", "message", "device", "volume"}
    return one.model_dump(include=compared) == other.model_dump(include=compared)
