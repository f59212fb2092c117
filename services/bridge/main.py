"""The bridge: ``python -m services.bridge.main``. Each of its outputs is off until it is configured."""

import asyncio
import logging
import sys
from pathlib import Path

from pydantic import Field

from moodstream.contracts.events import Event, FacesRead, MoodChanged, PlaybackChanged, StatusChanged, utc_now
from moodstream.errors import MoodstreamError
from services.bridge.controls import Controls
from services.bridge.handlers import create_router
from services.bridge.mqtt import Mqtt, parse_address
from services.bridge.osc.output import OscIn, OscOut, parse_places
from services.bridge.present import Present
from services.bridge.webhooks.pages import Pages
from services.bridge.webhooks.receivers import read_receivers
from services.bridge.webhooks.workers import Webhook
from shared.app.jobs import Job
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.settings import Settings, load
from shared.web.operator import Operator, OperatorSettings

log = logging.getLogger("moodstream.bridge")

HISTORY: dict[type[Event], int] = {StatusChanged: 200, MoodChanged: 200, PlaybackChanged: 1}
"""Streams that tell states, and how many past events are needed to know the present."""


class BridgeSettings(OperatorSettings):
    """Settings of the bridge."""

    camera_id: str = Field("camera-1", min_length=1, description="Camera that OSC tells about.")
    mqtt_url: str | None = Field(
        None, repr=False, description="MQTT broker, mqtt://user:password@host:1883, or mqtts:// with TLS."
    )
    mqtt_ca: Path | None = Field(
        None, description="PEM file of the authority that vouches for the MQTT broker; when not set, the system's."
    )
    mqtt_topic: str = Field("moodstream", pattern="^[^/+#\\s]+(/[^/+#\\s]+)*$", description="Begins every MQTT topic.")
    mqtt_discovery: str = Field(
        "homeassistant", description="Where Home Assistant looks for new devices; `none` announces none."
    )
    osc_to: str | None = Field(None, description="Where OSC goes: 127.0.0.1:9000, or several with spaces between.")
    osc_listen: str | None = Field(None, description="Where OSC control is taken, for example 127.0.0.1:9001.")
    osc_rate: float = Field(30, gt=0, le=200, description="How often OSC values are sent per second.")
    osc_smoothing_s: float = Field(0.25, ge=0, le=10, description="Time constant of OSC values; 0 for none.")
    webhooks: Path | None = Field(None, description="TOML file of the receivers of webhooks: docs/bridge.md.")


def create_service(settings: BridgeSettings, bus: Bus) -> Service:
    """The outputs that are configured. Raises MoodstreamError when a setting is wrong."""
    present = Present()
    controls = Controls(bus, present, settings.camera_id)
    outputs = _outputs(settings, present, controls)
    webhooks = [Webhook(bus, one) for one in read_receivers(settings.webhooks)] if settings.webhooks else []

    async def follow() -> None:
        await _follow(bus, present, with_faces=settings.osc_to is not None)

    background = [*([follow, *outputs] if outputs else []), *(webhook.run for webhook in webhooks)]
    if not background:
        log.info("no output of the bridge is configured")
    pages = Pages(webhooks, Operator(settings))
    return Service("bridge", create_router(bus, webhooks), pages.routes(), background=background)


def _outputs(settings: BridgeSettings, present: Present, controls: Controls) -> list[Job]:
    """Those that tell the present."""
    outputs: list[Job] = []
    if settings.mqtt_url:
        discovery = None if settings.mqtt_discovery == "none" else settings.mqtt_discovery
        address = parse_address(settings.mqtt_url, settings.mqtt_ca)
        outputs.append(Mqtt(address, settings.mqtt_topic, discovery, present, controls.player).run)
    if settings.osc_to:
        places = parse_places(settings.osc_to, "MOODSTREAM_OSC_TO")
        outputs.append(OscOut(places, settings.osc_rate, settings.osc_smoothing_s, settings.camera_id, present).run)
    if settings.osc_listen:
        places = parse_places(settings.osc_listen, "MOODSTREAM_OSC_LISTEN")
        if len(places) != 1:
            raise MoodstreamError("MOODSTREAM_OSC_LISTEN: must be one address")
        outputs.append(OscIn(places[0], controls).run)
    return outputs


async def _follow(bus: Bus, present: Present, with_faces: bool) -> None:
    """Keep the present true, for ever."""
    followed: list[type[Event]] = [*HISTORY, FacesRead] if with_faces else [*HISTORY]
    while True:
        try:
            start = {event: await bus.last_id(event) for event in followed}
            for kind, count in HISTORY.items():
                for past in reversed(await bus.newest(kind, count)):
                    present.apply(past)
            bus.outage.resolve("catching up")
            break
        except REDIS_ERRORS as error:
            bus.outage.report("catching up", error)
            await asyncio.sleep(1)
    async for entry in bus.follow(start):
        if entry is not None:
            present.apply(entry[1])
        present.expire(utc_now())


def create() -> tuple[Settings, Bus, Service]:
    settings = load(BridgeSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
