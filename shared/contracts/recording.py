"""Events in a file, one JSON object per line, and back on their streams: facts only, never a picture.

Played back, they are new events: their times are moved to now, and all ids are replaced, equal ones by equal ones, so
that no consumer takes them for events that it has handled before.
"""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from pydantic import ValidationError

from moodstream.contracts.event_filter import ON_REDIS
from moodstream.contracts.events import Event
from moodstream.contracts.streams import STREAMS
from moodstream.contracts.validation import first_fault
from moodstream.errors import MoodstreamError

_IDS = ("id", "session_id", "trace_id", "offer_id")


def read_recording(file: Path) -> Iterator[Event]:
    """The events of a file. Raises MoodstreamError at the first line that is no event."""
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
        return ON_REDIS[body["type"]].model_validate(body)
    except ValidationError as error:
        raise MoodstreamError(f"{where}: {first_fault(error)}") from None
    except (ValueError, KeyError, TypeError):
        raise MoodstreamError(f"{where}: this is no event") from None


def as_new_events(events: Iterable[Event], start: datetime, speed: float = 1.0) -> Iterator[tuple[float, Event]]:
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


def publish(client: Any, prefix: str, timed: Iterable[tuple[float, Event]]) -> int:
    """Publish events, each at its time; ``client`` is a synchronous one. Returns how many."""
    begun, count = time.monotonic(), 0
    for offset_s, event in timed:
        time.sleep(max(0.0, begun + offset_s - time.monotonic()))
        stream = STREAMS[type(event)]
        body = event.model_dump_json()
        client.xadd(prefix + stream.name, {"__data__": body}, maxlen=stream.kept)
        count += 1
    return count
