"""Events as lines: JSON for programs, a short sentence for people."""

from moodstream.contracts.events import (
    CommandHeard,
    Event,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    VoiceRead,
    WordsRead,
)
from moodstream.contracts.moods import Mood
from shared.plain_text import plain

_COLOURS = {Mood.ANGRY: 31, Mood.HAPPY: 33, Mood.SAD: 34, Mood.CALM: 32}
"""Of terminals: red, yellow, blue, green."""


def line(event: Event, *, as_json: bool, coloured: bool = False) -> str:
    """One event, one line."""
    if as_json:
        return plain(event.model_dump_json())
    text = plain(f"{event.at.astimezone():%H:%M:%S}  {_sentence(event)}")
    colour = _COLOURS.get(getattr(event, "mood", Mood.NOBODY)) if coloured else None
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _sentence(event: Event) -> str:
    if isinstance(event, MoodChanged):
        if event.phase == "end":
            return f"mood     nobody is there any more ({event.camera_id})"
        sure = f" ({event.confidence:.0%})" if event.probabilities else ""
        still = ", still" if event.repeated or event.reason == "heartbeat" else ""
        chosen = ", chosen by hand" if event.reason == "forced" else ""
        return f"mood     {event.mood}{sure}{still}{chosen}"
    if isinstance(event, SongsOffered):
        return f"offer    {event.mood}: " + "; ".join(song.name for song in event.songs)
    if isinstance(event, SongPicked):
        return f"pick     {event.song_id} by {event.by}"
    if isinstance(event, SongsRanked):
        best = event.ranking[0] if event.ranking else None
        near = f"; nearest {best.song.name} ({best.similarity:.2f}, {best.reason})" if best else ""
        return f"ranking  by {event.picked.name}{near}"
    if isinstance(event, PlaybackChanged):
        what = f" {event.song.name}" if event.song else ""
        return f"player   {event.state}{what} [{event.output}]" + (f"; {event.message}" if event.message else "")
    if isinstance(event, StatusChanged):
        part = f" {event.part}" if event.part else ""
        return f"status   {event.service}{part} {event.state}" + (f": {event.reason}" if event.reason else "")
    if isinstance(event, WordsRead | VoiceRead):
        return _heard(event)
    if isinstance(event, CommandHeard):
        return f"command  {event.command} ({event.camera_id})"
    return event.type


def _heard(event: WordsRead | VoiceRead) -> str:
    what = "words" if isinstance(event, WordsRead) else "voice"
    about = [f"{name} {share:.0%}" for name, share in dict(event.probabilities or {}).items()] or ["no mood"]
    if isinstance(event, VoiceRead):
        about += [f"arousal {event.arousal:+.2f}"] if event.arousal is not None else []
        about.append(f"{event.speech_s:.1f} s of speech")
    elif event.language is not None:
        about.append(f"language {event.language}")
    return f"{what}    {', '.join(about)} ({event.camera_id})"
