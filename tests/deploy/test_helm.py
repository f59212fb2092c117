"""The Helm chart, rendered by Helm itself: the same objects as kustomize makes, and what its values change."""

import base64
import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import kubernetes_validate
import pytest
import yaml
from redis import Redis
from redis.exceptions import NoPermissionError

from moodstream import __version__
from services.camera.rules.cameras import read_cameras
from shared.contracts.access import USERS, Server, acl_file
from tests.deploy.test_kubernetes import KUBERNETES, SERVICES, Manifest, decoded, kubectl, mounted, of, pods
from tests.support.needs import missing
from tests.support.secured_services import redis_server

try:
    import helm_python as helm
except ModuleNotFoundError:
    missing("helm-python-sdk, which holds Helm's own library, for Linux on x86-64")

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "moodstream"
SERVERS: tuple[Server, ...] = ("events", "frames")
CAMERAS = '[[cameras]]\nid = "door"\naddress = "rtsp://user:password@10.0.0.20/stream1"\nframe_rate = 10\n'
TOKEN = {"moodstream_operator_token": token_urlsafe(24)}
SUFFIX = re.compile(r"^(settings|secrets|cameras|redis-[a-z]+)-[a-z0-9]{10}$")
"""Names that kustomize adds a hash to, so that pods start anew; a chart has checksums for that."""


def rendered(**values: Any) -> list[Manifest]:
    with helm.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="moodstream", namespace="moodstream")
    return [one for file, text in texts.items() if file.endswith(".yaml") for one in yaml.safe_load_all(text) if one]


def kustomized(folder: Path, *components: str) -> list[Manifest]:
    """The base with components, and what an overlay adds to it."""
    tree = shutil.copytree(ROOT / "deploy" / "kubernetes", folder / "kubernetes")
    overlay = tree / "overlays" / "all"
    (overlay / "secrets").mkdir(parents=True)
    (overlay / "cameras.toml").write_text(CAMERAS)
    given = yaml.safe_load((tree / "overlays" / "one-site" / "kustomization.yaml").read_text())
    generators = given["secretGenerator"] if "redis" in components else given["secretGenerator"][:2]
    for user in USERS:  # as `moodstream acl` does
        (overlay / "secrets" / f"redis_{user}").write_text(user * 4)
    for server in SERVERS:
        text = acl_file("mood:", server, {user: sha256((user * 4).encode()).hexdigest() for user in USERS})
        (overlay / "secrets" / f"{server}.acl").write_text(text)
    (overlay / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in TOKEN.items()))
    wanted = given | {"components": [f"../../components/{one}" for one in components], "secretGenerator": generators}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    done = subprocess.run([kubectl(), "kustomize", str(overlay)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def same_in_both(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    """By kind and name, without what may differ: hashes, checksums, and drawn passwords."""
    found = {}
    for one in manifests:
        plain = without_suffixes(copy.deepcopy(one))
        kind, name = plain["kind"], plain["metadata"]["name"]
        if kind == "Namespace" or name in ("redis-subscriber", "redis-operator"):  # `helm install --create-namespace`
            continue
        plain["metadata"].pop("labels", None) if kind == "Secret" else None
        if kind == "Secret":
            texts = {file: decoded(value) for file, value in plain["data"].items()}
            hidden = name.startswith("redis-")
            plain["data"] = {file: rights(text) if hidden else text for file, text in texts.items()}
        if template := plain.get("spec", {}).get("template"):
            notes = template["metadata"].get("annotations", {})
            kept = {note: value for note, value in notes.items() if not note.startswith("checksum/")}
            template["metadata"].pop("annotations", None)
            template["metadata"] |= {"annotations": kept} if kept else {}
        found[kind, name] = plain
    return found


def rights(text: str) -> str | list[str]:
    """Of an ACL file what the users of the chart may do; of a password nothing."""
    if not text.startswith("user "):
        return "scaler" if text == "scaler" else "a password"
    lines = [re.sub(r"#[0-9a-f]{64}", "#", line) for line in text.splitlines()]
    return [line for line in lines if line.split()[1] not in ("demo", "all")]


def without_suffixes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_suffixes(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_suffixes(one) for one in value]
    return SUFFIX.sub(r"\1", value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("components", "values"),
    [
        (("redis",), {}),
        (("redis", "keda"), {"scaling": "keda"}),
        (
            ("redis", "hpa", "ingress", "podmonitor"),
            {"scaling": "hpa", "ingress": {"enabled": True, "host": "moodstream.example"}, "podMonitor": True},
        ),
        ((), {"redis": {"inside": False}}),
    ],
    ids=lambda one: "-".join(one) or "outside" if isinstance(one, tuple) else "",
)
def test_it_makes_the_same_objects_as_kustomize(
    components: tuple[str, ...], values: dict[str, Any], tmp_path: Path
) -> None:
    ours = same_in_both(rendered(cameras=CAMERAS, secrets=TOKEN, **values))
    theirs = same_in_both(kustomized(tmp_path, *components))
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        assert ours[name] == one, name


def test_the_templates_are_those_that_the_manifests_make(tmp_path: Path) -> None:
    command = [sys.executable, "deploy/helm/generate.py", kubectl(), str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    made = {file.name for file in tmp_path.iterdir()}
    for name in made:
        assert (CHART / "templates" / name).read_text() == (tmp_path / name).read_text(), f"{name}: make chart"
    by_hand = {"NOTES.txt", "_helpers.tpl", "secrets.yaml", "settings.yaml"}
    assert {file.name for file in (CHART / "templates").iterdir()} == made | by_hand


def test_helm_finds_nothing_to_say_but_that_there_is_no_icon() -> None:
    said = helm.lint(CHART, {"cameras": CAMERAS, "podMonitor": True}, strict=True)
    assert [message["error"] for message in said["messages"]] == ["icon is recommended"]
    assert said["errors"] == []


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(version: str) -> None:
    for one in rendered(cameras=CAMERAS, scaling="hpa", ingress={"enabled": True, "host": "a.example"}):
        kubernetes_validate.validate(one, version, strict=True)


def test_its_version_is_ours() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == __version__


def test_images_come_from_a_registry_and_by_digest_where_one_is_given() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    images = {
        "registry": "registry.example/",
        "tag": "2.0.0",
        "digests": {"gateway": digest},
        "redis": "other/valkey:9",
    }
    used = {name: container["image"] for name, _, container in pods(rendered(images=images))}
    assert used["gateway"] == f"registry.example/moodstream/gateway@{digest}"
    assert used["emotion"] == "registry.example/moodstream/emotion:2.0.0"
    assert used["events-redis"] == used["frames-redis"] == "other/valkey:9"
    assert "camera" not in used, "there is no camera without an address of one"


def test_settings_limits_and_numbers_are_those_of_the_values() -> None:
    made = rendered(
        prefix="north:",
        settings={"MOODSTREAM_VOLUME": "1000000", "MOODSTREAM_DEFAULT_EXPLICIT": True},
        resources={"recommender": {"limits": {"memory": "3Gi"}}},
        redis={"storage": "9Gi"},
        scaling="keda",
    )
    [settings] = of(made, "ConfigMap")
    assert settings["data"]["MOODSTREAM_VOLUME"] == "1000000"
    assert settings["data"]["MOODSTREAM_DEFAULT_EXPLICIT"] == "true"
    assert settings["data"]["MOODSTREAM_DEFAULT_PLAYER"] == "house"
    assert settings["data"]["MOODSTREAM_PREFIX"] == "north:"
    [scaler] = of(made, "ScaledObject")
    assert scaler["spec"]["triggers"][0]["metadata"]["stream"] == "north:frames"
    [container] = [container for name, _, container in pods(made) if name == "recommender"]
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "3Gi"}
    [stored] = of(made, "StatefulSet")
    assert stored["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "9Gi"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prefix": "no spaces:"}, "prefix"),
        ({"setting": {}}, "setting"),
        ({"settings": {"VOLUME": "1"}}, "VOLUME"),
        ({"settings": {"MOODSTREAM_VOLUME": 1000000}}, "MOODSTREAM_VOLUME"),
        ({"secrets": {"MOODSTREAM_OPERATOR_TOKEN": "x"}}, "MOODSTREAM_OPERATOR_TOKEN"),
        ({"images": {"digests": {"gateway": "sha256:short"}}}, "gateway"),
    ],
)
def test_values_that_it_does_not_know_are_refused_by_name(values: Mapping[str, Any], said: str) -> None:
    with pytest.raises(helm.HelmError, match=said):
        rendered(**values)


