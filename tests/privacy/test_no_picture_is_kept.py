"""No picture and no sound leaves its stream: proved on the whole chain, whose every file is watched by strace."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from services.cli.redis_client import connected
from tests.support.needs import missing
from tests.support.page.site import TOKEN
from tests.support.pictures import encoded, noise
from tests.support.voices import babble, wav

ROOT = Path(__file__).parents[2]
MARKS = (b"\xff\xd8\xff", b"\x89PNG", b"/9j/", b"iVBORw0KGgo")
"""How a JPEG and a PNG begin, as they are and in base64."""

VIEWED = 3
"""Pictures of the view for mounting that are looked at meanwhile."""

WRITABLE = re.compile(r"(?:O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|creat\().* = \d+<([^>]+)>")
"""A successful call that may write, and the file that the kernel opened for it."""

HARMLESS = ("/dev/null", "/dev/shm/sem.", "/proc/")
"""No files, semaphores of multiprocessing, and the kernel's own."""


SPOKEN = wav(np.concatenate([np.zeros(4_000, np.float32), babble(1.5), np.zeros(4_000, np.float32)]))
PART = 48
"""Bytes of the sound in a row that are enough to know it again."""
SAID = [SPOKEN[at : at + PART] for at in range(12_000, 40_000, 4_000)]
SAID += [base64.b64encode(one)[4:-4] for start in range(3) for one in (SPOKEN[12_000 + start : 12_000 + start + PART],)]


def holds_picture(content: bytes) -> bool:
    """Or what somebody has said."""
    return any(mark in content for mark in (*MARKS, *SAID))


def test_the_marks_are_those_of_pictures() -> None:
    for kind in (".jpg", ".png"):
        picture = encoded(noise(40, 40), kind)
        assert holds_picture(b"x" + picture)
        assert holds_picture(base64.b64encode(picture))
    assert holds_picture(b"x" + SPOKEN)
    assert all(holds_picture(base64.b64encode(b"x" * begun + SPOKEN)) for begun in range(3))
    assert not holds_picture(json.dumps({"mood": "happy", "box": [1, 2, 3, 4]}).encode())


