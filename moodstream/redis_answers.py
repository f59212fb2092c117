"""What Redis answered, as one line for people where it is not what was asked for."""

from redis.exceptions import AuthenticationError, NoPermissionError

from moodstream.addresses import without_password
from moodstream.errors import MoodstreamError


def is_locked_out(error: Exception) -> bool:
    """Whether a new try cannot help."""
    return _is(error, AuthenticationError) or _is(error, NoPermissionError)


def refused(url: str, error: Exception) -> MoodstreamError:
    if _is(error, AuthenticationError):  # its own text may be about the protocol
        return MoodstreamError(f"{without_password(url)} wants another user name or password")
    return MoodstreamError(f"{without_password(url)}: {error}")


def _is(error: Exception, kind: type[Exception]) -> bool:
    """redis-py makes a ConnectionError of some errors."""
    return isinstance(error, kind) or isinstance(error.__cause__, kind)
