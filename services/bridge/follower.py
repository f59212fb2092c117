"""Keeps the state of the site, and passes every new event to the outputs that show it: MQTT and OSC."""

from collections.abc import Callable, Sequence

from moodstream.contracts.events import Event, FacesRead, MoodChanged, PlaybackChanged, StatusChanged, utc_now
from shared.bus.connection import Bus
from shared.bus.projection import replay_and_follow
from shared.contracts.site_state import SiteState

PRESENT: dict[type[Event], int] = {StatusChanged: 200, MoodChanged: 200, PlaybackChanged: 1}
"""How many past events of each stream are needed to know what is true now; causes before what follows from them."""

Listener = Callable[[Event], None]
"""Given every event after the state has taken it in."""


async def follow_events(
    bus: Bus,
    state: SiteState,
    listeners: Sequence[Listener],
    *,
    with_faces: bool,
    on_replayed: Callable[[], None] | None = None,
) -> None:
    """Keep the state up to date and call the listeners, for ever. A mood whose successor is overdue ends.

    ``on_replayed`` is called once the past was replayed.
    """
    newest = PRESENT | {FacesRead: 0} if with_faces else PRESENT
    async for entry in replay_and_follow(bus, newest, on_replayed=on_replayed):
        new: list[Event] = [entry.event] if entry is not None and state.apply(entry.event) else []
        if entry is None or not entry.replayed:  # the newest moods are all known
            new += state.expire(utc_now())
        for event in new:
            for listener in listeners:
                listener(event)
