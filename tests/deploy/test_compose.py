"""The compose file as people use it: built, started, a mood through the whole chain, a worker killed."""

import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.stack import Stack, docker, eventually

pytestmark = pytest.mark.compose

SERVICES = {"camera", "emotion", "recommender", "player", "gateway", "bridge"}
MOST_MB = {"recommender": 750, "emotion": 450}
"""Target sizes of the images; 350 for the others."""


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if os.environ.get("CI") != "true" and "compose" not in request.config.getoption("markexpr"):
        pytest.skip("builds images and starts containers: `make compose-test` runs it")
    settings = tmp_path_factory.mktemp("compose") / "env"
    settings.touch()
    stack = Stack(settings, MOODSTREAM_PORT=free_port(), MOODSTREAM_AUTO="true", MOODSTREAM_PLAYER="log")
    stack.compose("down", "--volumes", "--remove-orphans")
    try:
        stack.compose("up", "--build", "--detach")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def all_healthy(stack: Stack, count: int) -> bool:
    health = stack.health()
    return len(health) == count and set(health) == {"healthy"}


def moods(stack: Stack, after: str = "") -> set[str]:
    return {event["mood"] for event in stack.events("moods", after)}


def test_everything_becomes_healthy(stack: Stack) -> None:
    eventually(lambda: all_healthy(stack, len(SERVICES) + 1), within_s=60)


def test_a_mood_goes_through_to_a_play(stack: Stack) -> None:
    eventually(lambda: {"happy", "sad"} & moods(stack), within_s=60)
    offer = eventually(lambda: stack.events("offers"), within_s=20)[0]
    assert len(offer["songs"]) == 5
    ranking = eventually(lambda: stack.events("rankings"), within_s=20)[0]
    assert ranking["picked"]["id"] in {song["id"] for song in offer["songs"]}
    played = eventually(lambda: [event for event in stack.events("playback") if event["song"]], within_s=20)
    assert played[0]["state"] == "playing"
    assert played[0]["song"]["id"] == ranking["play"][0]["id"]


def test_the_page_answers_on_this_machine_alone(stack: Stack) -> None:
    [gateway] = stack.containers("gateway")
    [address] = gateway["NetworkSettings"]["Ports"]["8000/tcp"]
    assert address["HostIp"] == "127.0.0.1"
    with urllib.request.urlopen(f"http://127.0.0.1:{address['HostPort']}/", timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_images_are_small_and_not_root(stack: Stack, service: str) -> None:
    [container] = stack.containers(service)
    assert container["Config"]["User"] == "moodstream"
    assert (
        int(docker("image", "inspect", "--format", "{{.Size}}", container["Image"])) < MOST_MB.get(service, 350) * 1e6
    )


@pytest.mark.reference
def test_a_video_from_a_mounted_folder(stack: Stack, reference: Path) -> None:
    video = {"MOODSTREAM_MEDIA": str(reference / "video"), "MOODSTREAM_CAMERA": "/media/WolfgangLanger_Pexels.mp4"}
    after = stack.last_entry("moods")
    stack.compose("up", "--detach", "--no-build", "--no-deps", "camera", **video)
    eventually(lambda: {"sad", "happy"} <= moods(stack, after), within_s=60)


def test_moods_go_on_when_the_tracking_worker_is_killed(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "emotion=2")
    eventually(lambda: all_healthy(stack, len(SERVICES) + 2), within_s=40)
    lease = eventually(lambda: stack.redis("GET", "mood:lease:tracker:camera-1").strip(), within_s=10)
    holder = lease.split("-")[0]
    assert holder in {one["Config"]["Hostname"] for one in stack.containers("emotion")}
    docker("kill", holder)
    after = stack.last_entry("moods")
    eventually(lambda: stack.events("moods", after), within_s=20)


HEAR_OSC = """
import socket
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


def test_visitors_who_do_not_exist_instead_of_a_camera(stack: Stack) -> None:
    after = stack.last_entry("moods")
    stack.compose("up", "--detach", "--no-build", "--no-deps", "camera", MOODSTREAM_DEMO="true")
    eventually(lambda: "simulated" in {event["model"] for event in stack.events("moods", after)}, within_s=60)
