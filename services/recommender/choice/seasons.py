"""When songs of a season may be heard, such as Christmas songs in December."""

import re
from datetime import date
from typing import NamedTuple

from moodstream.errors import SettingError

SETTING = "MOODSTREAM_SEASONS"

ALWAYS = "always"
"""Instead of seasons: songs of all seasons at any time."""

NAMES = ("christmas", "new-year", "halloween", "easter")

DEFAULT = "christmas:11-25..01-06,new-year:12-28..01-03,halloween:10-17..10-31,easter:03-15..04-25"


class Season(NamedTuple):
    """From a day to a day, both included, as (month, day); it may run over the end of the year."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]

    def holds(self, today: date) -> bool:
        day = (today.month, today.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


def read_seasons(text: str) -> tuple[Season, ...]:
    """From ``name:MM-DD..MM-DD``, separated by commas. Raises SettingError."""
    return tuple(_season(part.strip()) for part in text.split(",") if part.strip())


def _season(text: str) -> Season:
    found = re.fullmatch(r"([\w-]+)\s*:\s*(\d\d)-(\d\d)\s*\.\.\s*(\d\d)-(\d\d)", text)
    if found is None:
        raise SettingError(SETTING, f"{text!r} is no season; write christmas:11-25..01-06, or {ALWAYS}")
    name, *numbers = found.groups()
    if name not in NAMES:
        raise SettingError(SETTING, f"{name!r} is none of {', '.join(NAMES)}")
    first, last = (_day(*numbers[at : at + 2]) for at in (0, 2))
    return Season(name, first, last)


def _day(month: str, day: str) -> tuple[int, int]:
    try:
        date(2024, int(month), int(day))  # a leap year
    except ValueError:
        raise SettingError(SETTING, f"there is no day {month}-{day}") from None
    return int(month), int(day)


def in_season(text: str, today: date) -> frozenset[str] | None:
    """The seasons whose songs may be heard on a day; None for all, whatever the day. Raises SettingError."""
    if text.strip().casefold() == ALWAYS:
        return None
    return frozenset(season.name for season in read_seasons(text) if season.holds(today))
