"""Whatever can be set for a service can be set for its container."""

import importlib
from pathlib import Path

import pytest

from shared.settings import Settings

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
INSIDE = {"redis_url", "host", "port", "once", "model", "spotify_token_file"}
"""Settings that the container itself decides."""


@pytest.mark.parametrize("service", ["camera", "emotion", "recommender", "player", "gateway", "bridge"])
def test_the_compose_file_passes_every_setting_on(service: str) -> None:
    main = importlib.import_module(f"services.{service}.main")
    [kind] = [
        one for one in vars(main).values() if isinstance(one, type) and issubclass(one, Settings) and one != Settings
    ]
    text = COMPOSE.read_text()
    own = text[text.index(f"\n  {service}:\n") :].partition("\n\n")[0]
    common = text[text.index("x-settings:") :].partition("\n\n")[0]
    missing = {f"MOODSTREAM_{name.upper()}" for name in set(kind.model_fields) - INSIDE}
    missing -= {line.strip().partition(":")[0] for line in (own + common).splitlines()}
    assert not missing
