"""The bridge: ``python -m services.bridge.main``. Each of its outputs is off until it is configured."""

import logging
import sys
from pathlib import Path

from pydantic import Field

from moodstream.contracts.ids import CameraId
from moodstream.errors import MoodstreamError
from services.bridge.controls import Controls
from services.bridge.follower import Listener, follow_events
from services.bridge.handlers import create_router
from services.bridge.mqtt import Mqtt
from services.bridge.mqtt_address import parse_address
from services.bridge.osc.control import OscControl
from services.bridge.osc.endpoints import parse_endpoints
from services.bridge.osc.output import OscOutput
from services.bridge.webhooks.pages import Pages
from services.bridge.webhooks.receivers import read_receivers
from services.bridge.webhooks.workers import Webhook
from shared.app.jobs import Job
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.contracts.site_state import SiteState
from shared.settings import CAMERA_ID, CAMERA_ID_TEXT, Settings, load
from shared.web.operator import Operator, OperatorSettings

log = logging.getLogger("moodstream.bridge")


class BridgeSettings(OperatorSettings):
    """Settings of the bridge."""

    camera_id: CameraId = Field(CAMERA_ID, description=CAMERA_ID_TEXT)
    mqtt_url: str | None = Field(
        None, repr=False, description="MQTT broker, mqtt://user:password@host:1883, or mqtts:// with TLS."
    )
    mqtt_ca: Path | None = Field(
        None,
        description="PEM file of the authority that signed the MQTT broker's certificate; when not set, the system's.",
    )
    mqtt_topic: str = Field(
        "moodstream", pattern="^[^/+#\\s]+(/[^/+#\\s]+)*$", description="Prefix of every MQTT topic."
    )
    mqtt_discovery: str = Field(
        "homeassistant", description="Topic under which Home Assistant looks for new devices; `none` announces nothing."
    )
    mqtt_page: str | None = Field(
        None,
        pattern="^https?://[^\\s]+$",
        description="Address that Home Assistant links to from each device, such as http://kiosk:8080/operator.",
    )
    osc_to: str | None = Field(None, description="Where OSC is sent: 127.0.0.1:9000, or several, separated by spaces.")
    osc_listen: str | None = Field(None, description="Where OSC commands are received, for example 127.0.0.1:9001.")
    osc_rate: float = Field(30, gt=0, le=200, description="OSC messages of each value per second.")
    osc_smoothing_s: float = Field(
        0.25, ge=0, le=10, description="Time constant of OSC values in seconds; 0: no smoothing."
    )
    webhooks: Path | None = Field(None, description="TOML file of the receivers of webhooks: docs/bridge.md.")


def create_service(settings: BridgeSettings, bus: Bus) -> Service:
    """The outputs that are configured. Raises MoodstreamError when a setting is wrong."""
    state = SiteState(settings.camera_id)
    listeners, outputs, mqtt = _outputs(settings, state, Controls(bus, state))
    webhooks = [Webhook(bus, one) for one in read_receivers(settings.webhooks)] if settings.webhooks else []

    async def follow() -> None:
        settle = mqtt.settle if mqtt else None
        await follow_events(bus, state, listeners, with_faces=settings.osc_to is not None, on_replayed=settle)

    background = [*([follow, *outputs] if outputs else []), *(webhook.run for webhook in webhooks)]
    if not background:
        log.info("the bridge has no output configured")
    pages = Pages(webhooks, Operator(settings))
    return Service("bridge", create_router(bus, webhooks), pages.routes(), background=background)


def _outputs(
    settings: BridgeSettings, state: SiteState, controls: Controls
) -> tuple[list[Listener], list[Job], Mqtt | None]:
    """What shows the events, what runs beside it, and MQTT, where it is configured."""
    mqtt: Mqtt | None = None
    listeners: list[Listener] = []
    jobs: list[Job] = []
    if settings.mqtt_url:
        discovery = None if settings.mqtt_discovery == "none" else settings.mqtt_discovery
        address = parse_address(settings.mqtt_url, settings.mqtt_ca)
        mqtt = Mqtt(address, settings.mqtt_topic, discovery, state, controls, settings.mqtt_page)
        listeners.append(mqtt.show_event)
        jobs.append(mqtt.run)
    if settings.osc_to:
        endpoints = parse_endpoints(settings.osc_to, "MOODSTREAM_OSC_TO")
        osc = OscOutput(endpoints, settings.osc_rate, settings.osc_smoothing_s, settings.camera_id)
        listeners.append(osc.show_event)
        jobs.append(osc.run)
    if settings.osc_listen:
        endpoints = parse_endpoints(settings.osc_listen, "MOODSTREAM_OSC_LISTEN")
        if len(endpoints) != 1:
            raise MoodstreamError("MOODSTREAM_OSC_LISTEN: must be one address")
        jobs.append(OscControl(endpoints[0], controls).run)
    return listeners, jobs, mqtt


def create() -> tuple[Settings, Bus, Service]:
    settings = load(BridgeSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
