"""What an HTTP server answered, as one line for people where it is not what was asked for."""

import json

import httpx

from moodstream.addresses import without_password
from moodstream.errors import MoodstreamError


def error_line(response: httpx.Response) -> str | None:
    """The API's own line; None where the body holds none, so that it is probably not the API of a Moodstream."""
    try:
        line = json.loads(response.content)["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return line if isinstance(line, str) else None


def not_moodstream(url: str, response: httpx.Response) -> MoodstreamError:
    """For an answer that the API of a Moodstream never gives."""
    url = without_password(url)
    if response.is_redirect:
        return MoodstreamError(f"{url} redirects to {response.headers.get('location')}; use that address")
    return MoodstreamError(f"{url}: this is not the page of a Moodstream (status {response.status_code})")


def unreachable(url: str, error: Exception) -> MoodstreamError:
    return MoodstreamError(f"{without_password(url)} does not answer: {reason(error)}")


def reason(error: Exception) -> str:
    """Some of httpx's errors have no text."""
    return str(error) or type(error).__name__
