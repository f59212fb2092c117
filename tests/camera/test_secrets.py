"""Passwords of cameras: not in logs, events, metrics, answers, arguments or the environment of a capture process."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from redis import Redis

from tests.support.cameras import children
from tests.support.needs import ROOT
from tests.support.servers.mjpeg_server import MjpegServer

SECRET = "hunter2"


def environment(redis_url: str, cameras: list[dict[str, object]]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    return clean | {
        "MOODSTREAM_REDIS_URL": redis_url,
        "MOODSTREAM_CAMERAS": json.dumps(cameras),
        "MOODSTREAM_LOG_LEVEL": "DEBUG",
    }


def told_by_system(pid: int) -> str:
    """What every program may read of a capture process; nothing before it runs and after it has ended."""
    try:
        command, *others = (
            Path(f"/proc/{pid}/{what}").read_text(errors="replace") for what in ("cmdline", "environ", "comm")
        )
    except OSError:
        return ""
    return command + "".join(others) if "services.camera.capture.worker" in command else ""


def test_no_password_leaves_the_service(redis_url: str) -> None:
    server = MjpegServer(password=SECRET)
    good = server.address.replace("http://", f"http://user:{SECRET}@") + f"?token={SECRET}"
    cameras: list[dict[str, object]] = [
        {"id": "good", "address": good},
        {"id": "away", "address": f"rtsp://user:{SECRET}@127.0.0.1:9/user=admin_password={SECRET}_channel=1"},
        {"id": "wrong", "address": server.address.replace("http://", f"http://user:{SECRET}x@")},
        {"id": "odd", "address": f"https://user:{SECRET}@127.0.0.1:9/video?pwd={SECRET}"},
    ]
    command = [sys.executable, "-m", "services.camera.main"]
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environment(redis_url, cameras), stderr=subprocess.PIPE, text=True
        ) as process,
        Redis.from_url(redis_url) as client,
    ):
        assert process.stderr is not None
        page = next(word for line in process.stderr for word in line.split() if word.startswith("http://"))
        seen, deadline = "", time.monotonic() + 20
        while not client.exists("mood:frames") or client.xlen("mood:status") < 4:
            assert time.monotonic() < deadline, client.xrange("mood:status")
            time.sleep(0.1)
            for pid in children(process.pid):
                seen += told_by_system(pid)
        assert "services.camera.capture.worker" in seen
        with urllib.request.urlopen(f"{page}/metrics", timeout=5) as answer:
            seen += answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        seen += process.stderr.read()
        for stream in client.scan_iter(_type="stream"):
            if stream != b"mood:frames":
                seen += str(client.xrange(stream))
        seen += str([fields[b"__data__"][:600] for _, fields in client.xrange("mood:frames")])
    server.end()
    assert 'camera="away"' in seen
    assert "cannot open" in seen
    assert SECRET not in seen
    assert any(SECRET in path for path in server.paths), "the camera itself is told, of course"


def test_camera_list_and_test_show_no_password(redis_url: str) -> None:
    address = f"rtsp://user:{SECRET}@127.0.0.1:9/x?token={SECRET}"
    for what in ("list", "test"):
        done = subprocess.run(
            [sys.executable, "-m", "services", "camera", what],
            cwd=ROOT,
            env=environment(redis_url, [{"id": "one", "address": address}]),
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == (what == "test")
        assert "rtsp://127.0.0.1:9/x?token=***" in done.stdout
        assert SECRET not in done.stdout + done.stderr
