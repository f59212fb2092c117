"""Events in a file, one JSON object a line, and back on their streams: facts only, never a picture.

Played back, they are new events: their times are moved to now, and all ids are made anew, alike for alike, so that
no consumer takes them for what it has done before.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from pydantic import ValidationError

from shared.circumplex import Mood
from shared.console import SHOWN
from shared.errors import MoodstreamError
from shared.events import Event, FeedbackGiven, StatusChanged
from shared.streams import STREAMS

RECORDED: tuple[type[Event], ...] = (*SHOWN, FeedbackGiven)
"""What may be recorded: no readings of faces, no questions."""

KINDS = {kind.__name__: kind for kind in RECORDED}

_IDS = ("id", "session_id", "trace_id", "offer_id")


def read_recording(file: Path) -> Iterator[Event]:
    """The events of a file. Raises MoodstreamError at the first line that is none."""
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _event(line, f"{file}:{number}")
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MoodstreamError(f"{file}: this is no recording of events") from None


def _event(line: str, where: str) -> Event:
    try:
        body = json.loads(line)
        return KINDS[body["type"]].model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise MoodstreamError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, KeyError, TypeError):
        raise MoodstreamError(f"{where}: this is no event") from None


def anew(events: Iterable[Event], start: datetime, speed: float = 1.0) -> Iterator[tuple[float, Event]]:
    """(seconds after the start, event) of a recording that is played back from ``start``."""
    run, first = uuid4(), None
    for event in events:
        first = first or event.at
        offset_s = max(0.0, (event.at - first).total_seconds() / speed)
        moved = start.timestamp() + offset_s - event.at.timestamp()
        values: dict[str, Any] = dict(event)
        for name, value in values.items():
            if isinstance(value, datetime):
                values[name] = datetime.fromtimestamp(value.timestamp() + moved, value.tzinfo)
            elif name in _IDS and value is not None:
                values[name] = str(uuid5(NAMESPACE_OID, f"{run}/{value}"))
        yield offset_s, type(event)(**values)


@dataclass(frozen=True)
class Wanted:
    """Which events shall pass; an empty set lets all pass. An event without a mood does not have the wanted one."""

    kinds: tuple[type[Event], ...]
    cameras: frozenset[str]
    moods: frozenset[str]

    def __call__(self, event: Event) -> bool:
        camera = getattr(event, "camera_id", None)
        if isinstance(event, StatusChanged):
            camera = event.part
        mood = getattr(event, "mood", None)
        return (
            isinstance(event, self.kinds)
            and (not self.cameras or camera in self.cameras)
            and (not self.moods or mood in self.moods)
        )


def wanted(types: Sequence[str] | None, cameras: Sequence[str] | None, moods: Sequence[str] | None) -> Wanted:
    """What a person asks for by names. Raises MoodstreamError when there is no such type or mood."""
    for name in types or ():
        if name != "all" and name not in KINDS:
            raise MoodstreamError(f"{name}: no type of event; there are {', '.join(KINDS)}, and all")
    for name in moods or ():
        if name not in tuple(Mood):
            raise MoodstreamError(f"{name}: no mood; there are {', '.join(Mood)}")
    kinds = RECORDED if not types or "all" in types else tuple(KINDS[name] for name in types)
    return Wanted(kinds, frozenset(cameras or ()), frozenset(moods or ()))


def publish(client: Any, prefix: str, timed: Iterable[tuple[float, Event]]) -> int:
    """Publish events, each in its time; ``client`` is a synchronous one. Returns how many."""
    begun, count = time.monotonic(), 0
    for offset_s, event in timed:
        time.sleep(max(0.0, begun + offset_s - time.monotonic()))
        stream = STREAMS[type(event)]
        body = event.model_dump_json()
        client.xadd(prefix + stream.name, {"__data__": body}, maxlen=stream.kept)
        count += 1
    return count
