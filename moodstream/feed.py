"""What listening over HTTP and over Redis have in common."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from moodstream.contracts.event_filter import KINDS
from moodstream.contracts.events import Event

log = logging.getLogger("moodstream.client")

MAX_PAUSE_S = 5.0

OnGap = Callable[[int | None], None]
"""Is given how many events were missed; None when nobody knows."""


def warn_of_gap(missed: int | None) -> None:
    log.warning("%s events were missed", "an unknown number of" if missed is None else missed)


def parse_event(kind: str, text: str | bytes) -> Event | None:
    """None for what a newer Moodstream publishes and this client does not know."""
    try:
        return KINDS[kind].model_validate_json(text)
    except (KeyError, ValidationError) as error:
        log.debug("an event was not understood: %s", error)
        return None


@dataclass
class Backoff:
    """How long to wait before the next try; an outage is logged once, when it begins."""

    address: str
    """without its password"""
    failures: int = 0
    """since something was last received"""

    def reset(self) -> None:
        self.failures = 0

    def next_pause_s(self, reason: object) -> float:
        log.log(logging.DEBUG if self.failures else logging.WARNING, "%s: %s; trying again", self.address, reason)
        self.failures += 1
        return float(min(0.2 * 2**self.failures, MAX_PAUSE_S))
