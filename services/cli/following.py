"""Events as they come, for commands that print or record them."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from moodstream.addresses import without_password
from moodstream.contracts.events import Event
from moodstream.contracts.streams import STREAMS
from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from shared.bus.outage import REDIS_ERRORS, Outage
from shared.settings import Settings, load

log = logging.getLogger("moodstream.live")

RETRY_S = 1.0
"""Between two tries while Redis is away."""
BLOCK_MS = 2_000
"""How long one read waits."""


def follow_events(url: str, kinds: tuple[type[Event], ...]) -> Iterator[Event]:
    """Events of these kinds as they come; entries that are no events are skipped with a warning.

    Raises MoodstreamError when Redis does not answer at first, and when an embedded one ends with its run. An outage
    of any other is logged and waited for; what was published meanwhile comes afterwards.
    """
    prefix = load(Settings).prefix
    names = {prefix + STREAMS[kind].name: kind for kind in kinds}
    with connected(url) as client:
        newest = {name: client.xrevrange(name, count=1) for name in names}
        # ids and not "$", which would begin anew with every read and lose what came in between
        position = {name: entries[0][0] if entries else b"0-0" for name, entries in newest.items()}
        outage = Outage(without_password(url))
        while True:
            try:
                read = client.xread(position, block=BLOCK_MS)
            except REDIS_ERRORS as error:
                if url.startswith("unix:") and not Path(urlsplit(url).path).exists():
                    raise MoodstreamError(
                        "the run that this command was reading from has ended, and its Redis with it"
                    ) from None
                outage.report("reading", error)
                time.sleep(RETRY_S)
                continue
            outage.resolve("reading")
            outage.end_if_resolved()
            for name, entries in read or ():
                for entry_id, fields in entries:
                    position[name.decode()] = entry_id
                    try:
                        yield names[name.decode()].model_validate_json(fields.get(b"__data__", b""))
                    except ValidationError:
                        log.warning("%s: skipped %s, which is not an event", name.decode(), entry_id.decode())
