"""What the commands of a person change, and the action that each asks for. Pure."""

from datetime import datetime, timedelta

from moodstream.contracts.events import RequestMade, Song
from moodstream.contracts.requests import CommandPlayer
from moodstream.errors import MoodstreamError
from services.player.programme.actions import Action, PendingActions
from services.player.programme.queue import Queue
from services.player.programme.quiet_time import QuietTime
from services.player.programme.volume import Volume

LIFE = timedelta(seconds=10)
"""A command that could not be carried out for so long is dropped."""
END = "No more songs; pick one."


class Commands:
    """Changes the parts of the programme."""

    def __init__(self, queue: Queue, volume: Volume, quiet: QuietTime, pending: PendingActions) -> None:
        self._queue, self._volume, self._quiet, self._pending = queue, volume, quiet, pending

    def apply(self, asked: CommandPlayer, request: RequestMade, at: datetime) -> Action:
        """The action that a command asks for. Raises MoodstreamError for one that makes no sense."""
        if asked.command in ("play", "resume", "next", "ended") and self._quiet.silent:
            raise MoodstreamError(self._quiet.message)
        expires_at = at + LIFE
        match asked.command:
            case "play":
                return self._queue.play((_song(asked),), request, expires_at)
            case "queue":
                song = _song(asked)
                if not self._queue.remaining:
                    return self._queue.play((song,), request, expires_at)
                self._queue.insert_next(song)
                return self._pending.add(Action("check", cause=request))
            case "next":
                return self._play_next(request, expires_at)
            case "ended":
                current = self._queue.current
                if current is None or current.id != asked.song:  # another page has said so before
                    return self._pending.add(Action("check", cause=request))
                if not self._queue.upcoming:
                    return self._queue.stop(request, expires_at)
                return self._play_next(request, expires_at)
            case "pause" | "resume":
                self._quiet.paused_music = False
                return self._pending.add(Action(asked.command, cause=request, expires_at=expires_at))
            case "stop":
                self._quiet.paused_music = False
                return self._queue.stop(request, expires_at)
            case "volume":
                if asked.percent is None:
                    raise MoodstreamError("percent must be a number from 0 to 100")
                return self._volume.set_percent(round(asked.percent), request)
            case "transfer":
                if asked.device is None:
                    raise MoodstreamError("device must be the name or id of a device")
                action = Action("transfer", device=asked.device, cause=request, expires_at=expires_at)
                return self._pending.add(action)

    def _play_next(self, request: RequestMade, expires_at: datetime) -> Action:
        if not self._queue.upcoming:
            raise MoodstreamError(END)
        return self._queue.play(self._queue.upcoming, request, expires_at)


def _song(asked: CommandPlayer) -> Song:
    if not isinstance(asked.song, Song):
        raise MoodstreamError("song must have id, title and artist")
    return asked.song
