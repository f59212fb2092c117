"""Write the templates of the Helm chart from the manifests for kustomize: ``generate.py KUBECTL FOLDER``.

So there is one source, ``deploy/kubernetes``. What a chart has values for is put in place of what stands there: images,
the prefix, settings, secrets, limits, the number of workers. All else is copied as kubectl builds it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from shared.contracts.access import PEOPLE, RIGHTS, SCALER, Server, acl_file

Manifest = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(RIGHTS)
USERS = (*SERVICES, SCALER, *PEOPLE)
SERVERS: tuple[Server, ...] = ("events", "frames")
PREFIX = "PREFIX-OF-THE-SITE:"
INSIDE, OUTSIDE = ["redis"], list[str]()
"""Components of kustomize: with Redis in the cluster, and without."""


def main(kubectl: str, folder: str) -> None:
    templates = Path(folder)
    inside, outside = build(kubectl, INSIDE), build(kubectl, OUTSIDE)
    files: dict[str, list[str]] = {}
    for (kind, name), one in inside.items():
        if kind not in ("Namespace", "ConfigMap"):
            files.setdefault(file_of(kind, name), []).append(template(one, outside.get((kind, name))))
    for component, condition in ADDED.items():
        more = build(kubectl, [*INSIDE, component])
        files[component] = [when(condition, "---\n".join(finish(more[key]) for key in more if key not in inside))]
    for file, texts in files.items():
        (templates / f"{file}.yaml").write_text(NOTE + "---\n".join(texts))
    (templates / "_made.tpl").write_text(definitions(inside["ConfigMap", "settings"]["data"]))


def when(condition: str, text: str, otherwise: str | None = None) -> str:
    """A part of a template that holds under a condition."""
    rest = "" if otherwise is None else f"{{{{- else }}}}\n{otherwise}"
    return f"{{{{- if {condition} }}}}\n{text}{rest}{{{{- end }}}}\n"


NOTE = "# Made from deploy/kubernetes by `make chart`; not to be changed here.\n"
ADDED = {
    "hpa": 'eq .Values.scaling "hpa"',
    "keda": 'eq .Values.scaling "keda"',
    "ingress": ".Values.ingress.enabled",
    "podmonitor": ".Values.podMonitor",
}
"""Components of kustomize that a value adds."""


def build(kubectl: str, components: list[str]) -> dict[tuple[str, str], Manifest]:
    """What kustomize makes of the base with these components, by kind and name."""
    with tempfile.TemporaryDirectory() as folder:
        tree = shutil.copytree(ROOT / "deploy" / "kubernetes", Path(folder) / "kubernetes")
        for file in (tree / "base" / "kustomization.yaml", *tree.glob("components/*/kustomization.yaml")):
            with file.open("a") as opened:  # a chart's checksums do what a hash in a name does
                opened.write("generatorOptions: {disableNameSuffixHash: true}\n")
        overlay = tree / "overlays" / "chart"
        overlay.mkdir()
        wanted = {"resources": ["../../base"], "components": [f"../../components/{one}" for one in components]}
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
        command = [kubectl, "kustomize", str(overlay)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    made = list(yaml.safe_load_all(done.stdout))
    return {(one["kind"], one["metadata"]["name"]): one for one in made}


def file_of(kind: str, name: str) -> str:
    """One file for all that belongs to a service, one for each other kind."""
    if name in SERVICES and kind in ("Deployment", "Service", "PersistentVolumeClaim"):
        return name
    return name if name.endswith("-redis") else {"NetworkPolicy": "network", "PodDisruptionBudget": "disruption"}[kind]


def template(one: Manifest, outside: Manifest | None) -> str:
    """A manifest; where Redis may be outside and it then is another one, both."""
    text = (
        finish(one)
        if one == outside
        else when(".Values.redis.inside", finish(one), finish(outside) if outside else None)
    )
    camera = one["metadata"]["name"] == "camera"
    return when("or .Values.cameras .Values.existingSecrets", text) if camera else text


def finish(one: Manifest) -> str:
    """The text of a manifest, with what values say in it."""
    marks: dict[str, str] = {}

    def mark(text: str) -> str:
        marks[name := f"MARK{len(marks)}MARK"] = text
        return name

    copied: Manifest = json.loads(json.dumps(one))
    copied["metadata"]["namespace"] = mark("{{ .Release.Namespace }}")
    if pod := copied["spec"].get("template"):
        put_pod(copied, pod, mark)
    for claim in copied["spec"].get("volumeClaimTemplates", []):
        claim["spec"]["resources"]["requests"]["storage"] = mark("{{ .Values.redis.storage }}")
    if copied["kind"] == "Ingress":
        host = mark('{{ required "ingress.host: the name of the page" .Values.ingress.host }}')
        copied["spec"]["tls"] = [{"hosts": [host], "secretName": mark("{{ .Values.ingress.certificate }}")}]
        copied["spec"]["rules"][0]["host"] = host
    for trigger in copied["spec"].get("triggers", []):
        if "stream" in trigger["metadata"]:
            trigger["metadata"]["stream"] = mark("{{ .Values.prefix }}frames")
    text = yaml.safe_dump(copied, sort_keys=False, width=200)
    assert "{{" not in text
    for name, value in marks.items():
        text = text.replace(name, value)
    return re.sub(r"^  replicas: (\{\{- if.*?)\n", r"\1\n", text, flags=re.MULTILINE)


def put_pod(one: Manifest, pod: Manifest, mark: Callable[[str], str]) -> None:
    name = one["metadata"]["name"]
    [container] = pod["spec"]["containers"]
    ours = name in SERVICES
    image = f'include "moodstream.image" (list . "{name}")' if ours else ".Values.images.redis"
    container["image"] = mark(f"{{{{ {image} }}}}")
    limits = json.dumps(container["resources"])
    container["resources"] = mark(f'{{{{ include "moodstream.resources" (list . "{name}" `{limits}`) }}}}')
    if name == "emotion":
        one["spec"]["replicas"] = mark(
            '{{- if eq .Values.scaling "none" }}\n  replicas: {{ .Values.workers }}\n  {{- end }}'
        )
    notes = pod["metadata"].setdefault("annotations", {})
    if ours:
        notes["checksum/settings"] = mark('{{ include (print .Template.BasePath "/settings.yaml") . | sha256sum }}')
        notes["checksum/secrets"] = mark("{{ toJson (list .Values.secrets .Values.cameras) | sha256sum }}")
    else:
        rights = sha256("".join(map(acl, SERVERS)).encode()).hexdigest()
        notes["checksum/rights"] = mark(f'{{{{ printf "%s %s" .Values.prefix "{rights}" | sha256sum }}}}')


def acl(server: Server) -> str:
    """The ACL file of a server, with marks for the prefix and the hashes of the passwords."""
    return acl_file(PREFIX, server, {user: f"HASH-OF-{user}." for user in USERS})


def definitions(settings: Mapping[str, str]) -> str:
    """What templates written by hand include: the settings, the users of Redis and what each may do."""
    defaults = {name: value for name, value in settings.items() if name != "MOODSTREAM_PREFIX"}
    texts = {"settings": json.dumps(defaults), "users": json.dumps(USERS)}
    for server in SERVERS:
        text = acl(server).replace(PREFIX, "{{ .prefix }}")
        texts[f"acl.{server}"] = re.sub(r"HASH-OF-(\w+)\.", r"{{ .passwords.\1 | sha256sum }}", text)
    return "".join(f'{{{{- define "moodstream.{name}" -}}}}\n{text}{{{{ end }}}}\n' for name, text in texts.items())


if __name__ == "__main__":
    main(*sys.argv[1:])
