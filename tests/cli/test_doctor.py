"""Each fault that people meet: the doctor names it and the command that cures it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.checks import Finding, machine, senses
from tests.redis_servers import PASSWORD, single, trio

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this machine's user."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOODSTREAM_", "http", "HTTP"))}
    return clean | {"XDG_DATA_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}


def doctor(environment: dict[str, str], *, fails: bool = True, **settings: str) -> list[Finding]:
    """What the command finds wrong, as a person or a program starts it."""
    given = environment | {f"MOODSTREAM_{name.upper()}": value for name, value in settings.items()}
    given = {"MOODSTREAM_PORT": "0"} | given
    done = subprocess.run(
        [sys.executable, "-m", "services", "doctor", "--json"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.returncode == (1 if fails else 0), done.stdout
    found = [Finding(**json.loads(line)) for line in done.stdout.splitlines()]
    assert {"network", "catalogue", "player"} <= {one.part for one in found} or fails
    wrong = [one for one in found if one.state in ("missing", "careful")]
    assert all(one.hint and one.cure and "\n" not in one.hint + one.cure for one in wrong), wrong
    return wrong


def one(wrong: list[Finding], part: str) -> tuple[str, str]:
    """Hint and cure of the only fault of a part."""
    [found] = [found for found in wrong if found.part == part]
    return found.hint or "", found.cure or ""


def test_redis_is_away_or_wants_another_password_or_may_drop_streams(environment: dict[str, str]) -> None:
    hint, cure = one(doctor(environment, redis_url="redis://:secret@127.0.0.1:9/0"), "Redis")
    assert "127.0.0.1:9/0 does not answer" in hint
    assert cure == "sudo systemctl start redis-server"
    assert "secret" not in hint
    options = (
        "--requirepass",
        "right",
        "--maxmemory",
        "64mb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--appendonly",
        "yes",
    )
    with single(*options) as client:
        port = client.connection_pool.connection_kwargs["port"]
        hint, cure = one(doctor(environment, redis_url=f"redis://:wrong@127.0.0.1:{port}/0"), "Redis")
        assert "wants another password" in hint
        assert cure == f"export MOODSTREAM_REDIS_URL=redis://:PASSWORD@127.0.0.1:{port}/0"
        url = f"redis://:right@127.0.0.1:{port}/0"
        wrong = doctor(environment, redis_url=url)
        cures = [found.cure or "" for found in wrong if found.part == "Redis"]
        assert cures == [
            'redis-cli -u "$MOODSTREAM_REDIS_URL" CONFIG SET maxmemory-policy noeviction',
            'redis-cli -u "$MOODSTREAM_REDIS_URL" CONFIG SET appendonly no',
        ]
        for command in cures:  # the commands are meant as they stand
            subprocess.run(["sh", "-c", command], env=os.environ | {"MOODSTREAM_REDIS_URL": url}, check=True)
        assert doctor(environment, fails=False, redis_url=url) == []


def test_frames_that_would_lie_on_a_disk_are_told(environment: dict[str, str]) -> None:
    with single() as events, single("--save", "60 1") as frames:
        urls = [f"redis://127.0.0.1:{one.connection_pool.connection_kwargs['port']}/0" for one in (events, frames)]
        wrong = doctor(environment, fails=False, redis_url=urls[0], frames_redis_url=urls[1])
        hint, cure = one(wrong, "Redis of the frames")
        assert "writes to a disk (save)" in hint
        assert cure == 'redis-cli -u "$MOODSTREAM_FRAMES_REDIS_URL" CONFIG SET save ""'


def test_a_sentinel_group_is_looked_at_through_its_sentinels(environment: dict[str, str]) -> None:
    with trio() as servers:
        assert doctor(environment, fails=False, redis_url=servers.url) == []
        hint, cure = one(doctor(environment, redis_url=servers.url.replace(PASSWORD, "wrong")), "Redis")
        assert "wants another password" in hint
        assert "sentinel_password" not in cure


def test_files_that_are_missing_or_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "songs.csv"
    bad.write_text("this,is,no,catalogue\n1,2,3,4\n")
    (tmp_path / "other.onnx").write_bytes(b"no network")
    token = tmp_path / "token.json"
    token.write_text("{}")
    token.chmod(0o644)
    wrong = doctor(
        environment,
        model=str(tmp_path / "other.onnx"),
        catalogue=str(bad),
        camera="webcam:97",
        player="mpd",
        mpd_address="127.0.0.1:9",
        spotify_token_file=str(token),
    )
    assert one(wrong, "network") == (
        f"the network cannot be read: {tmp_path}/other.onnx (InvalidProtobuf)",
        "unset MOODSTREAM_MODEL",
    )
    hint, cure = one(wrong, "catalogue")
    assert str(bad) in hint
    assert cure == "moodstream songs import FILE.csv"
    hint, cure = one(wrong, "camera camera-1")
    assert "webcam:97" in hint
    assert cure in ("moodstream camera list", "docker run --device /dev/video97 ...")
    assert one(wrong, "token")[1] == f"chmod 600 {token}"
    assert one(wrong, "player") == ("mpd: unavailable. MPD at 127.0.0.1:9 does not answer", "sudo systemctl start mpd")


def test_signing_in_a_taken_port_a_proxy_and_a_mistyped_setting(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wrong = doctor(
            environment | {"http_proxy": "http://proxy:3128", "MOODSTREAM_CAMRA": "webcam:0"},
            port=str(port),
            player="spotify",
            spotify_client_id="0123456789abcdef0123456789abcdef",
            cameras="/no/such/file.toml",
        )
    assert one(wrong, "player")[1] == "moodstream player login"
    assert one(wrong, "port")[1] == f"moodstream run --port {port + 1}"
    assert one(wrong, "proxy")[1] == "export no_proxy=localhost,127.0.0.1,::1"
    assert ("MOODSTREAM_CAMRA is no setting; did you mean MOODSTREAM_CAMERA?", "unset MOODSTREAM_CAMRA") in [
        (found.hint, found.cure) for found in wrong if found.part == "settings"
    ]
    assert one(wrong, "camera")[1] == "moodstream camera list"


def test_a_value_that_is_no_value_is_one_finding(environment: dict[str, str]) -> None:
    assert one(doctor(environment, frame_rate="fast"), "settings") == (
        "MOODSTREAM_FRAME_RATE: Input should be a valid number, unable to parse string as a number",
        "unset MOODSTREAM_FRAME_RATE",
    )


def test_too_little_disk_and_memory_are_told(tmp_path: Path) -> None:
    [disk] = machine.check_disk(least_mb=10**9)
    assert disk.state == "missing"
    assert disk.cure in ("docker system prune", "sudo journalctl --vacuum-size=100M")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 524288 kB\nMemAvailable:   102400 kB\n")
    [memory] = machine.check_memory(meminfo)
    assert memory == Finding(
        "memory", "careful", "100 MB are free, of 600 that are needed", "sudo apt-get install zram-tools"
    )


@pytest.mark.parametrize(
    ("fault", "container", "cure"),
    [
        ("/dev/null may not be used by this user: add it to the group video", False, "sudo usermod -aG video $USER"),
        ("/dev/null may not be used by this user: add it to the group video", True, "docker run --group-add video ..."),
    ],
)
def test_webcams_differ_inside_and_outside_containers(fault: str, container: bool, cure: str, tmp_path: Path) -> None:
    assert senses.cure_of_camera("webcam:0", fault, container=container, dev=make_node(tmp_path)) == cure


def test_a_busy_or_missing_webcam_and_a_camera_of_the_network(tmp_path: Path) -> None:
    dev = make_node(tmp_path)
    assert senses.cure_of_camera("webcam:0", "gives no pictures", container=False, dev=dev) == f"fuser -v {dev}/video0"
    assert senses.cure_of_camera("webcam:1", "is away", container=False, dev=dev) == "moodstream camera list"
    missing = senses.cure_of_camera("webcam:1", "is away", container=True, dev=dev)
    assert missing == f"docker run --device {dev}/video1 ..."
    address = "rtsp://user:secret@10.0.0.20/stream1"
    assert senses.cure_of_camera(address, "is away", container=False) == "ping -c 3 10.0.0.20"


def make_node(folder: Path) -> Path:
    (folder / "video0").touch()
    return folder
