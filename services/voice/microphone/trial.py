"""Whether the microphone of a setting gives sound, for ``moodstream doctor``."""

import asyncio
from contextlib import aclosing

from services.voice.microphone.source import MicrophoneFault, create_source

WAIT_S = 5.0


def try_microphone(text: str) -> None:
    """Wait for its first sound. Raises MoodstreamError with the reason why none comes."""
    source = create_source(text)
    if source is None:
        return

    async def first() -> None:
        try:
            async with asyncio.timeout(WAIT_S), aclosing(source.blocks()) as blocks:
                await anext(blocks)
        except TimeoutError:
            raise MicrophoneFault(f"no sound came within {WAIT_S:.0f} s") from None
        except StopAsyncIteration:
            raise MicrophoneFault("there is no sound in it") from None

    asyncio.run(first())
