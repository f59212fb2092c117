"""Listen to a running Moodstream and ask it things, from your own program.

    async with moodstream.Client("http://127.0.0.1:8080") as client:
        offer = await client.offer("calm")
        async for mood in client.moods():
            print(mood.mood, mood.confidence)

``BlockingClient`` does the same without asyncio. Every failure is a ``MoodstreamError`` with one line for people.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moodstream.blocking_client import BlockingClient
    from moodstream.client import Client, events, iter_events, iter_moods, moods
    from moodstream.errors import MoodstreamError, NoAnswer, RequestRefused

__version__ = "0.1.0"

__all__ = [
    "BlockingClient",
    "Client",
    "MoodstreamError",
    "NoAnswer",
    "RequestRefused",
    "events",
    "iter_events",
    "iter_moods",
    "moods",
]

_MODULES = {
    "BlockingClient": "blocking_client",
    "MoodstreamError": "errors",
    "NoAnswer": "errors",
    "RequestRefused": "errors",
}


def __getattr__(name: str) -> Any:
    """Import the client when it is first asked for: services need the contracts alone, and start sooner without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'client')}"), name)
