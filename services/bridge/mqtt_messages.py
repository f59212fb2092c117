"""What is retained on a broker: the mood at a camera, and the player."""

from datetime import datetime

from pydantic import JsonValue

from moodstream.contracts.events import MoodChanged, PlaybackChanged
from moodstream.contracts.moods import Mood


def nobody(at: datetime) -> dict[str, JsonValue]:
    """What is retained for a camera that has seen nobody yet."""
    return {
        "mood": Mood.NOBODY,
        "confidence": 0.0,
        "valence": 0.0,
        "arousal": 0.0,
        "people": 0,
        "sources": {},
        "phase": "end",
        "session_id": None,
        "since": at.isoformat(),
        "at": at.isoformat(),
    }


def camera_state(event: MoodChanged) -> dict[str, JsonValue]:
    """What is retained for a camera."""
    return {
        "mood": event.mood,
        "confidence": round(event.confidence, 4),
        "valence": round(event.valence, 4),
        "arousal": round(event.arousal, 4),
        "people": event.faces,
        "sources": {one.kind: {"mood": one.mood, "weight": round(one.weight, 4)} for one in event.sources},
        "phase": event.phase,
        "session_id": event.session_id,
        "since": event.since.isoformat(),
        "at": event.at.isoformat(),
    }


def no_player() -> dict[str, JsonValue]:
    """What is retained while no player has said anything since the bridge began."""
    return {
        "now_playing": "nothing",
        "state": "unavailable",
        "title": None,
        "artist": None,
        "output": None,
        "message": "",
    }


def playback_state(event: PlaybackChanged) -> dict[str, JsonValue]:
    """What is retained for the player. Home Assistant takes states of at most 255 characters."""
    song = event.song
    return {
        "now_playing": song.name[:255] if song else "nothing",
        "state": event.state,
        "title": song.title if song else None,
        "artist": song.artist if song else None,
        "output": event.output,
        "message": event.message,
    }
