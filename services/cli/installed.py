"""What is installed here: the whole program, or an image of one service."""

import os
from importlib.util import find_spec
from pathlib import Path

SERVICES = ("camera", "emotion", "recommender", "player", "gateway", "bridge")


def is_installed(service: str) -> bool:
    """Whether a service is installed here: an image holds one of them."""
    return find_spec(f"services.{service}") is not None


def is_image() -> bool:
    """Whether this is an image of one service, not the whole program."""
    return not all(is_installed(service) for service in SERVICES)


def in_container() -> bool:
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )
