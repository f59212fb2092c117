"""A simulated Spotify, served over HTTP on loopback."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn

from services.player.spotify.simulator import Exchange, Simulator
from tests.support.gateways import free_port


@dataclass
class Served:
    """The simulator with its address; it can be taken away and brought back."""

    simulator: Simulator = field(default_factory=Simulator)
    port: int = field(default_factory=free_port)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def accounts_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/accounts"

    def start(self) -> None:
        config = uvicorn.Config(
            self.simulator.app(), "127.0.0.1", self.port, log_config=None, timeout_graceful_shutdown=0, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.01)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """All that was said to and by the simulator in the tests of a module."""
    return []


@pytest.fixture
def spotify(exchanges: list[Exchange]) -> Iterator[Served]:
    served = Served()
    served.start()
    try:
        yield served
    finally:
        served.stop()
        exchanges += served.simulator.exchanges
