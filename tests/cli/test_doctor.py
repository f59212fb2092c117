"""Each fault that people meet: the doctor names it and the command that cures it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.checks import Finding, machine, redis, senses, voice
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.servers import Servers
from shared.settings import RunSettings, Settings, load
from tests.support.redis_servers import PASSWORD, SENTINEL_PASSWORD, single, trio
from tests.support.voices import tone, write_sound

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


def redis_faults(**urls: str) -> list[Finding]:
    return [found for found in redis.check(load(RunSettings, **urls)) if found.state != "ok"]


def test_redis_is_away_or_wants_another_password_or_may_drop_streams() -> None:
    [away] = redis_faults(redis_url="redis://:secret@127.0.0.1:9/0")
    assert away.hint is not None
    assert "127.0.0.1:9/0 does not answer" in away.hint
    assert "secret" not in away.hint
    assert away.cure == "sudo systemctl start redis-server"
    [wrong] = redis_faults(redis_url="redis//127.0.0.1")
    assert (wrong.state, wrong.cure) == ("missing", "export MOODSTREAM_REDIS_URL=redis://:PASSWORD@HOST:6379/0")
    memory = ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with single("--requirepass", "right", *memory, "--appendonly", "yes") as client:
        port = client.connection_pool.connection_kwargs["port"]
        [refused] = redis_faults(redis_url=f"redis://:wrong@127.0.0.1:{port}/0")
        assert "refused the password" in (refused.hint or "")
        assert refused.cure == f"export MOODSTREAM_REDIS_URL=redis://:PASSWORD@127.0.0.1:{port}/0"
        url = f"redis://:right@127.0.0.1:{port}/0"
        cures = [found.cure or "" for found in redis_faults(redis_url=url)]
        command = f"redis-cli -h 127.0.0.1 -p {port} --askpass CONFIG SET"
        assert cures == [f"{command} maxmemory-policy noeviction", f"{command} appendonly no"]
        for cure in cures:  # the commands are meant as they stand; here nobody can type
            typed = os.environ | {"REDISCLI_AUTH": "right"}
            subprocess.run(["sh", "-c", cure.replace(" --askpass", "")], env=typed, check=True, timeout=20)
        assert redis_faults(redis_url=url) == []


def test_frames_that_would_lie_on_a_disk_are_told() -> None:
    with single() as events, single("--save", "60 1") as frames:
        ports = [one.connection_pool.connection_kwargs["port"] for one in (events, frames)]
        urls = [f"redis://127.0.0.1:{port}/0" for port in ports]
        [found] = redis_faults(redis_url=urls[0], frames_redis_url=urls[1])
        assert (found.part, found.state) == ("Redis of the frames", "careful")
        assert found.cure == f'redis-cli -h 127.0.0.1 -p {ports[1]} CONFIG SET save ""'
        assert redis_faults(redis_url=urls[1], frames_redis_url=urls[0]) == []


async def test_a_node_of_a_cluster_that_is_called_a_server_is_refused_at_once(tmp_path: Path) -> None:
    belongs = r"belongs to a cluster; its address begins with redis\+cluster://"
    cluster = ("--cluster-enabled", "yes", "--cluster-config-file", str(tmp_path / "nodes.conf"))
    with single(*cluster) as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        url = f"redis://127.0.0.1:{client.connection_pool.connection_kwargs['port']}/0"
        [found] = redis_faults(redis_url=url)
        assert "redis+cluster://" in (found.hint or "")
        for frames in (None, url):
            with embedded_redis() as own:
                settings = load(Settings, redis_url=own if frames else url, frames_redis_url=frames)
                servers = Servers(settings)
                await servers.connect()
                with pytest.raises(MoodstreamError, match=belongs):
                    await servers.check_kind()
                await servers.close()


def test_a_full_server_and_one_that_follows_another_are_told() -> None:
    with single("--maxmemory", "6mb", "--maxmemory-policy", "noeviction") as full:
        port = full.connection_pool.connection_kwargs["port"]
        while full.info()["used_memory"] < 0.85 * (6 << 20):
            full.rpush("many", b"a" * 50_000)
        [found] = redis_faults(redis_url=f"redis://127.0.0.1:{port}/0")
        assert found.state == "careful"
        assert found.cure == f"redis-cli -h 127.0.0.1 -p {port} CONFIG SET maxmemory {12 << 20}"
        with single("--replicaof", f"127.0.0.1 {port}") as other:
            [told] = redis_faults(redis_url=f"redis://127.0.0.1:{other.connection_pool.connection_kwargs['port']}/0")
            assert told.hint == "this server is a replica and takes no writes"


async def test_a_sentinel_that_is_called_a_server_and_a_group_through_its_sentinels() -> None:
    with trio() as servers:
        wrong = f"redis://:{SENTINEL_PASSWORD}@127.0.0.1:{servers.sentinels[0]}/0"
        [found] = redis_faults(redis_url=wrong)
        assert (found.state, SENTINEL_PASSWORD in (found.hint or "")) == ("missing", False)
        assert (found.cure or "").startswith("export MOODSTREAM_REDIS_URL=redis+sentinel://")
        called = Servers(load(Settings, redis_url=wrong))
        await called.connect()
        with pytest.raises(MoodstreamError, match=r"is a Sentinel; its address begins with redis\+sentinel://"):
            await called.check_kind()
        await called.close()
        assert redis_faults(redis_url=servers.url) == []
        [refused] = redis_faults(redis_url=servers.url.replace(PASSWORD, "wrong"))
        assert "refused the password" in (refused.hint or "")
        assert "sentinel_password" not in (refused.cure or "")
        [refused] = redis_faults(redis_url=servers.url.replace(SENTINEL_PASSWORD, "wrong"))
        assert "refused the password: the Sentinels" in (refused.hint or "")
        assert (refused.cure or "").startswith("export MOODSTREAM_REDIS_URL=redis+sentinel://:PASSWORD@")


def test_files_that_are_missing_or_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "songs.csv"
    bad.write_text("this,is,no,catalogue\n1,2,3,4\n")
    (tmp_path / "other.onnx").write_bytes(b"no model")
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
        f"the model cannot be read: {tmp_path}/other.onnx (InvalidProtobuf)",
        "unset MOODSTREAM_MODEL",
    )
    hint, cure = one(wrong, "catalogue")
    assert str(bad) in hint
    assert cure == "moodstream songs import FILE.csv"
    hint, cure = one(wrong, "camera camera-1")
    assert "webcam:97" in hint
    assert cure in ("moodstream camera list", "docker run --device /dev/video97 ...")
    assert one(wrong, "token")[1] == f"chmod 600 {token}"
    assert one(wrong, "player") == (
        "mpd: unavailable. MPD at 127.0.0.1:9 does not answer; start it. It is tried again.",
        "sudo systemctl start mpd",
    )


def test_the_network_and_the_detector_have_cures_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "yunet.onnx"  # the name of a file says nothing about what it is
    bad.write_bytes(b"no network")
    monkeypatch.setenv("MOODSTREAM_MODEL", str(bad))
    [model] = senses.check_model()
    assert (model.state, model.cure) == ("missing", "unset MOODSTREAM_MODEL")
    monkeypatch.setenv("MOODSTREAM_DETECTOR", "yunet")
    for file in (bad, tmp_path / "nowhere"):
        monkeypatch.setenv("MOODSTREAM_YUNET_MODEL", str(file))
        [detector] = senses.check_model()
        assert (detector.state, detector.cure) == ("missing", "export MOODSTREAM_DETECTOR=haar")
    monkeypatch.setenv("MOODSTREAM_DETECTOR", "auto")
    [detector] = senses.check_model()
    assert (detector.state, detector.cure) == ("missing", "unset MOODSTREAM_YUNET_MODEL")


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
            policy="crowd",
        )
    assert one(wrong, "player")[1] == "moodstream player login"
    assert one(wrong, "port")[1] == f"moodstream run --port {port + 1}"
    assert one(wrong, "proxy")[1] == "export no_proxy=localhost,127.0.0.1,::1"
    assert ("MOODSTREAM_CAMRA is not a setting; did you mean MOODSTREAM_CAMERA?", "unset MOODSTREAM_CAMRA") in [
        (found.hint, found.cure) for found in wrong if found.part == "settings"
    ]
    assert one(wrong, "camera")[1] == "moodstream camera list"
    assert "unset MOODSTREAM_POLICY" in [found.cure for found in wrong]


def test_too_little_disk_and_memory_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.cli.checks.machine.runtime_file.find_running", lambda: None)  # another test's may run
    [disk] = machine.check_disk(min_mb=10**9)
    assert disk.state == "missing"
    assert disk.cure in ("docker system prune", "sudo journalctl --vacuum-size=100M")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 524288 kB\nMemAvailable:   102400 kB\n")
    [memory] = machine.check_memory(meminfo)
    assert memory == Finding(
        "memory", "careful", "100 MB are free; 600 MB are needed", "sudo apt-get install zram-tools"
    )


@pytest.mark.parametrize(
    ("container", "cure"), [(False, "sudo usermod -aG video $USER"), (True, "docker run --group-add video ...")]
)
def test_a_webcam_that_this_user_may_not_use(container: bool, cure: str, tmp_path: Path) -> None:
    told = senses.cure_of_camera(
        "webcam:0", container=container, dev=make_node(tmp_path), allowed=lambda node: not node.exists()
    )
    assert told == cure


def test_a_busy_or_missing_webcam_and_a_camera_of_the_network(tmp_path: Path) -> None:
    dev = make_node(tmp_path)
    assert senses.cure_of_camera("webcam:0", container=False, dev=dev) == f"fuser -v {dev}/video0"
    assert senses.cure_of_camera("webcam:1", container=False, dev=dev) == "moodstream camera list"
    missing = senses.cure_of_camera("webcam:1", container=True, dev=dev)
    assert missing == f"docker run --device {dev}/video1 ..."
    address = "rtsp://user:secret@10.0.0.20/stream1"
    assert senses.cure_of_camera(address, container=False) == "ping -c 3 10.0.0.20"


def make_node(folder: Path) -> Path:
    (folder / "video0").touch()
    return folder


@pytest.mark.parametrize(("service", "parts"), [("emotion", {"network"}), ("player", {"player"})])
def test_an_image_of_one_service_has_a_doctor_too(
    environment: dict[str, str], tmp_path: Path, service: str, parts: set[str], redis_url: str
) -> None:
    app = tmp_path / "app"
    for folder in ("moodstream", "shared", "services/cli", f"services/{service}", "models"):
        shutil.copytree(ROOT / folder, app / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "services" / file, app / "services")
    given = environment | {"PYTHONPATH": str(app), "PYTHONSAFEPATH": "1", "MOODSTREAM_REDIS_URL": redis_url}
    # another service's setting, as every container of a compose file is given
    given |= {"MOODSTREAM_CAMERA": "webcam:0"}
    code = "import sys; sys.path.insert(0, '.'); from services.__main__ import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--json"],
        cwd=app,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = {one["part"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["image"]["hint"] == f"of {service}"
    assert set(found) == {"image", "settings", "Redis", "memory", "disk"} | parts


def test_voices_are_looked_at_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(voice.check()) == []
    monkeypatch.setenv("MOODSTREAM_VOICE", "free")
    assert [(found.part, found.state) for found in voice.check()] == [("voice", "ok"), ("microphone", "not used")]
    monkeypatch.setenv("MOODSTREAM_VOICE", "research")
    monkeypatch.setenv("MOODSTREAM_MICROPHONE", f"file:{tmp_path / 'gone.wav'}")
    model, microphone = voice.check()
    assert (model.state, model.cure) == ("careful", "export MOODSTREAM_VOICE=free")
    assert "non-commercial" in (model.hint or "")
    assert (microphone.state, microphone.cure) == ("missing", "unset MOODSTREAM_MICROPHONE")
    assert microphone.hint == "gone.wav: there is no such file"
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("MOODSTREAM_MICROPHONE", "device")
    assert "moodstream[microphone]" in (list(voice.check())[1].hint or "")
    write_sound(tmp_path / "a.wav", tone(0.5))
    monkeypatch.setenv("MOODSTREAM_MICROPHONE", f"file:{tmp_path / 'a.wav'}")
    assert list(voice.check())[1].state == "ok"
    monkeypatch.setenv("MOODSTREAM_VOICE_COMMANDS", "true")
    assert [(found.part, found.state) for found in voice.check()][1] == ("voice commands", "ok")
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    assert list(voice.check())[1].cure == "pip install 'moodstream[commands]'"
