"""Events for tests of the bus and of delivery, and the timing that makes these tests short."""

from moodstream.contracts.events import SongPicked, StatusChanged, expiry
from moodstream.contracts.moods import Mood
from shared.delivery.consume import Timing

QUICK = Timing(handler_timeout_s=0.1, claim_after_ms=200, claim_every_ms=50)


def pick(**fields: object) -> SongPicked:
    return SongPicked(
        **{
            "offer_id": "an offer",
            "song_id": "a song",
            "mood": Mood.CALM,
            "by": "visitor",
            "expires_at": expiry(SongPicked),
            **fields,
        }  # type: ignore[arg-type]
    )


def status(number: int) -> StatusChanged:
    return StatusChanged(service="camera", part="c", state="online", reason=str(number))
