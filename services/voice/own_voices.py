"""What is usual in the voice of each visitor, from what was said so far; forgotten with the visit. Pure."""

import time
from collections.abc import Callable

from services.voice.normalise import OwnVoice
from shared.bounded import Bounded

MAX_PLACES = 200
FORGOTTEN_AFTER_S = 120.0
"""without a word: whoever speaks then is somebody else"""


class OwnVoices:
    """Statistics by place, in memory alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._voices = Bounded[str, tuple[OwnVoice, float]](MAX_PLACES)

    def __len__(self) -> int:
        return len(self._voices)

    def of(self, camera_id: str) -> OwnVoice:
        """Those of whoever speaks at a place now."""
        self.forget_old()
        voice, _ = self._voices.get(camera_id, (OwnVoice(), 0.0))
        self._voices[camera_id] = voice, self._clock()
        return voice

    def forget(self, camera_id: str) -> None:
        """The visit there has ended."""
        self._voices.pop(camera_id, None)

    def forget_old(self) -> None:
        """Those who have said nothing for long."""
        oldest_s = self._clock() - FORGOTTEN_AFTER_S
        for camera_id, (_, heard_s) in list(self._voices.items()):
            if heard_s < oldest_s:
                del self._voices[camera_id]
