"""The background jobs that follow the streams: for what is true now, and for the chart of the last days."""

from moodstream.contracts.events import (
    CommandHeard,
    Event,
    FacesRead,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    utc_now,
)
from moodstream.contracts.streams import SELF_TEST
from services.gateway.music import MusicFolder
from services.gateway.state.feed import Feed
from services.gateway.state.history import KEPT, History
from shared.bus.connection import Bus
from shared.bus.projection import follow_since, replay_and_follow
from shared.contracts.site_state import SiteState

PRESENT: dict[type[Event], int] = {
    StatusChanged: 200,
    MoodChanged: 200,
    SongsOffered: 50,
    SongPicked: 50,
    SongsRanked: 50,
    PlaybackChanged: 20,
    FeedbackGiven: 0,
    FacesRead: 0,
    CommandHeard: 0,
}
"""How many past events of each stream are needed to know what is true now; causes before what follows from them."""

LAST_DAYS: tuple[type[Event], ...] = (MoodChanged, SongPicked, PlaybackChanged, FeedbackGiven)


async def follow_events(bus: Bus, state: SiteState, feed: Feed, music: MusicFolder) -> None:
    """Keep the state up to date and publish every new event to the feed, for ever."""
    async for entry in replay_and_follow(bus, PRESENT, on_replayed=feed.publish_snapshot):
        if entry is None or (isinstance(entry.event, FacesRead) and entry.event.camera_id == SELF_TEST):
            continue
        event = entry.event
        if isinstance(event, CommandHeard):
            if not entry.replayed:
                feed.publish(event.type, event.model_dump_json(), event.camera_id)
            continue
        if isinstance(event, PlaybackChanged):
            event = event.model_copy(update={"sound": music.sound_of(event)})
        first_camera = state.camera_id
        if state.apply(event) and not entry.replayed and not isinstance(event, FacesRead):
            feed.publish(event.type, event.model_dump_json(), state.camera_of(event), getattr(event, "mood", None))
        if state.camera_id != first_camera and not entry.replayed:
            feed.publish_snapshot()  # pages look at another camera now


async def follow_history(bus: Bus, history: History) -> None:
    """Read the last days and then what comes, for ever; a job of its own, so that the state need not wait for it."""
    async for entry in follow_since(bus, LAST_DAYS, utc_now() - KEPT):
        if entry is not None:
            history.apply(entry[1])