def test_a_page_without_a_name_is_refused() -> None:
    with pytest.raises(helm.HelmError, match=r"ingress\.host"):
        rendered(ingress={"enabled": True})


def test_secrets_that_are_there_already_are_not_made() -> None:
    made = rendered(existingSecrets=True)
    assert "Secret" not in {one["kind"] for one in made}
    assert "camera" in {name for name, *_ in pods(made)}


def test_a_real_server_takes_the_users_and_each_passwords_is_its_own(tmp_path: Path) -> None:
    made = rendered(cameras=CAMERAS, secrets=TOKEN, prefix="north:")
    secrets = {one["metadata"]["name"]: one["data"] for one in of(made, "Secret")}
    for server in SERVERS:
        text = base64.b64decode(secrets["redis-acl"][f"{server}.acl"]).decode()
        assert text.endswith("\n")
        for name, pod, _ in pods(made):
            if name in SERVICES:
                password = base64.b64decode(mounted(made, pod)["moodstream_redis_password"])
                assert f"user {name} on #{sha256(password).hexdigest()} " in text
        (tmp_path / server).mkdir()
        file = tmp_path / server / "users.acl"
        file.write_text(text)
        with redis_server(tmp_path / server, "--aclfile", str(file)) as running:
            gateway = decoded(secrets["redis-gateway"]["moodstream_redis_password"])
            with Redis(port=running.port, username="gateway", password=gateway) as client:
                assert client.xlen("north:frames") == 0
                with pytest.raises(NoPermissionError):
                    client.xlen("mood:frames")
    file = tmp_path / "cameras.toml"
    file.write_bytes(base64.b64decode(secrets["cameras"]["cameras.toml"]))
    assert [camera.id for camera in read_cameras(str(file), {})] == ["door"]
