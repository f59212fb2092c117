"""The end of a process that holds every service: quiet, and soon."""

import asyncio
import time

import pytest

from services.bridge.main import BridgeSettings
from services.bridge.main import create_service as bridge
from services.camera.main import create_service as camera
from services.camera.settings import CameraSettings
from services.cli.redis_client import connected
from services.emotion.main import EmotionSettings
from services.emotion.main import create_service as emotion
from services.gateway.main import GatewaySettings
from services.gateway.main import create_service as gateway
from services.player.main import PlayerSettings
from services.player.main import create_service as player
from shared.app.service import build_app, create_bus
from shared.settings import load

MAX_COMMANDS_PER_S = 200
"""Far above what the services ask in peace, far below what a loop without a pause does."""


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOODSTREAM_CAMERA", "MOODSTREAM_CAMERAS", "MOODSTREAM_PLAYER"):
        monkeypatch.delenv(name, raising=False)


async def test_a_process_that_ends_leaves_redis_in_peace_and_is_gone_soon(redis_url: str) -> None:
    bus = create_bus(load(GatewaySettings, redis_url=redis_url))
    app = build_app(
        bus,
        emotion(load(EmotionSettings, redis_url=redis_url), bus),
        player(load(PlayerSettings, redis_url=redis_url, player="log"), bus),
        gateway(load(GatewaySettings, redis_url=redis_url), bus),
        bridge(load(BridgeSettings, redis_url=redis_url), bus),
        camera(load(CameraSettings, redis_url=redis_url, camera="pattern:"), bus),
    )
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), 20)
        await asyncio.sleep(1)
        app.exit()
        await asyncio.sleep(0.3)
        with connected(redis_url) as client:
            before, start_s = client.info("stats")["total_commands_processed"], time.monotonic()
            await asyncio.sleep(1)
            asked = client.info("stats")["total_commands_processed"] - before
            assert asked < MAX_COMMANDS_PER_S * (time.monotonic() - start_s)
        start_s = time.monotonic()
    assert time.monotonic() - start_s < 8
