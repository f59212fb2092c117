"""When somebody is told that the site needs them: when something lasts, and once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

AFTER_S = 60.0
"""What passes within this time is told to nobody."""
WELL_S = 30.0
"""With nothing wrong for so long, all is well again."""


@dataclass(frozen=True)
class Alert:
    """What is told."""

    problems: tuple[str, ...]
    """that last, in a few English words each; none when all is well again"""

    @property
    def title(self) -> str:
        return "Moodstream needs you" if self.problems else "Moodstream works again"

    @property
    def text(self) -> str:
        return "; ".join(self.problems) or "Everything works."


@dataclass
class Alarm:
    """Looks at what is wrong now, again and again."""

    told: frozenset[str] = frozenset()
    """keys of what was told and has not ended; what outlives a restart"""
    _since_s: dict[str, float] = field(default_factory=dict)
    _well_since_s: float | None = None

    def look(self, problems: Mapping[str, str], now_s: float) -> Alert | None:
        """By a key that stays, what is wrong now. Gives what is to be told, if anything is."""
        self._since_s = {key: self._since_s.get(key, now_s) for key in problems}
        lasting = frozenset(key for key, since_s in self._since_s.items() if now_s - since_s >= AFTER_S)
        if lasting - self.told:
            self.told |= lasting
            self._well_since_s = None
            return Alert(tuple(problems[key] for key in sorted(lasting)))
        if not self.told:
            return None
        if problems:
            self._well_since_s = None
            return None
        self._well_since_s = now_s if self._well_since_s is None else self._well_since_s
        if now_s - self._well_since_s < WELL_S:
            return None
        self.told, self._well_since_s = frozenset(), None
        return Alert(())
