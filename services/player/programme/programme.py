"""What shall play, and what to do next for it: a state machine without clock, network or output of its own. Pure.

It is told what was ranked, commanded and seen; ``next`` says the one thing to do now, and ``done`` takes what came of
it. Of each kind of wish only the newest stands, and none is carried out after its expiry.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from moodstream.contracts.events import Asking, Event, Model, MoodChanged, RequestMade, Song, SongsRanked
from moodstream.contracts.moods import MOODS
from moodstream.contracts.requests import CommandPlayer
from moodstream.errors import MoodstreamError
from services.player.outputs import LASTING, WORKS, Outcome
from services.player.programme.quiet_hours import QuietHours

FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 15.0
LASTING_PAUSE_S = 5.0
"""How often one looks whether a person has signed in; that asks nobody over the network."""
SOON_S = 1.0
COMMAND_LIFE = timedelta(seconds=10)
MISSING_KEPT = 100
END = "No more songs; pick one."

Kind = Literal["play", "pause", "resume", "volume", "transfer", "check"]


@dataclass(frozen=True)
class Rules:
    """What the operator has set."""

    song_min_s: float = 0.0
    """a song is not cut by another mood before it has played for so long"""
    volume: int | None = None
    """percent at the start; None leaves it as it is"""
    volume_min: int = 0
    volume_max: int = 100
    quiet: QuietHours | None = None
    quiet_volume: int = 0
    """percent at most in the quiet hours; 0 is silence"""
    check_every_s: float | None = None


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


class Saved(Model):
    """What another player needs to go on from here."""

    songs: tuple[Song, ...] = ()
    place: int = 0
    playing: bool = False
    paused_by_quiet: bool = False
    volume: int | None = None
    loud: int | None = None
    ranked_at: datetime | None = None
    waiting: SongsRanked | None = None


@dataclass
class Programme:
    """The songs, the wishes that are open, and what the output was last seen to do."""

    rules: Rules
    saved: Saved = field(default_factory=Saved)
    shown: Outcome = field(default_factory=lambda: Outcome("ready"))
    missing: dict[str, Song] = field(default_factory=dict)
    """songs that could not be found or played, by id, the newest last"""

    def __post_init__(self) -> None:
        self._songs, self._place = self.saved.songs, self.saved.place
        self._ranked_at = self.saved.ranked_at
        self._playing = self.saved.playing
        self._paused_by_quiet = self.saved.paused_by_quiet
        self._volume, self._loud = self.saved.volume, self.saved.loud
        self._wishes: dict[str, Action] = {}
        self._waiting = self.saved.waiting
        self._cut_s = float("-inf")
        self._look_s = float("-inf")
        self._blocked_s = float("-inf")
        self._failures = 0
        self._interrupted = self._playing
        self._quiet_until: datetime | None = None
        if self._volume is None and self.rules.volume is not None:
            self._set_volume(self.rules.volume, None)

    # what comes in

    def ranked(self, event: SongsRanked) -> bool:
        """Take the songs of a ranking; False for one that is older than the last.

        One that is older by more than its life would have expired: then the clock was set back, and it is new.
        """
        if self._ranked_at and timedelta(0) <= self._ranked_at - event.at < SongsRanked.LIFETIME:
            return False
        self._ranked_at = event.at
        if event.play:
            self._waiting = event
        return True

    def mood_changed(self, event: MoodChanged) -> None:
        """Songs that wait, and that nobody picked by hand, are dropped when their mood has passed."""
        waiting = self._waiting
        if waiting is None or waiting.by != "auto" or waiting.session_id != event.session_id:
            return
        if event.phase == "end" or (event.mood in MOODS and event.mood is not waiting.mood):
            self._waiting = None

    def command(self, asked: CommandPlayer, request: RequestMade, at: datetime) -> Action:
        """What a command asks for. Raises MoodstreamError for one that makes no sense."""
        if asked.command in ("play", "resume", "next", "ended") and self._silent:
            raise MoodstreamError(self._quiet_message)
        match asked.command:
            case "play":
                return self._start((_song(asked),), request, at)
            case "queue":
                song = _song(asked)
                if self._songs[self._place :]:
                    self._songs = (*self._songs[: self._place + 1], song, *self._songs[self._place + 1 :])
                    return self._wish("look", Action("check", cause=request))
                return self._start((song,), request, at)
            case "next":
                return self._go_on(request, at)
            case "ended":
                if self.song is None or self.song.id != asked.song:
                    return self._wish("look", Action("check", cause=request))  # told by a second page
                return self._go_on(request, at)
            case "pause" | "resume":
                self._paused_by_quiet = False
                action = Action(asked.command, cause=request, expires_at=at + COMMAND_LIFE)
                return self._wish("transport", action)
            case "volume":
                if asked.percent is None:
                    raise MoodstreamError("percent must be a number from 0 to 100")
                return self._set_volume(round(asked.percent), request)
            case "transfer":
                if asked.device is None:
                    raise MoodstreamError("device must be the name or id of a device")
                expires_at = at + COMMAND_LIFE
                action = Action("transfer", device=asked.device, cause=request, expires_at=expires_at)
                return self._wish("transfer", action)

    def at_hand(self, ranking_id: str) -> Action | None:
        """The play of a saved ranking, taken up at once; None when it is not the one that waits."""
        waiting = self._waiting
        if waiting is None or waiting.id != ranking_id:
            return None
        self._waiting = None
        return self._start(waiting.play, waiting, None)

    def poke(self) -> None:
        """Something has changed outside, for example somebody has signed in: look at once."""
        self._blocked_s = self._look_s = float("-inf")
        if self.shown.state == "premium_required":
            self.shown = Outcome("ready")

    # what to do

    def next(self, now_s: float, at: datetime) -> Action | None:
        """The one thing to do at this moment; None while there is nothing. ``at`` carries the local time zone."""
        self._keep_quiet(at)
        if self._waiting is not None and self._waiting.expires_at < at:
            self._waiting = None
        if now_s < self._blocked_s:
            return None
        self._take_ranking(now_s)
        for key in ("transfer", "transport", "volume", "look"):
            wish = self._wishes.get(key)
            if wish is not None and wish.expires_at is not None and wish.expires_at < at:
                del self._wishes[key]
            elif wish is not None:
                return wish
        if now_s >= self._look_s and self.shown.state != "premium_required":
            return Action("check")
        return None

    def done(self, action: Action, outcome: Outcome, now_s: float) -> None:
        """Take in what came of an action."""
        if outcome.state in WORKS:
            self._worked(action, outcome, now_s)
            every_s = self.rules.check_every_s
            # what was asked for may be something else a moment later: a song that a service passes over
            soon_s = every_s if every_s is None or action.kind != "play" else min(every_s, SOON_S)
            self._look_s = float("inf") if soon_s is None else now_s + soon_s
        elif outcome.skip and action.kind == "play":
            self._skip(action, outcome)
        else:
            self._failed(action, outcome, now_s)

    def refused(self, action: Action) -> None:
        """The action made no sense to the output: nothing has changed."""
        self._forget(action)

    @property
    def song(self) -> Song | None:
        """What plays or is paused."""
        return self._songs[self._place] if self._place < len(self._songs) else None

    @property
    def coming(self) -> Sequence[Song]:
        return self._songs[self._place + 1 :]

    @property
    def volume(self) -> int | None:
        return self._volume

    @property
    def message(self) -> str:
        if self._quiet_until and self.shown.state in WORKS and self._silent:
            return self._quiet_message
        return self.shown.advice

    @property
    def until(self) -> datetime | None:
        return self._quiet_until if self._silent and self.shown.state in WORKS else self.shown.until

    def to_save(self) -> Saved:
        return Saved(
            songs=self._songs,
            place=self._place,
            playing=self._playing,
            paused_by_quiet=self._paused_by_quiet,
            volume=self._volume,
            loud=self._loud,
            ranked_at=self._ranked_at,
            waiting=self._waiting or self._ranking_at_hand,
        )

    # within

    @property
    def _ranking_at_hand(self) -> SongsRanked | None:
        """The ranking whose play is not done."""
        wish = self._wishes.get("transport")
        return wish.cause if wish is not None and isinstance(wish.cause, SongsRanked) else None

    def _wish(self, key: str, action: Action) -> Action:
        self._wishes[key] = action
        return action

    def _start(self, songs: tuple[Song, ...], cause: Asking, at: datetime | None) -> Action:
        self._songs, self._place = songs, 0
        expires_at = cause.expires_at if at is None else at + COMMAND_LIFE
        return self._wish("transport", Action("play", songs=songs, cause=cause, expires_at=expires_at))

    def _go_on(self, request: RequestMade, at: datetime) -> Action:
        if not self.coming:
            raise MoodstreamError(END)
        return self._start(tuple(self.coming), request, at)

    def _take_ranking(self, now_s: float) -> None:
        if self._waiting is None or self._silent:
            self._waiting = None
        elif not self._playing or now_s >= self._cut_s + self.rules.song_min_s:
            waiting, self._waiting = self._waiting, None
            self._paused_by_quiet = False
            self._start(waiting.play, waiting, None)

    def _set_volume(self, percent: int, cause: Event | None) -> Action:
        return self._wish("volume", Action("volume", volume=self._limited(percent), cause=cause))

    def _limited(self, percent: int) -> int:
        most = self.rules.volume_max
        if self._quiet_until and self.rules.quiet_volume:
            most = min(most, self.rules.quiet_volume)
        return max(min(self.rules.volume_min, most), min(most, percent))

    def _worked(self, action: Action, outcome: Outcome, now_s: float) -> None:
        self._failures, self._blocked_s = 0, float("-inf")
        self._forget(action)
        before, interrupted = self.song, self._interrupted
        if outcome.song is not None and outcome.song.id in {song.id for song in self._songs}:
            self._place = [song.id for song in self._songs].index(outcome.song.id)
        if action.kind == "play" or self.song != before:
            self._cut_s = now_s
        if action.kind == "volume" or outcome.volume is not None:
            self._volume = outcome.volume if outcome.volume is not None else action.volume
        self._interrupted = False
        if action.kind == "check" and outcome.state == "ready" and self._playing and self._songs[self._place :]:
            if interrupted:  # it played until the output went away, which has forgotten it
                self._wish("transport", Action("play", songs=self._songs[self._place :]))
            else:
                self._songs, self._place = (), 0
                outcome = Outcome("ready", END, device=outcome.device, volume=outcome.volume)
        else:
            self._playing = outcome.state == "playing"
        self.shown = outcome
        self._keep_limits()

    def _failed(self, action: Action, outcome: Outcome, now_s: float) -> None:
        self._failures += 1
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10), MAX_PAUSE_S)
        if outcome.state in LASTING:
            pause_s = LASTING_PAUSE_S
            self._forget(action)
        elif action.kind in ("check", "volume", "transfer") or action.cause is None:
            self._forget(action)
        self._blocked_s = now_s + (outcome.wait_s if outcome.wait_s is not None else pause_s)
        self._look_s = self._blocked_s
        self._interrupted |= self._playing
        self.shown = outcome

    def _skip(self, action: Action, outcome: Outcome) -> None:
        """The first song of an action cannot be played: the next one is tried, unless something newer is wished."""
        self.missing.pop(action.songs[0].id, None)
        self.missing[action.songs[0].id] = action.songs[0]
        while len(self.missing) > MISSING_KEPT:
            del self.missing[next(iter(self.missing))]
        if self._wishes.get("transport") is not action:
            return
        rest = action.songs[1:]
        self._songs, self._place = rest, 0
        self._forget(action)
        if rest:
            self._wish("transport", Action("play", songs=rest, cause=action.cause, expires_at=action.expires_at))
        else:
            self._playing = self._interrupted = False
            self.shown = outcome

    def _forget(self, action: Action) -> None:
        for key, wish in list(self._wishes.items()):
            if wish is action:
                del self._wishes[key]

    def _keep_limits(self) -> None:
        """Somebody may have turned the output itself up."""
        seen = self.shown.volume
        if seen is not None and "volume" not in self._wishes and self._limited(seen) != seen:
            self._set_volume(seen, None)

    @property
    def _silent(self) -> bool:
        return self._quiet_until is not None and self.rules.quiet_volume == 0

    @property
    def _quiet_message(self) -> str:
        return f"Quiet hours until {self._quiet_until:%H:%M}." if self._quiet_until else ""

    def _keep_quiet(self, at: datetime) -> None:
        before, self._quiet_until = self._quiet_until, self.rules.quiet.until(at) if self.rules.quiet else None
        if (before is None) == (self._quiet_until is None):
            return
        if self._quiet_until is not None:
            self._begin_quiet()
        elif self._paused_by_quiet:
            self._paused_by_quiet = False
            self._wish("transport", Action("resume"))
        elif self._loud is not None:
            loud, self._loud = self._loud, None
            self._set_volume(loud, None)

    def _begin_quiet(self) -> None:
        if self._silent:
            self._waiting = None
            if self._playing:
                self._paused_by_quiet = True
                self._wish("transport", Action("pause"))
        else:
            self._loud = self._volume if self._volume is not None else self.rules.volume_max
            self._set_volume(min(self._loud, self.rules.quiet_volume), None)


def _song(asked: CommandPlayer) -> Song:
    if not isinstance(asked.song, Song):
        raise MoodstreamError("song must have id, title and artist")
    return asked.song
