"""What a site may add to the manifests: plain autoscaling instead of KEDA, an Ingress, a PodMonitor."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from services.gateway.main import GatewaySettings
from shared.settings import load
from tests.deploy.test_kubernetes import KUBERNETES, kubectl

ROOT = Path(__file__).parents[2]
OURS = ("hpa", "ingress", "podmonitor")
PODMONITOR = {"selector", "podMetricsEndpoints"}
ENDPOINT = {"port", "path", "interval", "relabelings"}
"""Fields of monitoring.coreos.com/v1, for which no package has a schema."""


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(ROOT / "deploy" / "kubernetes", folder)
    overlay = folder / "overlays" / "all"
    overlay.mkdir()
    added = [f"../../components/{name}" for name in OURS]
    wanted = {"namespace": "moodstream", "resources": ["../../base"], "components": added}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    command = [kubectl(), "kustomize", str(overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def only(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [one for one in manifests if one["kind"] == kind]
    return found


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(manifests: list[dict[str, Any]], version: str) -> None:
    for one in manifests:
        if one["kind"] != "PodMonitor":
            kubernetes_validate.validate(one, version, strict=True)


def test_the_autoscaler_alone_says_how_many_workers_there_are(manifests: list[dict[str, Any]]) -> None:
    scaler = only(manifests, "HorizontalPodAutoscaler")["spec"]
    [worker] = [one for one in manifests if one["kind"] == "Deployment" and one["metadata"]["name"] == "emotion"]
    assert scaler["scaleTargetRef"]["name"] == "emotion"
    assert "replicas" not in worker["spec"]
    [container] = worker["spec"]["template"]["spec"]["containers"]
    [metric] = scaler["metrics"]
    assert metric["containerResource"]["container"] == container["name"]
    assert "cpu" in container["resources"]["requests"]  # of which the share is taken
    kept = next(one for one in manifests if one["kind"] == "ConfigMap")["data"]["MOODSTREAM_FRAMES_KEPT"]
    assert int(kept) >= 2 * scaler["maxReplicas"]


def test_the_page_answers_under_the_name_of_the_ingress(manifests: list[dict[str, Any]]) -> None:
    ingress = only(manifests, "Ingress")["spec"]
    [rule] = ingress["rules"]
    [path] = rule["http"]["paths"]
    [service] = [one for one in manifests if one["kind"] == "Service" and one["metadata"]["name"] == "gateway"]
    assert path["backend"]["service"] == {"name": "gateway", "port": {"name": service["spec"]["ports"][0]["name"]}}
    assert ingress["tls"][0]["hosts"] == [rule["host"]]
    given = next(one for one in manifests if one["kind"] == "ConfigMap")["data"]
    assert load(GatewaySettings, host_names=given["MOODSTREAM_HOST_NAMES"]).host_names == rule["host"]


def test_the_monitor_finds_every_service_under_the_labels_of_the_alarms(manifests: list[dict[str, Any]]) -> None:
    monitor = only(manifests, "PodMonitor")["spec"]
    [endpoint] = monitor["podMetricsEndpoints"]
    assert (set(monitor), set(endpoint)) == (PODMONITOR, ENDPOINT)
    wanted = monitor["selector"]["matchLabels"].items()
    pods = [one["spec"]["template"] for one in manifests if one["kind"] == "Deployment"]
    assert len(pods) == 7
    for pod in pods:
        assert wanted <= pod["metadata"]["labels"].items()
        [container] = pod["spec"]["containers"]
        assert endpoint["port"] in {port["name"] for port in container["ports"]}
        assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == container["name"]
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    labels = {one["targetLabel"]: one.get("replacement") for one in endpoint["relabelings"]}
    assert labels == {"job": "moodstream", "service": None}
    assert 'job="moodstream"' in alerts
