"""What shall play, and what to do next for it: a state machine without clock, network or output of its own. Pure.

It takes in rankings, moods, commands, and what came of each action; ``next_action`` says the one thing to do now.
"""

from dataclasses import replace
from datetime import datetime

from moodstream.contracts.events import Model, MoodChanged, RequestMade, Song, SongsRanked
from moodstream.contracts.requests import CommandPlayer
from services.player.outputs import LASTING, WORKS, Outcome
from services.player.programme.actions import Action, PendingActions
from services.player.programme.commands import END, Commands
from services.player.programme.presence import Presence
from services.player.programme.queue import Queue
from services.player.programme.quiet_time import QuietTime
from services.player.programme.ranking import WaitingRanking
from services.player.programme.rules import Rules
from services.player.programme.schedule import Schedule
from services.player.programme.volume import Volume
from shared.bounded import Bounded

MISSING_KEPT = 100


class Saved(Model):
    """What another player needs to go on from here. It lies in Redis: players of other versions know these names."""

    songs: tuple[Song, ...] = ()
    place: int = 0
    """of the current song"""
    playing: bool = False
    paused_by_quiet: bool = False
    volume: int | None = None
    loud: int | None = None
    """volume before the quiet hours"""
    ranked_at: datetime | None = None
    waiting: SongsRanked | None = None
    visit: str | None = None
    """session whose pick plays"""


