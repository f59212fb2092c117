"""Commands by voice: real PocketSphinx on sentences that ``espeak-ng`` speaks, in the reader and in the service."""

import logging
import sys
from typing import get_args

import numpy as np
import pytest

from moodstream.contracts.events import CommandHeard, Event, SpokenCommand, VoiceRead, utc_now
from moodstream.errors import MoodstreamError
from services.voice.commands import PHRASES, SOUNDS, CommandReader
from services.voice.log_mel import RATE
from services.voice.main import VoiceSettings, create_service
from services.voice.speech import Speech, find_speech
from shared.app.service import create_bus
from shared.settings import load
from tests.support.voice.services import voices
from tests.support.voice.spoken import speak
from tests.support.voices import babble, wav

SAID: list[tuple[str, str, SpokenCommand]] = [
    ("en-us", "play something angry", "angry"),
    ("en-gb+f3", "pick the second one", "second"),
    ("en-us", "the fourth one", "fourth"),
    ("en-us+m3", "play the fifth song", "fifth"),
    ("en-gb", "louder", "louder"),
    ("en-us", "quieter", "quieter"),
    ("en-us+f2", "pause", "pause"),
    ("en-us", "go on", "resume"),
]
TALK = [
    "what a lovely day it is outside",
    "no no no please do not do that",
    "could you tell me what time it is",
    "I am so happy to see you",
    "this is the second time today",
    "stop it mum",
    "he dropped the box",
    "loud music",
    "nothing",
]


@pytest.fixture(scope="module")
def reader() -> CommandReader:
    return CommandReader()


def test_every_command_can_be_said_and_no_other(reader: CommandReader) -> None:
    assert set(PHRASES) == set(get_args(SpokenCommand))
    words = {word for phrase in PHRASES.values() for word in phrase.split() if word.isalpha()}
    assert words == set(SOUNDS)


@pytest.mark.parametrize(("voice", "text", "command"), SAID)
def test_commands_are_understood(voice: str, text: str, command: SpokenCommand, reader: CommandReader) -> None:
    pieces = list(find_speech([speak(text, voice)]))
    assert reader.read(pieces) == command
    assert reader.read(pieces) == command  # whatever was said before


@pytest.mark.parametrize("text", TALK)
def test_talk_is_no_command(text: str, reader: CommandReader) -> None:
    for voice in ("en-us", "en-gb+f3"):
        assert reader.read(list(find_speech([speak(text, voice)]))) is None, voice


def test_what_cannot_be_a_command_is_none(reader: CommandReader) -> None:
    [louder] = find_speech([speak("louder")])
    assert reader.read([louder]) == "louder"
    assert reader.read([]) is None
    assert reader.read([louder, louder]) is None, "somebody talks"
    assert reader.read(list(find_speech([speak("louder", snr_db=3)]))) is None, "noise"
    long = np.concatenate([louder.sound] * 9)
    for sound in (long, louder.sound[: RATE // 5], babble(1.0)):
        assert reader.read([Speech(sound, 0.0, 1.0, 40.0)]) is None


async def test_a_command_is_one_word_in_an_event_and_tells_no_mood(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with voices(redis_url, voice_commands=True) as service:
        with caplog.at_level(logging.DEBUG):
            said, talk = wav(speak("play something angry")), wav(speak("what a lovely day it is outside"))
            await service.say(said, "hall", at := utc_now())
            await service.counts('moodstream_sounds_read_total{outcome="command"}', 1)
            await service.say(talk, "hall")
            await service.read(1)
        [heard] = await service.events(CommandHeard)
        assert (heard.camera_id, heard.heard_at, heard.command) == ("hall", at, "angry")
        assert set(heard.model_dump()) - set(Event.model_fields) == {"camera_id", "heard_at", "command"}
        assert len(await service.events(VoiceRead)) == 1
        assert not [line for line in caplog.messages if "something" in line or "lovely" in line]


async def test_where_commands_are_off_they_are_voices_like_any_other(redis_url: str) -> None:
    async with voices(redis_url) as service:
        await service.say(wav(speak("play something angry")), "hall")
        await service.read(1)
        assert await service.events(CommandHeard) == []


def test_without_pocketsphinx_the_service_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    settings = load(VoiceSettings, voice="free", voice_commands=True)
    with pytest.raises(MoodstreamError, match=r"pip install 'moodstream\[commands\]'"):
        create_service(settings, create_bus(settings))
