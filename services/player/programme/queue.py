"""The songs to play, in order, and which of them is the current one. Pure."""

from datetime import datetime

from moodstream.contracts.events import Event, Song
from services.player.programme.actions import Action, PendingActions


class Queue:
    """The songs of the last ranking or command; played ones stay before the current one."""

    def __init__(self, pending: PendingActions, songs: tuple[Song, ...], position: int) -> None:
        self._pending = pending
        self.songs = songs
        self.position = position
        """of the current song; as many as there are songs when all have played"""

    @property
    def current(self) -> Song | None:
        return self.songs[self.position] if self.position < len(self.songs) else None

    @property
    def remaining(self) -> tuple[Song, ...]:
        """The current song and those after it."""
        return self.songs[self.position :]

    @property
    def upcoming(self) -> tuple[Song, ...]:
        """Those after the current song."""
        return self.songs[self.position + 1 :]

    def play(self, songs: tuple[Song, ...], cause: Event | None, expires_at: datetime | None) -> Action:
        """They take the place of all others, and the first is to be played."""
        self.songs, self.position = songs, 0
        return self._pending.add(Action("play", songs=songs, cause=cause, expires_at=expires_at))

    def stop(self, cause: Event | None, expires_at: datetime | None) -> Action:
        """Nothing is to be played."""
        self.clear()
        return self._pending.add(Action("stop", cause=cause, expires_at=expires_at))

    def play_remaining(self) -> None:
        """The output has forgotten them."""
        self._pending.add(Action("play", songs=self.remaining))

    def insert_next(self, song: Song) -> None:
        """It plays after the current one."""
        self.songs = (*self.songs[: self.position + 1], song, *self.upcoming)

    def move_to(self, song: Song) -> None:
        """The output plays this one now; one that is not in the queue changes nothing."""
        ids = [one.id for one in self.songs]
        if song.id in ids:
            self.position = ids.index(song.id)

    def clear(self) -> None:
        self.songs, self.position = (), 0
