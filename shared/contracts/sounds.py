"""Sounds in which somebody may speak: what is taken of them, and whether they are heard at all. Pure."""

from typing import Literal

MAX_SOUND_BYTES = 1_000_000
MAX_SOUND_S = 10.0
"""What comes later in a sound is not heard."""

Voice = Literal["off", "free", "research"]
VOICE_TEXT = (
    "Whether voices are heard, and with which model: off, free (fitted on data that is free to use), or research (more "
    "often right, for research and non-commercial use alone)."
)

COMMANDS_TEXT = (
    "Let visitors who are heard say a few commands in English, such as louder or the second one (MOODSTREAM_VOICE)."
)
MICROPHONE_TEXT = (
    "Microphone of this machine that is always heard: device, device:NAME, or file:PATH for a sound file in real time; "
    "empty: only those of browsers, while visitors want that."
)


def is_sound(body: bytes) -> bool:
    """Whether it begins like a file of WAV, FLAC or Ogg."""
    return body.startswith((b"fLaC", b"OggS")) or (body[:4] == b"RIFF" and body[8:12] == b"WAVE")
