"""What ``moodstream doctor`` looks at, a module per kind. Each check yields findings; none of them repairs anything."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Finding:
    """One part, and what is wrong with it."""

    part: str
    state: Literal["ok", "missing", "careful", "not used"]
    """``missing`` fails; ``careful`` works, but not for long or not for everybody"""
    hint: str | None = None
    cure: str | None = None
    """the one command that mends it"""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[], Iterator[Finding]]
