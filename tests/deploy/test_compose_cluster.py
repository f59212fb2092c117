"""The profile ``cluster`` of the compose file: six nodes that become a cluster, and become it again."""

from collections.abc import Iterator

import pytest

from moodstream import cluster
from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from tests.deploy.stack import PROJECT, Stack, docker, eventually

pytestmark = pytest.mark.compose

NODES = tuple(f"node-{number}" for number in range(1, 7))
PREFIX = "{mood}:"


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = tmp_path_factory.mktemp("cluster") / "env"
    settings.touch()
    stack = Stack(settings, MOODSTREAM_PREFIX=PREFIX, MOODSTREAM_CLUSTER=",".join(NODES[:3]))
    try:
        stack.compose("build", "gateway")  # which makes the passwords
        stack.compose("--profile", "cluster", "up", "--detach", "--no-build", *NODES, "join")
        yield stack
    finally:
        if request.session.testsfailed:
            print(stack.compose("--profile", "cluster", "logs", "--tail", "20", "--no-color"))
        stack.compose("--profile", "cluster", "down", "--volumes", "--remove-orphans", "--timeout", "1")


def address(stack: Stack, node: str) -> str:
    [container] = stack.containers(node)
    [network] = container["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def site(stack: Stack) -> str:
    """The address of the site, as this machine reaches it."""
    word = stack.file("join", "/run/secrets/admin")
    hosts = ",".join(address(stack, node) for node in NODES)
    return cluster.with_prefix(f"redis+cluster://admin:{word}@{hosts}", PREFIX)


def whole(stack: Stack) -> bool:
    [state] = [text for name, text in stack.health().items() if "join" in name]
    return state == "healthy"


def test_six_nodes_become_a_cluster_and_find_each_other_under_new_addresses(stack: Stack) -> None:
    eventually(lambda: whole(stack), within_s=60)
    eventually(lambda: followed(stack) == [2, 2, 2], within_s=30)  # each slot has who leads, and who follows
    with connected(site(stack)) as client:
        assert client.set(f"{PREFIX}kept", "all the time")
    old = [address(stack, node) for node in NODES]
    names = [f"{PROJECT}_{node}_1" for node in NODES] if "_" in stack.containers("join")[0]["Name"] else []
    names = names or [f"{PROJECT}-{node}-1" for node in NODES]
    docker("stop", "--time", "10", *names)
    docker("start", *reversed(names))
    assert [address(stack, node) for node in NODES] != old
    eventually(lambda: kept(stack) == b"all the time", within_s=60)


def followed(stack: Stack) -> list[int]:
    """How many nodes there are for each range of slots."""
    with connected(site(stack)) as client:
        return [len(nodes) for _, _, *nodes in client.execute_command("CLUSTER SLOTS")]


def kept(stack: Stack) -> bytes | None:
    try:
        with connected(site(stack)) as client:
            found: bytes | None = client.get(f"{PREFIX}kept")
            return found
    except MoodstreamError:  # they still have each other's old addresses
        return None
