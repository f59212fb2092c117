"""Passwords of a compose stack: made once, a folder for each who may see them, and accepted by a real Redis."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ConnectionError, NoPermissionError

from services.cli.stack_secrets import main
from tests.deploy.stack import eventually
from tests.support.needs import missing
from tests.support.ports import free_port

FOLDERS = ("redis", "camera", "gateway", "bridge", "mqtt", "mosquitto", "grafana")
ARGUMENTS = ["--users", "camera", "gateway", "bridge", "mqtt=bridge", "--frames", "camera"]
ARGUMENTS += ["--operators", "gateway", "bridge", "--broker", "mosquitto", "mqtt", "--others", "grafana"]
LISTS = ("redis/events.acl", "redis/frames.acl", "mosquitto/passwords")
"""of hashes"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    assert main([str(tmp_path), *ARGUMENTS]) == 0
    return tmp_path


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def password(text: str) -> str:
    return (urlsplit(text).password or text).strip()


def test_everybody_gets_what_is_theirs_and_no_more(root: Path) -> None:
    assert set(contents(root)) == {
        *(f"redis/{server}.acl" for server in ("events", "frames")),
        *(f"redis/{name}" for name in ("health", "admin", "replica", "operator", "subscriber")),
        *(f"camera/moodstream_{name}" for name in ("redis_url", "frames_redis_url")),
        *(f"gateway/moodstream_{name}" for name in ("redis_url", "operator_token", "staff_token")),
        *(f"bridge/moodstream_{name}" for name in ("redis_url", "operator_token", "staff_token")),
        *(f"mqtt/moodstream_{name}" for name in ("redis_url", "mqtt_url")),
        *(f"mosquitto/{name}" for name in ("passwords", "home")),
        "grafana/password",
    }
    words = [password(text) for name, text in contents(root).items() if name not in LISTS]
    # the camera has one password for both servers, all operator's pages one token a role, and both bridges are one user
    assert len(set(words)) == len(words) - 4
    assert min(map(len, words)) >= 32
    assert not [word for word in words for name in LISTS if word in contents(root)[name]]
    assert {path.stat().st_mode & 0o777 for path in root.rglob("*/*") if path.is_file()} == {0o400, 0o444}


def test_a_second_start_changes_nothing_and_makes_what_is_missing(root: Path) -> None:
    before = contents(root)
    assert main([str(root), *ARGUMENTS]) == 0
    assert contents(root) == before
    (root / "camera" / "moodstream_redis_url").unlink()
    assert main([str(root), *ARGUMENTS]) == 0
    changed = {name for name, text in contents(root).items() if before[name] != text}
    assert changed == {
        *(f"camera/moodstream_{name}" for name in ("redis_url", "frames_redis_url")),
        *(f"redis/{server}.acl" for server in ("events", "frames")),
    }


def test_the_events_may_be_on_a_cluster_with_the_same_passwords(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(root)
    on_cluster = [str(root), *ARGUMENTS, "--cluster", "node-1,node-2"]
    assert main(on_cluster) == 1
    assert "on a cluster it needs a hash tag, as in {mood}:" in capsys.readouterr().err
    assert contents(root) == before
    assert main([*on_cluster, "--prefix", "{mood}:"]) == 0
    word = password(before["camera/moodstream_redis_url"])
    assert contents(root)["camera/moodstream_redis_url"] == f"redis+cluster://camera:{word}@node-1,node-2\n"
    assert contents(root)["camera/moodstream_frames_redis_url"] == before["camera/moodstream_frames_redis_url"]
    assert main([str(root), *ARGUMENTS]) == 0
    assert contents(root) == before, "and back"


def test_a_folder_that_is_not_there_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), *ARGUMENTS]) == 1
    assert capsys.readouterr().err.startswith("moodstream: the secrets cannot be written: ")


def test_a_real_redis_takes_them(root: Path) -> None:
    program = shutil.which("redis-server") or missing("redis-server")
    port = free_port()
    acl = str(root / "redis" / "events.acl")
    server = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--aclfile", acl, "--dir", str(root)], stdout=subprocess.DEVNULL
    )
    try:

        def client(user: str, word: str) -> "Redis":
            return Redis(port=port, username=user, password=word, decode_responses=True)

        def answers() -> bool:
            try:
                with Redis(port=port) as nobody, pytest.raises(AuthenticationError):
                    nobody.ping()
            except ConnectionError:
                return False
            return True

        eventually(answers, within_s=10, every_s=0.05)
        with client("camera", password(contents(root)["camera/moodstream_redis_url"])) as camera:
            camera.xadd("mood:status", {"__data__": "{}"})
            for forbidden in (
                ["SET", "other:key", "1"],
                ["FLUSHALL"],
                ["CONFIG", "GET", "*"],
                ["ACL", "LIST"],
                ["XRANGE", "mood:status", "-", "+"],
            ):
                with pytest.raises(NoPermissionError):
                    camera.execute_command(*forbidden)
        with client("health", password(contents(root)["redis/health"])) as health:
            assert health.ping()
            with pytest.raises(NoPermissionError):
                health.get("mood:x")
        with client("admin", password(contents(root)["redis/admin"])) as admin:
            assert admin.xlen("mood:status") == 1
    finally:
        server.kill()
        server.wait()
