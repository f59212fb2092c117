"""The compose file without an engine: what can be set is passed on and explained, and every container is hardened."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
INSIDE = {"host", "port", "once", "model", "spotify_token_file", "operator_token_file"}
"""Settings that the container itself decides."""
PAGE = {"proxies", "tls_certificate", "tls_key"}
"""Only of the gateway: nobody outside sees another service."""


@pytest.mark.parametrize("service", ["camera", "emotion", "voice", "recommender", "player", "gateway", "bridge"])
def test_the_compose_file_passes_every_setting_on(service: str) -> None:
    main = importlib.import_module(f"services.{service}.main")
    [kind] = [
        one
        for one in vars(main).values()
        if isinstance(one, type) and issubclass(one, Settings) and one.__module__.startswith(f"services.{service}.")
    ]
    inside = INSIDE if service == "gateway" else INSIDE | PAGE
    wanted = {f"MOODSTREAM_{name.upper()}" for name in set(kind.model_fields) - inside}
    assert not wanted - set(COMPOSE["services"][service]["environment"])


def test_no_image_is_built_under_two_names_nor_two_under_one() -> None:
    """Services that run the same program share its image, with a command of their own where they need one."""
    built = {
        (service["image"], service["build"]["context"], service["build"]["args"].get("SERVICE"))
        for service in COMPOSE["services"].values()
        if "build" in service
    }
    names, recipes = {name for name, *_ in built}, {tuple(recipe) for _, *recipe in built}
    assert len(names) == len(built) == len(recipes)
    packages = [(ROOT / "requirements" / f"{service}.txt").read_text() for _, _, service in built if service]
    assert len(packages) == len(set(packages)) == len(built) - 2, "all but MPD's and Snapcast's, which hold no Python"


def test_everything_that_the_compose_file_reads_is_explained() -> None:
    read = set(re.findall(r"\$\{(\w+)[:}]", TEXT)) - {"PIP_INDEX_URL"}
    explained = set(re.findall(r"^# (\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert not read - explained


@pytest.mark.parametrize("service", sorted(COMPOSE["services"]))
def test_every_service_is_hardened(service: str) -> None:
    one = COMPOSE["services"][service]
    assert {key: one[key] for key in ("init", "read_only", "cap_drop", "security_opt")} == {
        "init": True,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    assert {"mem_limit", "memswap_limit", "cpus", "pids_limit", "stop_grace_period", "logging"} <= set(one)
    assert one["restart"] == ("no" if service == "secrets" else "unless-stopped")
    assert not {"privileged", "cap_add", "pid", "ipc", "userns_mode"} & set(one)
    assert one.get("network_mode") in (None, "none")
    assert ("devices" in one) == (service == "kiosk")
    for port in one.get("ports", ()):
        assert re.match(r"127\.0\.0\.1:|\$\{MOODSTREAM_\w*HOST:-127\.0\.0\.1\}:", port)
    for volume in one.get("volumes", ()):
        assert volume.endswith(":ro") or re.match(r"[a-z\d-]+:", volume), "what is writable is a volume"
    if "moodstream}/" not in one["image"]:
        assert re.search(r":-\S+:[v\d]", one["image"]), "an image from elsewhere has a version"
        assert one.get("user"), "and a user who is not root"
    elif service not in ("mpd", "snapcast", "secrets"):
        assert "/run/secrets:ro" in str(one["volumes"])
