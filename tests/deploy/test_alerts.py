"""The alarms: each of them in Prometheus's own tester, and one in a real Prometheus that watches a service die."""

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.gateways import Gateway
from tests.support.needs import missing
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
CASES = Path(__file__).with_name("alerts_test.yml")


def rules() -> dict[str, Any]:
    return {rule["alert"]: rule for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]}


def program(name: str) -> str:
    return shutil.which(name) or missing(f"{name} (Debian's package prometheus)")


def test_each_alarm_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    for file in (ALERTS, CASES):
        shutil.copy(file, tmp_path / file.name)
    command = [program("promtool"), "test", "rules", str(tmp_path / CASES.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = yaml.safe_load(CASES.read_text())["tests"]
    fired = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one.get("exp_alerts")}
    assert fired == set(rules())


def test_the_docs_name_the_same_alarms() -> None:
    _, _, chapter = (ROOT / "docs" / "metrics.md").read_text().partition("## What to be woken up for")
    assert re.findall(r"^\| `(\w+)` \|", chapter.partition("\n## ")[0], re.MULTILINE) == list(rules())


def test_the_dashboard_takes_any_prometheus() -> None:
    """Ours by default, which is provisioned under this name; where it is imported, Grafana asks."""
    text = (ROOT / "deploy" / "grafana" / "dashboards" / "moodstream.json").read_text()
    [variable] = json.loads(text)["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    [ours] = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert variable["current"]["value"] == ours["uid"]
    assert set(re.findall(r'"uid": "(.*)"', text)) == {"moodstream", "${datasource}"}


@contextmanager
def prometheus(folder: Path, targets: Path) -> Iterator[Callable[[str], Any]]:
    """A real one with our rules, which looks every second and waits for none; gives what asks its API."""
    (folder / "alerts.yml").write_text(re.sub(r"for: \w+", "for: 1s", ALERTS.read_text()))
    discovery = {"job_name": "moodstream", "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [discovery],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={address}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", "--log.level=error"]
    process = subprocess.Popen(command)

    def ask(path: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://{address}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(timeout=20)


def eventually(check: Callable[[], Any], within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < end_s, "not in time"
        time.sleep(0.2)


def test_a_service_that_dies_is_an_alarm_although_its_name_vanishes(redis_url: str, tmp_path: Path) -> None:
    """In compose a container that has stopped is no longer among the addresses of its service."""
    targets, gateway = tmp_path / "targets.json", Gateway(redis_url)
    there = [{"targets": [f"127.0.0.1:{gateway.port}"], "labels": {"service": "gateway"}}]
    targets.write_text("[]")

    with prometheus(tmp_path, targets) as ask:

        def firing() -> list[str]:
            found = [one for one in (ask("alerts") or {"alerts": []})["alerts"] if one["state"] == "firing"]
            return [one["labels"].get("service") for one in found]

        with gateway.run():
            targets.write_text(json.dumps(there))
            eventually(lambda: (ask("query?query=up==1") or {"result": []})["result"])
            assert firing() == []
        targets.write_text("[]")
        eventually(lambda: not ask("query?query=up")["result"])
        eventually(lambda: firing() == ["gateway"])
