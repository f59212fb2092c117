"""The volume within the operator's limits, lower in the quiet hours. Pure."""

from moodstream.contracts.events import Event
from services.player.programme.actions import Action, PendingActions
from services.player.programme.rules import Rules


class Volume:
    """In percent; None while nobody knows it."""

    def __init__(self, rules: Rules, pending: PendingActions, percent: int | None, before_quiet: int | None) -> None:
        self._rules, self._pending = rules, pending
        self.percent = percent
        self.before_quiet = before_quiet
        """what it goes back to when the quiet hours end"""
        self._quiet = False
        if percent is None and rules.volume is not None:
            self.set_percent(rules.volume)

    def set_percent(self, percent: int, cause: Event | None = None) -> Action:
        """The nearest volume that is allowed is to be set."""
        return self._pending.add(Action("volume", volume=self._limit(percent), cause=cause))

    def change_rules(self, rules: Rules) -> None:
        """Limits other than before; what is beyond them, or was held down by the old ones in quiet hours, is set."""
        self._rules = rules
        wanted = self.before_quiet if self._quiet and self.before_quiet is not None else self.percent
        if wanted is not None and self._limit(wanted) != self.percent:
            self.set_percent(wanted)

    def note_seen(self, percent: int | None) -> None:
        """Somebody may have turned the output itself beyond the limits."""
        if percent is not None and self._pending.get("volume") is None and self._limit(percent) != percent:
            self.set_percent(percent)

    def begin_quiet(self) -> None:
        """Not for hours of silence: then the music pauses."""
        self._quiet = True
        if self.before_quiet is None:  # else it is known from the player that led when they began
            self.before_quiet = self.percent if self.percent is not None else self._rules.volume_max
        self.set_percent(self.before_quiet)

    def end_quiet(self) -> None:
        self._quiet = False
        if self.before_quiet is not None:
            before, self.before_quiet = self.before_quiet, None
            self.set_percent(before)

    def _limit(self, percent: int) -> int:
        most = self._rules.volume_max
        if self._quiet:
            most = min(most, self._rules.quiet_volume)
        return max(min(self._rules.volume_min, most), min(most, percent))
