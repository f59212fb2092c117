"""``moodstream dead list|show|replay|drop`` on a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.cli.redis_client import connected

ROOT = Path(__file__).parents[2]


def dead(redis_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services", "dead", *arguments],
        cwd=ROOT,
        env=os.environ | {"MOODSTREAM_REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def names(redis_url: str) -> list[str]:
    """Three letters of two streams."""
    with connected(redis_url) as client:
        for stream, body in (("offers", "one"), ("picks", "two"), ("picks", "\xff")):
            fields: Any = {"__data__": body.encode("latin-1"), "error": "broken", "group": "player", "entry": "1-1"}
            client.xadd(f"mood:{stream}:dead", fields)
    return [json.loads(line)["letter"] for line in dead(redis_url, "list", "--json").stdout.splitlines()]


def test_letters_are_listed_and_shown(redis_url: str, names: list[str]) -> None:
    assert [name.partition("/")[0] for name in names] == ["offers", "picks", "picks"]
    assert dead(redis_url, "list").stdout.splitlines()[0] == f"{names[0]} (player): broken"
    shown = dead(redis_url, "show", names[1]).stdout
    assert "mood:picks" in shown
    assert "two" in shown
    assert json.loads(dead(redis_url, "show", "--json", names[0]).stdout)["data"] == "one"


def test_named_letters_go_back_and_the_others_stay(redis_url: str, names: list[str]) -> None:
    assert dead(redis_url, "replay", names[1]).stdout == "1 put back\n"
    with connected(redis_url) as client:
        assert [fields for _, fields in client.xrange("mood:picks")] == [{b"__data__": b"two"}]
    assert dead(redis_url, "replay").stdout == "2 put back\n"
    assert dead(redis_url, "list").stdout == ""


def test_letters_are_deleted_only_when_it_is_said_which(redis_url: str, names: list[str]) -> None:
    for wrong in ([], ["--all", names[0]], ["picks/1-1"], [names[0], "nonsense"]):
        refused = dead(redis_url, "drop", *wrong)
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
    assert len(dead(redis_url, "list").stdout.splitlines()) == 3
    assert dead(redis_url, "drop", names[0], names[2]).stdout == "2 deleted\n"
    assert dead(redis_url, "drop", "--all").stdout == "1 deleted\n"
    with connected(redis_url) as client:
        assert client.xlen("mood:picks:dead") == client.xlen("mood:offers:dead") == client.exists("mood:picks") == 0
