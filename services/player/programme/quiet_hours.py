"""Hours of the day in which it has to be quiet. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from moodstream.errors import SettingError

_FORM = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` to ``end`` by the clock on the wall, over midnight where ``end`` is the earlier one."""

    begin: time
    end: time

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which ``now`` lies, or None."""
        clock = now.time()
        after_begin, before_end = clock >= self.begin, clock < self.end
        over_midnight = self.begin > self.end
        if not (after_begin or before_end if over_midnight else after_begin and before_end):
            return None
        day = now if clock < self.end else now + timedelta(days=1)
        return day.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)


def parse_quiet_hours(text: str) -> QuietHours | None:
    """``22:00-07:00``, or nothing. Raises SettingError."""
    if not text:
        return None
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise SettingError("MOODSTREAM_QUIET_HOURS", f"{text!r} is not of the form 22:00-07:00")
    begin_h, begin_m, end_h, end_m = (int(part) for part in found.groups())
    return QuietHours(time(begin_h, begin_m), time(end_h, end_m))
