"""What ``moodstream doctor`` looks at, a module per kind. Each check yields findings; none of them repairs anything."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

SERVICES = ("camera", "emotion", "recommender", "player", "gateway", "bridge")


@dataclass(frozen=True)
class Finding:
    """One part, and what is wrong with it."""

    part: str
    state: Literal["ok", "missing", "careful", "not used"]
    """``missing`` fails; ``careful`` works, and will not for ever or not for everybody"""
    hint: str | None = None
    cure: str | None = None
    """the one command that mends it"""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[], Iterator[Finding]]


def here(service: str) -> bool:
    """Whether a service is installed here: an image holds one of them."""
    return find_spec(f"services.{service}") is not None


def is_image() -> bool:
    """Whether this is an image of one service, not the whole program."""
    return not all(here(service) for service in SERVICES)


def in_container() -> bool:
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )
