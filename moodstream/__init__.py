"""Listen to a running Moodstream and ask it things, from your own program.

    async with moodstream.Client("http://127.0.0.1:8080") as client:
        offer = await client.offer("calm")
        async for mood in client.moods():
            print(mood.mood, mood.confidence)

``BlockingClient`` does the same without asyncio. Every failure is a ``MoodstreamError`` with one line for people.
"""

from moodstream.blocking_client import BlockingClient
from moodstream.client import Client, events, iter_events, iter_moods, moods
from moodstream.errors import MoodstreamError, NoAnswer, RequestRefused

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
