"""What becomes of the music in the quiet hours: it pauses, or it is turned down. Pure."""

from datetime import datetime

from services.player.programme.actions import Action, PendingActions
from services.player.programme.rules import Rules
from services.player.programme.volume import Volume


class QuietTime:
    """Follows the clock on the wall."""

    def __init__(self, rules: Rules, volume: Volume, pending: PendingActions, paused_music: bool) -> None:
        self._rules, self._volume, self._pending = rules, volume, pending
        self.paused_music = paused_music
        """whether the music pauses for the quiet hours, and goes on after them"""
        self.until: datetime | None = None
        """when they end, while they last"""

    def change_rules(self, rules: Rules) -> None:
        """Quiet hours other than before, which ``update`` begins or ends.

        Where music that paused may play low from now on, or the other way round, they end here and begin anew.
        """
        was_silent, self._rules = self.silent, rules
        if self.until is not None and self.silent != was_silent:
            self.until = None
            self._end()

    @property
    def silent(self) -> bool:
        """Whether nothing may play now."""
        return self.until is not None and self._rules.quiet_volume == 0

    @property
    def message(self) -> str:
        return f"Quiet hours until {self.until:%H:%M}." if self.until else ""

    def update(self, at: datetime, *, playing: bool) -> None:
        """``at`` carries the local time zone."""
        before, self.until = self.until, self._rules.quiet.until(at) if self._rules.quiet else None
        if self.until is None:
            self._end()  # also of quiet hours that began under another player
        elif before is None:
            self._begin(playing)

    def _begin(self, playing: bool) -> None:
        if not self.silent:
            self._volume.begin_quiet()
        elif playing:
            self.paused_music = True
            self._pending.add(Action("pause"))

    def _end(self) -> None:
        """Does nothing where nothing was paused or turned down."""
        self._volume.end_quiet()
        if self.paused_music:
            self.paused_music = False
            self._pending.add(Action("resume"))
