"""The voice service: ``python -m services.voice.main``. Any number of workers share the sounds."""

import sys

from pydantic import Field, field_validator

from moodstream.contracts.ids import CameraId
from moodstream.errors import SettingError
from services.voice.commands import CommandReader
from services.voice.handlers import create_router
from services.voice.hearing import Hearing
from services.voice.metrics import Metrics
from services.voice.microphone.job import MicrophoneJob
from services.voice.microphone.source import Source, create_source, parse_microphone
from services.voice.model import VOICE_MODELS
from services.voice.own_voices import OwnVoices
from services.voice.reader import VoiceReader
from services.voice.visits import follow_visits
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.work_thread import WorkThread
from shared.bus.connection import Bus
from shared.contracts.sounds import COMMANDS_TEXT, MICROPHONE_TEXT, VOICE_TEXT, Voice
from shared.delivery.frames_server import FramesServer
from shared.settings import CAMERA_ID, CAMERA_ID_TEXT, Settings, load


class VoiceSettings(Settings):
    """Settings of the voice service."""

    voice: Voice = Field("off", description=VOICE_TEXT)
    camera_id: CameraId = Field(CAMERA_ID, description=CAMERA_ID_TEXT)
    voice_commands: bool = Field(False, description=COMMANDS_TEXT)
    microphone: str = Field("", description=MICROPHONE_TEXT)

    @field_validator("microphone")
    @classmethod
    def _microphone(cls, microphone: str) -> str:
        parse_microphone(microphone)
        return microphone


def create_service(settings: VoiceSettings, bus: Bus, source: Source | None = None) -> Service:
    """The service; ``source`` replaces the microphone that the settings name.

    Raises MoodstreamError when voices are not wanted, or when the model, commands or the microphone cannot be used.
    """
    if settings.voice == "off":
        raise SettingError(
            "MOODSTREAM_VOICE", "it is off, so the voice service has nothing to do: set free or research"
        )
    reader, voices, metrics = VoiceReader(VOICE_MODELS[settings.voice]), OwnVoices(), Metrics()
    thread = WorkThread("voices")
    commands = CommandReader() if settings.voice_commands else None
    hearing = Hearing(bus, reader, voices, metrics, thread, commands)
    source = source or create_source(settings.microphone)
    microphone = None
    if source is not None:
        microphone = MicrophoneJob(bus, source, settings.camera_id, hearing, thread)

    metrics.show_microphone(lambda: microphone is not None and microphone.works)

    async def follow() -> None:
        await follow_visits(bus, voices, settings.camera_id, microphone)

    frames = FramesServer(bus, settings)
    background = [follow, frames.watch, *([microphone.run] if microphone else [])]
    return Service(
        "voice",
        create_router(bus, hearing, metrics),
        metrics=metrics.registry,
        prepare=[frames.check],
        background=background,
    )


def create() -> tuple[Settings, Bus, Service]:
    settings = load(VoiceSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
