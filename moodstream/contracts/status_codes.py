"""Why a service or a part of one is online, offline or degraded: a word to compare, beside the sentence for people.

Who reads a status must expect words that it does not know, since services are upgraded one at a time, and none in what
was recorded before there were any. A test holds these and the list in ``docs/events.md`` together.
"""

from enum import StrEnum


class StatusCode(StrEnum):
    """Why, as one word; docs/events.md says what each means."""

    # a camera that gives pictures, by where they come from
    LIVE = "live"
    FILE = "file"
    DRAWN = "drawn"
    SIMULATED = "simulated"
    BROWSER = "browser"
    PUSHED = "pushed"
    # one that ended, or rests
    END_OF_INPUT = "end_of_input"
    STOPPED = "stopped"
    RESTING = "resting"
    CLOSED = "closed"
    # one that needs somebody
    NOT_STARTED = "not_started"
    NOT_OPENED = "not_opened"
    WRONG_SOURCE = "wrong_source"
    LOST = "lost"
    CRASHED = "crashed"
    STUCK = "stuck"
    STALLED = "stalled"
    BROKEN_PICTURES = "broken_pictures"
    BLACK = "black"
    FROZEN = "frozen"
    COVERED = "covered"
    TOO_SLOW = "too_slow"
    TOO_FAST = "too_fast"
    FRAMES_REFUSED = "frames_refused"
    # a service, or the site
    REDIS = "redis"
    SLOW_LINE = "slow_line"
    RECOVERED = "recovered"
    OPEN = "open"
    VIEW = "view"
    VIEW_ENDED = "view_ended"
    TEST = "test"
