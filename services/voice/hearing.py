"""From sounds to ``VoiceRead`` or ``CommandHeard``: what browsers send and what a microphone hears go the same way."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from moodstream.contracts.events import (
    NAMESPACE,
    CommandHeard,
    Probabilities,
    SoundCaptured,
    SpokenCommand,
    VoiceRead,
    utc_now,
)
from services.voice.commands import CommandReader
from services.voice.metrics import Metrics
from services.voice.normalise import OwnVoice
from services.voice.own_voices import OwnVoices
from services.voice.reader import VoiceReader, VoiceReading
from services.voice.sound_files import read_body
from services.voice.speech import Speech, find_speech
from shared.app.work_thread import WorkThread
from shared.bus.connection import Bus
from shared.contracts.sounds import MAX_SOUND_S


@dataclass(frozen=True)
class Utterance:
    """Where and when something was said."""

    camera_id: str
    heard_at: datetime
    """when it ended"""
    id: str
    """a UUID, which begins a trace"""


class Hearing:
    """Reads in one thread, and publishes. With ``commands``, a sound is first asked whether it is one."""

    def __init__(
        self,
        bus: Bus,
        reader: VoiceReader,
        voices: OwnVoices,
        metrics: Metrics,
        thread: WorkThread,
        commands: CommandReader | None = None,
    ) -> None:
        self._bus, self._reader, self._voices, self._metrics = bus, reader, voices, metrics
        self._thread, self._commands = thread, commands

    async def hear_sound(self, sound: SoundCaptured) -> None:
        """Read and publish what somebody says in a sound file, if it is speech. Raises SoundRefused."""
        voice = self._voices.of(sound.camera_id)

        def read() -> VoiceReading | SpokenCommand:
            return self._read_pieces(list(find_speech([read_body(sound.sound, MAX_SOUND_S)])), voice)

        await self._read_and_publish(read, Utterance(sound.camera_id, sound.captured_at, sound.id))

    async def hear_pieces(self, pieces: Sequence[Speech], said: Utterance) -> None:
        """Read and publish pieces of speech that were found already."""
        voice = self._voices.of(said.camera_id)
        await self._read_and_publish(lambda: self._read_pieces(pieces, voice), said)

    def _read_pieces(self, pieces: Sequence[Speech], voice: OwnVoice) -> VoiceReading | SpokenCommand:
        """A command tells no mood: it is short, and said to a machine."""
        command = self._commands.read(pieces) if self._commands else None
        return command or self._reader.read_pieces(pieces, voice)

    async def _read_and_publish(self, read: Callable[[], VoiceReading | SpokenCommand], said: Utterance) -> None:
        start_s = time.perf_counter()
        reading = await self._thread.run(f"reading a voice at {said.camera_id}", read)
        if reading is None:
            return
        took_s = time.perf_counter() - start_s
        if isinstance(reading, str):
            self._metrics.command_heard(took_s)
            await self._bus.publish(create_command(reading, said))
            return
        if reading.probabilities is None:
            self._metrics.sound_read("no_speech", 0.0, took_s)
            return
        self._metrics.sound_read("mood" if reading.sure else "unsure", reading.speech_s, took_s)
        await self._bus.publish(create_event(reading, said))
        self._metrics.reading_published(age_s(said.heard_at))


def age_s(moment: datetime) -> float:
    """Seconds since then."""
    return (utc_now() - moment).total_seconds()


def create_command(command: SpokenCommand, said: Utterance) -> CommandHeard:
    """The event of a command; of what was said it holds that one word."""
    return CommandHeard(
        id=str(uuid5(NAMESPACE, f"command/{said.id}")),
        trace_id=said.id,
        camera_id=said.camera_id,
        heard_at=said.heard_at,
        command=command,
    )


def create_event(reading: VoiceReading, said: Utterance) -> VoiceRead:
    """The event of a reading. Where it is not sure of a mood it tells none, but how excited the voice is."""
    shares = reading.probabilities if reading.sure else None
    return VoiceRead(
        id=str(uuid5(NAMESPACE, f"voice/{said.id}")),
        trace_id=said.id,
        camera_id=said.camera_id,
        heard_at=said.heard_at,
        probabilities=None if shares is None else Probabilities(**{str(mood): share for mood, share in shares.items()}),
        arousal=reading.arousal,
        valence=reading.valence if reading.sure else None,
        speech_s=reading.speech_s,
        snr_db=reading.snr_db,
        model=reading.model,
    )