def test_nothing_seen_or_said_is_in_any_file_or_other_stream_and_nothing_of_a_visit_stays(tmp_path: Path) -> None:
    if not shutil.which("strace"):
        missing("strace")
    trace, printed, errors = (tmp_path / name for name in ("trace", "printed", "errors"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    environment |= {"MOODSTREAM_OPERATOR_TOKEN": TOKEN, "MOODSTREAM_PREVIEW": "picture", "MOODSTREAM_VOICE": "free"}
    environment |= dict.fromkeys(("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "TMPDIR"), str(tmp_path))
    watch = ["strace", "--follow-forks", "--seccomp-bpf", "--decode-fds=path", f"--output={trace}"]
    watch += ["--output-separately"]  # in one file, a call that another interrupts stands on two lines
    watch += ["--trace=open,openat,openat2,creat,memfd_create,mknod,mknodat"]
    run = [sys.executable, "-m", "services", "run", "--camera", "pattern:quick", "--auto", "--json", "--port", "0"]
    with errors.open("wb") as err:
        chain = subprocess.Popen(
            [*watch, *run, "--data", str(tmp_path / "data")],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=err,
            start_new_session=True,
        )
    try:
        assert chain.stdout is not None
        lines, pictures, sounds = [], 0, 0.0
        for line in until_somebody_has_left(chain.stdout):
            lines.append(line)
            if json.loads(line).get("type") == "MoodChanged" and pictures < VIEWED:
                page = json.loads((tmp_path / "moodstream.json").read_text())["page"]
                pictures += look_through_the_camera(page)
                sounds = say_something(page)
        assert pictures >= VIEWED, "the view for mounting has shown nothing"
        assert sounds > 0, "no voice was heard"
        printed.write_bytes(b"".join(lines))
        time.sleep(1)
        with connected(json.loads((tmp_path / "moodstream.json").read_text())["redis_url"]) as client:
            assert_nothing_stays(client, json.loads(lines[-1])["session_id"])
    finally:
        os.killpg(chain.pid, signal.SIGTERM)
        chain.communicate(timeout=30)
    assert {"happy", "sad"} <= {json.loads(line).get("mood") for line in lines}, "nobody was seen"
    assert_no_file_holds_a_picture(trace, tmp_path)


def look_through_the_camera(page: str) -> int:
    """Look for up to three seconds as the operator does, and stop; how many pictures there were."""
    seen, deadline = 0, time.monotonic() + 3
    with httpx.Client(base_url=f"{page}/api/v1/operator", headers={"Authorization": f"Bearer {TOKEN}"}) as operator:
        assert operator.post("/view", json={"camera_id": "camera-1"}).is_success
        while seen < VIEWED and time.monotonic() < deadline:
            seen += operator.get("/view").json()["result"]["picture"] is not None
            time.sleep(0.1)
        assert operator.delete("/view").is_success
        assert operator.get("/view").json()["result"] == {"view": None, "picture": None}
    return seen


def say_something(page: str) -> float:
    """As the page of somebody does who stands before no camera; how many sounds with speech were read."""
    read = re.compile(r'^moodstream_sounds_read_total\{outcome="(?:mood|unsure)"\} ([\d.]+)$', re.MULTILINE)
    with httpx.Client(base_url=page) as visitor:
        for _ in range(3):
            assert visitor.post("/api/v1/voices", params={"camera_id": "hand-9-9"}, content=SPOKEN).status_code == 202
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                if count := sum(map(float, read.findall(visitor.get("/metrics").text))):
                    return count
                time.sleep(0.1)
    return 0.0


def until_somebody_has_left(lines: Iterable[bytes]) -> Iterable[bytes]:
    """The events up to the end of the first visit."""
    deadline = time.monotonic() + 150
    for line in lines:
        yield line
        event = json.loads(line)
        if event["type"] == "MoodChanged" and event["phase"] == "end" and event["camera_id"] == "camera-1":
            return
        assert time.monotonic() < deadline
    raise AssertionError("it ended before anybody had left")


def assert_nothing_stays(client: Any, session: str) -> None:
    """No key of the visit, and of what is kept in the data folder nothing is a picture."""
    keys = list(client.scan_iter())
    assert b"mood:moods" in keys
    assert not [key for key in keys if session.encode() in key]
    assert {b"mood:frames", b"mood:sounds"}.isdisjoint(keys)
    assert not [key for key in keys if b"view" in key]
    assert [key for key in keys if holds_picture(client.dump(key))] == []


def assert_no_file_holds_a_picture(trace: Path, folder: Path) -> None:
    traces = trace.parent.glob(f"{trace.name}.*")
    calls = [call for one in traces for call in one.read_text(errors="replace").splitlines()]
    assert not [call for call in calls if "memfd_create(" in call or "mknod" in call]
    opened = {found[1].removesuffix("(deleted)") for call in calls if (found := WRITABLE.search(call))}
    written = {Path(path) for path in opened if not path.startswith(HARMLESS)}
    assert any(path.name.startswith("appendonly.aof") for path in written), "strace saw nothing of the server"
    assert [path for path in written if folder not in path.parents] == []
    # what is gone again nobody could look into
    assert [path for path in written if not path.exists() and not may_go(path)] == []
    assert [path for path in folder.rglob("*") if path.is_file() and holds_picture(path.read_bytes())] == []


def may_go(path: Path) -> bool:
    """What is replaced or ends with the run, and why it can hold no picture."""
    return (
        path.name == "redis.log"  # of the servers, which log no commands
        or path.name.startswith(
            ("moodstream.", ".moodstream.json.", ".catalogue.parquet.", "temp-")
        )  # address, songs, the servers' renames
        or re.fullmatch(r"\w{8}", path.name) is not None  # tempfile's own trial whether a folder can be written
    )
