"""What is asked of the output, and what is still to be asked. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from moodstream.contracts.events import Event, Song

Kind = Literal["play", "pause", "resume", "stop", "volume", "transfer", "check"]

Slot = Literal["transfer", "transport", "volume", "check"]
"""``transport``: what plays, pauses, resumes or stops."""
SLOTS: tuple[Slot, ...] = ("transfer", "transport", "volume", "check")
"""In the order in which they are done."""


@dataclass(frozen=True, eq=False)
class Action:
    """One thing to ask of the output."""

    kind: Kind
    songs: tuple[Song, ...] = ()
    volume: int = 0
    device: str = ""
    cause: Event | None = None
    """event that it follows from; None where the player itself wants it"""
    expires_at: datetime | None = None

    @property
    def slot(self) -> Slot:
        match self.kind:
            case "play" | "pause" | "resume" | "stop":
                return "transport"
            case slot:
                return slot


class PendingActions:
    """What is to be asked of the output: of each slot only the newest action stands."""

    def __init__(self) -> None:
        self._actions: dict[Slot, Action] = {}

    def add(self, action: Action) -> Action:
        self._actions[action.slot] = action
        return action

    def get(self, slot: Slot) -> Action | None:
        return self._actions.get(slot)

    def first(self, at: datetime) -> Action | None:
        """The one to do now; those that have expired are dropped."""
        for slot in SLOTS:
            action = self._actions.get(slot)
            if action is not None and action.expires_at is not None and action.expires_at < at:
                del self._actions[slot]
            elif action is not None:
                return action
        return None

    def drop(self, action: Action) -> None:
        """Does nothing where a newer one has taken its place."""
        if self._actions.get(action.slot) is action:
            del self._actions[action.slot]
