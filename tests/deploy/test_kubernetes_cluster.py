"""The overlay with clusters of Redis, and what may be added to it: songs in PostgreSQL, plain autoscaling, Dask."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from moodstream import cluster
from services.recommender.postgres.database import MIN_SERVER, Database
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.deploy.test_kubernetes import KUBERNETES, Manifest, decoded, kubectl, mounted, of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "kubernetes"
SONGS = {"instances", "imageName", "storage", "bootstrap", "postgresql", "resources", "affinity"}
INITDB = {"database", "owner", "postInitApplicationSQL"}
"""Fields of postgresql.cnpg.io/v1, for which no package has a schema."""
WORKER, SCHEDULER = {"replicas", "spec"}, {"spec", "service"}
"""The same of kubernetes.dask.org/v1."""


def built(folder: Path, overlay: str, kustomization: dict[str, Any] | None = None) -> list[Manifest]:
    """What an overlay makes with its examples as they are, or one that is given here."""
    tree = shutil.copytree(DEPLOY, folder / "kubernetes")
    for example in tree.rglob("*.example"):
        example.rename(example.with_suffix(""))
    if kustomization is not None:
        (tree / "overlays" / overlay).mkdir()
        (tree / "overlays" / overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    command = [kubectl(), "kustomize", str(tree / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return built(tmp_path_factory.mktemp("kubernetes"), "cluster")


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """One site with Redis, PostgreSQL and recommenders that are scaled by their processors."""
    components = [f"../../components/{name}" for name in ("redis", "postgres", "hpa-recommender")]
    generated = [
        {"name": name, "literals": [f"{key}=x"]}
        for name, key in (("redis-recommender", "moodstream_redis_password"), ("secrets", "moodstream_operator_token"))
    ]
    wanted = {
        "namespace": "moodstream",
        "resources": ["../../base"],
        "components": components,
        "secretGenerator": generated,
    }
    return built(tmp_path_factory.mktemp("kubernetes"), "added", wanted)


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    [found] = [one for one in of(manifests, kind) if one["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("site", ["north", "south"])
@pytest.mark.parametrize("server", ["events", "frames"])
def test_sites_and_scalers_reach_nodes_that_exist(manifests: list[Manifest], site: str, server: str) -> None:
    here = [one for one in manifests if one["metadata"].get("namespace") == f"moodstream-{site}"]
    [settings] = of(here, "ConfigMap")
    gateway = named(here, "Deployment", "gateway")["spec"]["template"]["spec"]
    file = "moodstream_redis_url" if server == "events" else "moodstream_frames_redis_url"
    url = decoded(mounted(here, gateway)[file])
    create_bus(load(Settings, redis_url=url, prefix=settings["data"]["MOODSTREAM_PREFIX"]))  # with a hash tag
    nodes = named(manifests, "StatefulSet", f"{server}-nodes")
    names = {
        f"{nodes['metadata']['name']}-{number}.{nodes['spec']['serviceName']}.{nodes['metadata']['namespace']}"
        for number in range(nodes["spec"]["replicas"])
    }
    told = {host for host, _ in cluster.parse(url).nodes}
    assert len(told) == 3
    assert told <= names
    for scaler in of(here, "ScaledObject"):
        for trigger in scaler["spec"]["triggers"][:-1]:
            if trigger["authenticationRef"]["name"] == f"{server}-redis":
                assert trigger["type"] == "redis-cluster-streams"
                assert set(trigger["metadata"]["addresses"].split(",")) == {f"{host}:6379" for host in told}


@pytest.mark.parametrize("server", ["events", "frames"])
def test_what_keeps_a_cluster_together_looks_for_its_own_nodes(manifests: list[Manifest], server: str) -> None:
    nodes, service = (named(manifests, kind, f"{server}-nodes") for kind in ("StatefulSet", "Service"))
    pod = named(manifests, "Deployment", f"{server}-join")["spec"]["template"]
    [container] = pod["spec"]["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    assert given["NODES"] == service["metadata"]["name"]
    assert int(given["COUNT"]) == nodes["spec"]["replicas"] == 6
    assert service["spec"]["selector"].items() <= nodes["spec"]["template"]["metadata"]["labels"].items()
    assert not service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    other = named(manifests, "StatefulSet", "frames-nodes" if server == "events" else "events-nodes")
    assert not service["spec"]["selector"].items() <= other["spec"]["template"]["metadata"]["labels"].items()
    assert service["spec"]["publishNotReadyAddresses"], "a node is ready when it knows the others"
    [node] = nodes["spec"]["template"]["spec"]["containers"]
    keeps = node["args"][node["args"].index("--appendonly") + 1]
    data = [volume for volume in nodes["spec"]["template"]["spec"]["volumes"] if volume["name"] == "data"]
    if server == "events":
        assert (keeps, data) == ("yes", [])
    else:
        assert keeps == "no"
        assert data[0]["emptyDir"]["medium"] == "Memory", "frames show people: no disk"


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field_of_what_is_added(added: list[Manifest], version: str) -> None:
    for one in added:
        if "cnpg.io" not in one["apiVersion"]:
            kubernetes_validate.validate(one, version, strict=True)


def test_recommenders_are_scaled_by_their_processors_where_there_is_no_keda(added: list[Manifest]) -> None:
    [scaler] = of(added, "HorizontalPodAutoscaler")
    recommender = named(added, "Deployment", scaler["spec"]["scaleTargetRef"]["name"])
    assert "replicas" not in recommender["spec"]
    [container] = recommender["spec"]["template"]["spec"]["containers"]
    [metric] = scaler["spec"]["metrics"]
    assert metric["containerResource"]["container"] == container["name"] == "recommender"
    assert "cpu" in container["resources"]["requests"]  # of which the share is taken


def test_recommenders_get_the_address_of_a_postgresql_that_they_can_use(added: list[Manifest]) -> None:
    [songs] = of(added, "Cluster")
    spec = songs["spec"]
    assert set(spec) == SONGS
    assert set(spec["bootstrap"]["initdb"]) == INITDB
    assert spec["bootstrap"]["initdb"]["postInitApplicationSQL"] == ["CREATE EXTENSION vector"]
    version, kind = re.fullmatch(r"ghcr\.io/cloudnative-pg/postgresql:(\d+)-(\w+)-\w+", spec["imageName"]).groups()  # type: ignore[union-attr]
    assert int(version) >= MIN_SERVER
    assert kind == "standard", "of the images that are kept up to date, the one that holds pgvector"
    volumes = named(added, "Deployment", "recommender")["spec"]["template"]["spec"]["volumes"]
    [files] = [volume["projected"]["sources"] for volume in volumes if volume["name"] == "secrets"]
    names = [source["secret"]["name"] for source in files]
    assert names[1].startswith("redis-recommender-"), "the password of Redis is still there"
    # as the operator names its secret, and the address in it
    assert files[2]["secret"] == {
        "name": f"{songs['metadata']['name']}-app",
        "items": [{"key": "uri", "path": "moodstream_songs_url"}],
    }
    assert Database("postgresql://moodstream:x@songs-rw.moodstream:5432/songs").where.endswith("/songs")
    policy = named(added, "NetworkPolicy", "songs-from-recommenders")["spec"]
    assert policy["egress"][0]["ports"] == [{"port": 5432, "protocol": "TCP"}]


@pytest.mark.parametrize("version", KUBERNETES)
def test_dask_hears_with_the_image_that_is_built_here_and_its_pods_are_right(version: str) -> None:
    dask, *jobs = yaml.safe_load_all((DEPLOY / "dask-cluster.yaml").read_text())
    assert (dask["apiVersion"], dask["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    worker, scheduler = dask["spec"]["worker"], dask["spec"]["scheduler"]
    assert (set(dask["spec"]), set(worker), set(scheduler)) == ({"worker", "scheduler"}, WORKER, SCHEDULER)
    for name, spec in (("worker", worker["spec"]), ("scheduler", scheduler["spec"])):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        kubernetes_validate.validate(pod, version, strict=True)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": scheduler["service"]}
    kubernetes_validate.validate(service, version, strict=True)
    for job in jobs:
        kubernetes_validate.validate(job, version, strict=True)
    images = set(re.findall(r"image: (\S+)", (DEPLOY / "dask-cluster.yaml").read_text()))
    assert images == {"moodstream/dask:latest"}
    assert "--tag moodstream/dask " in (ROOT / "deploy/dask/Dockerfile").read_text()
    [spread] = worker["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
