"""The kiosk appliance, as far as it goes without a screen: its files, units and scripts."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from shared.app import systemd
from tests.support.needs import missing
from tests.support.page.site import TOKEN, site

ROOT = Path(__file__).parents[2]
APPLIANCE = ROOT / "deploy/appliance"
UNITS = ("moodstream.service", "moodstream-kiosk.service", "moodstream-update.service", "moodstream-update.timer")


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | environment, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Another / with all files of the appliance in it, and something in the place of every program."""
    if shutil.which("systemd-analyze") is None:
        missing("Debian's systemd")
    done = run(str(APPLIANCE / "install"), "--files", ROOT=str(tmp_path))
    assert done.returncode == 0, done.stderr
    for program in (
        "usr/bin/cage",
        "opt/moodstream/current/bin/moodstream",
        "opt/moodstream/source/deploy/appliance/update",
    ):
        place = tmp_path / program
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", place)
    shutil.copytree("/lib/systemd/system", tmp_path / "lib/systemd/system", symlinks=True)
    return tmp_path


def test_systemd_understands_every_line_of_the_units(root: Path) -> None:
    done = run("systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", *UNITS)
    said = [line for line in done.stderr.splitlines() if any(unit in line for unit in UNITS)]
    assert said == []
    assert done.returncode == 0, done.stderr
    unit = root / "etc/systemd/system/moodstream.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSecs=60"))
    broken = run("systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", *UNITS)
    assert "WatchdogSecs" in broken.stderr


@pytest.mark.parametrize(("unit", "exposed"), [("moodstream.service", 20), ("moodstream-kiosk.service", 60)])
def test_the_services_are_hardened(root: Path, unit: str, exposed: int) -> None:
    """``exposed`` is ten times what systemd calls the exposure level: 0 is best, 100 is a service without any line."""
    done = run("systemd-analyze", "security", "--offline=yes", f"--root={root}", f"--threshold={exposed}", unit)
    assert done.returncode == 0, done.stdout[-300:]


def test_the_timer_comes_at_a_time_that_there_is() -> None:
    [when] = [
        line.partition("=")[2]
        for line in (APPLIANCE / "moodstream-update.timer").read_text().splitlines()
        if line.startswith("OnCalendar=")
    ]
    assert run("systemd-analyze", "calendar", when).returncode == 0


def test_own_settings_survive_a_second_installation(tmp_path: Path) -> None:
    for _ in range(2):
        assert run(str(APPLIANCE / "install"), "--files", ROOT=str(tmp_path)).returncode == 0
        settings = tmp_path / "etc/moodstream/moodstream.env"
        assert settings.stat().st_mode & 0o077 == 0, "it may hold passwords"
        settings.write_text("MOODSTREAM_CAMERA=webcam:0\n")
    assert run(str(APPLIANCE / "install"), "--files", ROOT=str(tmp_path)).returncode == 0
    assert settings.read_text() == "MOODSTREAM_CAMERA=webcam:0\n"
    policy = json.loads((tmp_path / "etc/chromium/policies/managed/moodstream.json").read_text())
    assert policy["URLBlocklist"] == ["*"]


@pytest.mark.parametrize("script", ["install", "update", "kiosk", "lib.sh"])
def test_the_scripts_are_plain_shell(script: str) -> None:
    text = (APPLIANCE / script).read_text()
    done = subprocess.run(["dash", "-n"], input=text, capture_output=True, text=True, timeout=20)
    assert done.stderr == ""


def test_wrong_use_is_told() -> None:
    done = run(str(APPLIANCE / "install"), "--head")
    assert (done.returncode, done.stderr) == (1, "moodstream: wrong use: install [--headless | --files]\n")


