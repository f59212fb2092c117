"""The simulated Spotify, and all that was said to it."""

from collections.abc import Iterator

import pytest

from services.player.spotify.simulator.recorder import Exchange
from tests.support.simulated_spotify import SimulatedSpotify


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    """All that was said to and by the simulator in the tests of a module."""
    return []


@pytest.fixture
def spotify(exchanges: list[Exchange]) -> Iterator[SimulatedSpotify]:
    served = SimulatedSpotify()
    served.start()
    try:
        yield served
    finally:
        served.stop()
        exchanges += served.simulator.exchanges