class Programme:
    """Decides with its parts: queue, volume, quiet time, the ranking that waits, and the actions that are pending."""

    def __init__(self, rules: Rules, saved: Saved | None = None) -> None:
        saved = saved or Saved()
        self.shown = Outcome("ready")
        """what the output was last seen to do, or why it could not"""
        self.missing: Bounded[str, Song] = Bounded(MISSING_KEPT)
        """songs that could not be found or played, by id, the newest last"""
        self._song_min_s = rules.song_min_s
        self._music_after_s = rules.music_after_s
        self._presence = Presence()
        self._visit = saved.visit
        """session whose pick plays; None for what was asked for otherwise"""
        self._pending = PendingActions()
        self._queue = Queue(self._pending, saved.songs, saved.place)
        self._volume = Volume(rules, self._pending, saved.volume, saved.loud)
        self._quiet = QuietTime(rules, self._volume, self._pending, saved.paused_by_quiet)
        self._commands = Commands(self._queue, self._volume, self._quiet, self._pending)
        self._ranking = WaitingRanking(saved.waiting, saved.ranked_at)
        self._schedule = Schedule(rules.check_every_s)
        self._playing = saved.playing
        self._interrupted = saved.playing
        """whether the output may have forgotten what it played"""
        self._begun_s = float("-inf")
        """when the current song began, by the monotonic clock"""

    def change_rules(self, rules: Rules) -> None:
        """The operator has set something else; a volume beyond the new limits is brought within them."""
        self._song_min_s, self._music_after_s = rules.song_min_s, rules.music_after_s
        self._volume.change_rules(rules)
        self._quiet.change_rules(rules)

    def snapshot(self) -> Saved:
        return Saved(
            songs=self._queue.songs,
            place=self._queue.position,
            playing=self._playing,
            paused_by_quiet=self._quiet.paused_music,
            volume=self._volume.percent,
            loud=self._volume.before_quiet,
            ranked_at=self._ranking.newest_at,
            waiting=self._ranking.ranking or self._unfinished_ranking,
            visit=self._visit,
        )

    @property
    def _unfinished_ranking(self) -> SongsRanked | None:
        """The ranking whose songs the output was not made to play yet."""
        action = self._pending.get("transport")
        return action.cause if action is not None and isinstance(action.cause, SongsRanked) else None

    # what is shown

    @property
    def song(self) -> Song | None:
        """What plays or is paused."""
        return self._queue.current

    @property
    def upcoming(self) -> tuple[Song, ...]:
        return self._queue.upcoming

    @property
    def volume(self) -> int | None:
        return self._volume.percent

    @property
    def message(self) -> str:
        return self._quiet.message if self._shows_silence else self.shown.advice

    @property
    def until(self) -> datetime | None:
        return self._quiet.until if self._shows_silence else self.shown.until

    @property
    def _shows_silence(self) -> bool:
        return self._quiet.silent and self.shown.state in WORKS

    # what comes in

    def apply_ranking(self, ranking: SongsRanked) -> bool:
        """Its songs play as soon as they may; False for one that is older than the last."""
        return self._ranking.accept(ranking)

    def apply_mood(self, mood: MoodChanged) -> None:
        """Songs that wait, and that nobody picked by hand, are dropped when their mood has passed."""
        self._presence.apply_mood(mood)
        self._ranking.apply_mood(mood)

    def apply_command(self, asked: CommandPlayer, request: RequestMade, at: datetime) -> Action:
        """The action that a command asks for. Raises MoodstreamError for one that makes no sense."""
        if asked.command == "stop":
            self._ranking.drop_of(asked.session_id)
            if asked.session_id not in (None, self._visit):  # what somebody else hears goes on
                return self._pending.add(Action("check", cause=request))
        if asked.command in ("stop", "play"):
            self._visit = None
        return self._commands.apply(asked, request, at)

    def start_saved_ranking(self, ranking_id: str) -> Action | None:
        """Play the ranking that waits at once, if it is this one."""
        waiting = self._ranking.ranking
        if waiting is None or waiting.id != ranking_id:
            return None
        self._ranking.drop()
        self._visit = waiting.session_id
        return self._queue.play(waiting.play, waiting, waiting.expires_at)

    def check_now(self) -> None:
        """Something has changed outside, for example somebody has signed in: check the output at once."""
        self._schedule.check_now()
        if self.shown.state == "premium_required":
            self.shown = Outcome("ready")

    # what to do

    def next_action(self, now_s: float, at: datetime) -> Action | None:
        """The one thing to do at this moment; None while there is nothing. ``at`` carries the local time zone."""
        self._quiet.update(at, playing=self._playing)
        self._ranking.drop_expired(at)
        if self._quiet.silent:
            self._ranking.drop()
        if self._schedule.is_blocked(now_s):
            return None
        self._start_ranking(now_s)
        self._stop_unheard(now_s, at)
        if (action := self._pending.first(at)) is not None:
            return action
        if self._schedule.is_check_due(now_s) and self.shown.state != "premium_required":
            return Action("check")
        return None

    def _stop_unheard(self, now_s: float, at: datetime) -> None:
        """Music that a visitor has picked ends some time after the last one has gone."""
        empty_s = self._presence.empty_for_s(now_s, at)
        if self._visit is not None and self._playing and 0 < self._music_after_s <= empty_s:
            self._visit = None
            self._queue.stop(None, None)

    def _start_ranking(self, now_s: float) -> None:
        if self._playing and now_s < self._begun_s + self._song_min_s:
            return
        ranking = self._ranking.take()
        if ranking is not None:
            self._quiet.paused_music = False
            self._visit = ranking.session_id
            self._queue.play(ranking.play, ranking, ranking.expires_at)

    # what came of it

    def apply_outcome(self, action: Action, outcome: Outcome, now_s: float) -> None:
        """Take in what came of an action."""
        if outcome.state in WORKS:
            self._apply_success(action, outcome, now_s)
        elif outcome.skip and action.kind == "play":
            self._skip_missing(action, outcome)
        else:
            self._apply_failure(action, outcome, now_s)

    def drop_action(self, action: Action) -> None:
        """The action made no sense to the output: nothing has changed."""
        self._pending.drop(action)

    def _apply_success(self, action: Action, outcome: Outcome, now_s: float) -> None:
        self._schedule.note_success(played=action.kind == "play", now_s=now_s)
        self._pending.drop(action)
        before, interrupted, self._interrupted = self.song, self._interrupted, False
        if outcome.song is not None:
            self._queue.move_to(outcome.song)
        if action.kind == "play" or self.song != before:
            self._begun_s = now_s
        if outcome.volume is not None:
            self._volume.percent = outcome.volume
        elif action.kind == "volume":
            self._volume.percent = action.volume
        stopped = action.kind == "check" and outcome.state == "ready" and self._playing and self._queue.remaining
        if action.kind == "check" and outcome.state == "paused" and not self._queue.songs:
            outcome = replace(outcome, state="ready")  # what was stopped does not pause
        if not stopped:
            self._playing = outcome.state == "playing"
        elif interrupted:
            self._queue.play_remaining()
        else:
            self._queue.clear()
            outcome = Outcome("ready", END, device=outcome.device, volume=outcome.volume)
        self.shown = outcome
        self._volume.note_seen(outcome.volume)

    def _apply_failure(self, action: Action, outcome: Outcome, now_s: float) -> None:
        self._schedule.note_failure(outcome.state, outcome.wait_s, now_s)
        asked = action.cause is not None and action.kind in ("play", "pause", "resume")
        tried_again = asked or action.kind == "stop"
        if outcome.state in LASTING or not tried_again:
            self._pending.drop(action)
        self._interrupted |= self._playing
        self.shown = outcome

    def _skip_missing(self, action: Action, outcome: Outcome) -> None:
        """The first song of an action cannot be played: the next one is tried, unless something newer is pending."""
        self.missing[action.songs[0].id] = action.songs[0]
        if self._pending.get("transport") is not action:
            return
        self._pending.drop(action)
        if rest := action.songs[1:]:
            self._queue.play(rest, action.cause, action.expires_at)
        else:
            self._queue.clear()
            self._playing = self._interrupted = False
            self.shown = outcome
