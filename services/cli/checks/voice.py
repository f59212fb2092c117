"""Voices: the model and the terms of its data, the detector of speech, the microphone of this machine."""

from collections.abc import Iterator
from typing import Any

from moodstream.errors import MoodstreamError
from services.cli.checks import Finding
from services.cli.installed import is_installed
from shared.settings import load

RESEARCH = (
    "hears voices with a model of which some data may be used for research and non-commercial purposes alone "
    "(docs/voice.md); for other uses take the free one"
)


def check() -> Iterator[Finding]:
    """Only where voices are wanted. Whatever is missing is a finding with the command that mends it."""
    if not is_installed("voice"):
        return
    from services.voice.main import VoiceSettings

    settings = load(VoiceSettings)
    if settings.voice == "off":
        return
    yield from _model(settings)
    if settings.voice_commands:
        yield _commands()
    yield from _microphone(settings)


def _model(settings: Any) -> Iterator[Finding]:
    from services.voice.model import VOICE_MODELS
    from services.voice.reader import VoiceReader
    from services.voice.sound_files import check_decoder
    from services.voice.speech import SpeechFinder

    reinstall = "pip install --force-reinstall --no-deps moodstream"
    try:
        VoiceReader(VOICE_MODELS[settings.voice])
        SpeechFinder()
        check_decoder()
    except MoodstreamError as error:
        yield Finding("voice", "missing", str(error), reinstall)
        return
    if settings.voice == "research":
        yield Finding("voice", "careful", RESEARCH, "export MOODSTREAM_VOICE=free")
    else:
        yield Finding("voice", "ok")


def _commands() -> Finding:
    from services.voice.commands import CommandReader

    try:
        CommandReader()
    except MoodstreamError as error:
        return Finding("voice commands", "missing", str(error), "pip install 'moodstream[commands]'")
    return Finding("voice commands", "ok")


def _microphone(settings: Any) -> Iterator[Finding]:
    from services.voice.microphone.trial import try_microphone

    if not settings.microphone:
        yield Finding("microphone", "not used", "the page's own is, while a visitor wants that")
        return
    try:
        try_microphone(settings.microphone)
    except MoodstreamError as error:
        cure = "unset MOODSTREAM_MICROPHONE" if settings.microphone.startswith("file:") else "arecord --list-devices"
        yield Finding("microphone", "missing", str(error), cure)
    else:
        yield Finding("microphone", "ok", settings.microphone)
