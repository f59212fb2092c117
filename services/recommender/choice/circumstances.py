"""Under which circumstances a visit is: the part of the day, the kind of day, alone or in company.

What a site learns in the evening counts less in the morning. Playlists tell nothing of all this, so nothing is fitted:
a visit teaches by how much its circumstances are those of now. What it was like outside, or what people were doing,
nothing here measures, so it is no part of it.
"""

from dataclasses import astuple, dataclass
from datetime import datetime, tzinfo
from typing import Literal, Self

PartOfDay = Literal["morning", "afternoon", "evening", "night"]

MORNING, AFTERNOON, EVENING, NIGHT = 5, 12, 17, 22
"""Hours on the clock of the site at which each begins."""
SATURDAY = 5
UNLIKE = 0.6
"""What a visit still teaches for each of the three that differs."""

_LETTERS: dict[PartOfDay, str] = {"morning": "m", "afternoon": "a", "evening": "e", "night": "n"}


@dataclass(frozen=True)
class Circumstances:
    """16 kinds of them, so that what is counted under each stays a count of many."""

    part_of_day: PartOfDay
    weekend: bool
    company: bool
    """more than one face was seen"""

    @classmethod
    def of(cls, at: datetime, faces: int, zone: tzinfo) -> Self:
        """At a moment, by the clock of the site."""
        local = at.astimezone(zone)
        # a night belongs to the day before: early on Saturday it is still Friday
        weekday = local.weekday() if local.hour >= MORNING else (local.weekday() - 1) % 7
        return cls(_part_of_day(local.hour), weekday >= SATURDAY, faces > 1)

    @classmethod
    def parse(cls, code: str) -> Self:
        """Of what ``code`` gave. Raises ValueError."""
        names = {letter: name for name, letter in _LETTERS.items()}
        if len(code) != 3 or code[0] not in names or not set(code[1:]) <= {"0", "1"}:
            raise ValueError(f"no circumstances: {code!r}")
        return cls(names[code[0]], code[1] == "1", code[2] == "1")

    @property
    def code(self) -> str:
        """Three letters."""
        return f"{_LETTERS[self.part_of_day]}{int(self.weekend)}{int(self.company)}"

    def likeness(self, other: "Circumstances") -> float:
        """1 for the same, less for each that differs."""
        return float(UNLIKE ** sum(one != another for one, another in zip(astuple(self), astuple(other), strict=True)))


def _part_of_day(hour: int) -> PartOfDay:
    if hour < MORNING or hour >= NIGHT:
        return "night"
    return "morning" if hour < AFTERNOON else "afternoon" if hour < EVENING else "evening"