@pytest.fixture
def page() -> Iterator[str]:
    """Not ready the first time it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(503 if len(asked) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_browser_starts_when_the_page_is_ready_and_keeps_nothing(page: str, tmp_path: Path) -> None:
    browser = tmp_path / "bin/chromium"
    browser.parent.mkdir()
    browser.write_text('#!/bin/sh\necho "$@"\nls -d "$XDG_RUNTIME_DIR"/moodstream-kiosk/* 2>/dev/null || true\n')
    browser.chmod(0o755)
    old = tmp_path / "moodstream-kiosk/visitor"
    old.parent.mkdir()
    old.touch()
    path = f"{browser.parent}:{os.environ['PATH']}"
    done = run(str(APPLIANCE / "kiosk"), PATH=path, MOODSTREAM_PAGE=page, XDG_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    [arguments] = done.stdout.splitlines()
    assert f"--kiosk {page}/" in arguments
    assert f"--user-data-dir={tmp_path}/moodstream-kiosk" in arguments
    assert "--no-sandbox" not in arguments
    assert not old.exists()


def test_no_page_is_told(tmp_path: Path) -> None:
    (tmp_path / "chromium").symlink_to("/bin/true")
    path = f"{tmp_path}:{os.environ['PATH']}"
    nobody = {"MOODSTREAM_PAGE": "http://127.0.0.1:9", "MOODSTREAM_KIOSK_WAIT": "1", "PATH": path}
    done = run(str(APPLIANCE / "kiosk"), **nobody)
    assert (done.returncode, done.stderr) == (1, "nothing answers at http://127.0.0.1:9\n")


def test_systemd_hears_that_the_service_is_ready_and_lives(tmp_path: Path, redis_url: str) -> None:
    """The real service, told of a socket as systemd tells it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(90)
        environment = os.environ | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "MOODSTREAM_REDIS_URL": redis_url,
            "MOODSTREAM_PORT": "0",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway.main"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        try:
            heard = [listener.recv(100).decode() for _ in range(4)]
        finally:
            process.kill()
            process.wait()
    assert heard[0] == systemd.READY
    assert set(heard[1:]) == {systemd.ALIVE}


def test_what_was_counted_and_what_happened_outlive_a_restart(tmp_path: Path) -> None:
    """What the unit starts, in another folder than the appliance's."""
    lines = (APPLIANCE / "moodstream.service").read_text().replace("/var/lib/moodstream", str(tmp_path)).splitlines()
    [started] = [line.removeprefix("ExecStart=").split() for line in lines if line.startswith("ExecStart=")]
    assert started[1] == "run"
    for times in (1, 2):
        with (
            site(tmp_path, *started[2:], MOODSTREAM_CAMERA="pattern:") as running,
            httpx.Client(base_url=f"{running.url}/api/v1", auth=("op", TOKEN), timeout=30) as operator,
        ):
            assert operator.post("/consents", json={"choice": "declined"}).status_code == 204
            assert operator.get("/operator/status").json()["result"]["consents"][0]["declined"] == times
            chosen = operator.post("/moods", json={"mood": "calm", "camera_id": f"hand-0-{times}"})
            assert chosen.status_code == 200
            wait_for_visits(operator, {"hand-0-1", f"hand-0-{times}"})


def wait_for_visits(operator: httpx.Client, places: set[str]) -> None:
    """Until the gateway tells of visits at these places, of now and of before."""
    deadline = time.monotonic() + 20
    while not places <= {visit["camera_id"] for visit in operator.get("/sessions").json()["sessions"]}:
        assert time.monotonic() < deadline, places
        time.sleep(0.1)


def test_nothing_is_said_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    systemd.notify(systemd.READY)


