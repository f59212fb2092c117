"""What is installed here: the whole program, or an image of one service."""

import os
from importlib.util import find_spec
from pathlib import Path

SERVICES = ("camera", "emotion", "voice", "recommender", "player", "gateway", "bridge")

OURS = ("moodstream", "services", "shared", "training")


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


def what_is_missing(error: ModuleNotFoundError) -> str:
    """For people: what to install, or that an image has another service. Raises it again where the fault is ours."""
    package, _, inside = (error.name or "").partition(".")
    if package in OURS:
        service = inside.partition(".")[0]
        if package != "services" or service not in SERVICES or is_installed(service):
            raise error
        return f"this is an image of one service, and the command needs the service {service}"
    return f"this command needs {package}, which is not installed: install moodstream[run], which brings everything"