class Installed:
    """An appliance whose release v1 runs, in a root of its own; the programs of the system are stubs."""

    def __init__(self, root: Path) -> None:
        self.root, self.source = root, root / "opt/moodstream/source"
        self.stubs = root / "stubs"
        self.before = root / "opt/moodstream/releases/v1"
        for folder in (self.source, self.stubs, self.before):
            folder.mkdir(parents=True)
        shutil.copytree(APPLIANCE, self.source / "deploy/appliance")
        shutil.copy(ROOT / ".env.example", self.source)
        self.stub("systemctl", f'echo "$@" >>{root}/asked')
        self.stub("sleep", "")
        self.stub("python3", 'mkdir -p "$3/bin"; for one in pip moodstream; do cp "$0.end" "$3/bin/$one"; done')
        self.stub("python3.end", "")
        self.stub("curl", "")
        (root / "opt/moodstream/current").symlink_to(self.before)
        self.git("init", "--quiet")
        self.signers = root / "etc/moodstream/release-signers"
        self.signers.parent.mkdir(parents=True)
        self.trust(self.key("maker"))
        self.release("v1.9.0", "maker")
        (self.source / "deploy/appliance/moodstream.service").write_text("# of v2\n")
        self.release("v1.10.0", "maker")
        self.git("checkout", "--quiet", "v1.9.0")

    def key(self, name: str) -> str:
        """The public half of a new key."""
        file = self.root / name
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file))
        return file.with_suffix(".pub").read_text()

    def trust(self, public: str) -> None:
        self.signers.write_text(f"t@example.org {public}")

    def stub(self, name: str, body: str) -> None:
        (self.stubs / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.stubs / name).chmod(0o755)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        done = run("git", *who, "-C", str(self.source), *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def release(self, name: str, key: str | None) -> None:
        """A commit and its tag, signed with a key or not at all."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", name)
        self.sign(name, key)

    def sign(self, name: str, key: str | None) -> None:
        how = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={self.root / key}") if key else ()
        self.git(*how, "tag", "--force", "--message", name, *(["--sign"] if key else ["--no-sign"]), name)

    def update(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        path = f"{self.stubs}:{os.environ['PATH']}"
        return run(str(self.source / "deploy/appliance/update"), *arguments, ROOT=str(self.root), PATH=path)

    @property
    def runs(self) -> str:
        return (self.root / "opt/moodstream/current").resolve().name

    @property
    def unit(self) -> str:
        return (self.root / "etc/systemd/system/moodstream.service").read_text()


def test_an_update_takes_the_newest_release_and_the_next_one_has_nothing_to_do(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    done = installed.update()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("moodstream: v1.10.0 runs\n")
    assert (installed.runs, installed.unit) == ("v1.10.0", "# of v2\n")
    assert (tmp_path / "asked").read_text().splitlines()[:2] == ["daemon-reload", "restart moodstream.service"]
    assert installed.before.exists(), "the one before stays, to go back to by hand"
    assert installed.update().stdout == "moodstream: v1.10.0 is the newest\n"


@pytest.mark.parametrize(("program", "body"), [("curl", "exit 22"), ("python3.end", "exit 1")])
def test_an_update_that_cannot_be_made_or_does_not_come_up_goes_back(tmp_path: Path, program: str, body: str) -> None:
    installed = Installed(tmp_path)
    installed.stub(program, body)
    done = installed.update()
    assert done.returncode == 1
    assert done.stderr.endswith("v1.10.0 does not come up; the release before runs again\n")
    assert installed.runs == "v1"
    assert installed.unit == (APPLIANCE / "moodstream.service").read_text()
    assert installed.git("describe", "--tags") == "v1.9.0"


@pytest.mark.parametrize("way", ["unsigned", "of a stranger", "light", "an old one under a new name"])
def test_an_update_leaves_out_what_nobody_trusted_has_signed(tmp_path: Path, way: str) -> None:
    installed = Installed(tmp_path)
    installed.git("checkout", "--quiet", "v1.10.0")
    installed.key("stranger")
    if way == "an old one under a new name":
        installed.git("update-ref", "refs/tags/v2.0.0", "refs/tags/v1.9.0")
    elif way == "light":
        installed.release("v2.0.0", "maker")
        installed.git("update-ref", "refs/tags/v2.0.0", "refs/tags/v2.0.0^{commit}")
    else:
        installed.release("v2.0.0", "stranger" if way == "of a stranger" else None)
    installed.git("checkout", "--quiet", "v1.9.0")
    done = installed.update()
    assert done.returncode == 0, done.stderr
    assert "v2.0.0 is not signed" in done.stderr
    assert done.stdout.endswith("v1.10.0 runs\n")


def test_without_anybody_to_trust_nothing_is_updated_but_a_named_commit(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.signers.unlink()
    done = installed.update()
    assert (done.returncode, installed.runs) == (1, "v1")
    assert "release-signers names nobody" in done.stderr
    installed.trust(installed.key("other"))
    assert "no release is signed" in installed.update().stderr
    assert "whole hash" in installed.update("v1.10.0").stderr
    commit = installed.git("rev-parse", "v1.10.0^{commit}")
    assert installed.update(commit).returncode == 0
    assert installed.runs == commit


def test_an_update_never_goes_back(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.git("checkout", "--quiet", "v1.10.0")
    installed.git("commit", "--quiet", "--allow-empty", "--message", "later work")
    assert installed.update().stdout == "moodstream: v1.10.0 is older than what runs\n"
    assert installed.runs == "v1"
