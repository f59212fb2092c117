"""The whole chain, as a person starts it: real processes, an embedded server, real input."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this machine's user: own folders, no settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    return clean | {"XDG_DATA_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}


def moodstream(
    *arguments: str, environment: dict[str, str], timeout_s: float = 180
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def run_once(camera: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    done = moodstream("run", "--camera", camera, "--auto", "--once", "--json", "--port", "0", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_reader_that_has_had_enough_ends_the_run(environment: dict[str, str]) -> None:
    """``moodstream run --json | head -1``"""
    command = [sys.executable, "-m", "services", "run", "--camera", "pattern:", "--auto", "--json", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as run:  # type: ignore[call-overload]
        assert json.loads(run.stdout.readline())["type"]
        run.stdout.close()
        assert run.wait(60) == 0
        said = run.stderr.read()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def changes(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["phase"], one["mood"]) for one in of(events, "MoodChanged") if one["reason"] == "change"]


def assert_chain(events: list[dict[str, Any]]) -> None:
    """Every offer has five songs and a pick, every pick its ranking, every ranking its play, on one trace."""
    offers, picks = of(events, "SongsOffered"), of(events, "SongPicked")
    rankings = of(events, "SongsRanked")
    plays = [event for event in of(events, "PlaybackChanged") if event["song"]]
    assert offers
    assert [one["id"] for one in offers] == [one["offer_id"] for one in picks]
    assert len(offers) == len(picks) == len(rankings) == len(plays)
    for offer, pick, ranking, play in zip(offers, picks, rankings, plays, strict=True):
        assert len({song["id"] for song in offer["songs"]}) == 5
        assert pick["song_id"] in {song["id"] for song in offer["songs"]}
        assert ranking["picked"]["id"] == pick["song_id"]
        similarities = [one["similarity"] for one in ranking["ranking"]]
        assert similarities == sorted(similarities, reverse=True)
        assert play["state"] == "playing"
        assert play["song"]["id"] == ranking["play"][0]["id"] == ranking["ranking"][0]["song"]["id"]
        assert play["song"]["title"]
        assert play["song"]["artist"]
        assert {one["trace_id"] for one in (pick, ranking, play)} == {offer["trace_id"]}
        assert {one["session_id"] for one in (pick, ranking, play)} == {offer["session_id"]}


def test_the_drawn_face_goes_through_the_four_moods_and_leaves(environment: dict[str, str]) -> None:
    events = run_once("pattern:", environment)
    assert_chain(events)
    told = changes(events)
    assert told[0][0] == "start"
    assert told[-1] == ("end", "nobody")
    assert {"happy", "sad", "angry", "calm"} <= {mood for _, mood in told}
    assert len({one["session_id"] for one in of(events, "MoodChanged")}) == 1


def test_without_a_camera_simulated_visitors_pick_from_real_songs(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "services", "run", "--demo", "--json", "--port", "0", "--player", "log"]
    events: list[dict[str, Any]] = []
    mistyped = environment | {"MOODSTREAM_CAMRA": "webcam:0"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=mistyped, text=True, **pipes) as running:
        killer = threading.Timer(120, running.kill)
        killer.start()
        try:
            assert running.stdout is not None
            for line in running.stdout:
                events.append(json.loads(line))
                if events[-1]["type"] == "PlaybackChanged" and events[-1]["song"]:
                    break
        finally:
            running.terminate()
            _, log = running.communicate()
            killer.cancel()
    assert_chain(events)
    assert "MOODSTREAM_CAMRA is not a setting; did you mean MOODSTREAM_CAMERA?" in log
    [status] = [one for one in of(events, "StatusChanged") if one["service"] == "camera"]
    assert (status["state"], status["code"]) == ("online", "simulated")
    assert {one["model"] for one in of(events, "MoodChanged")} == {"simulated"}
    assert of(events, "SongPicked")[0]["by"] == "visitor"
    both = moodstream("run", "--demo", "--camera", "pattern:", environment=environment)
    assert both.returncode == 2


@pytest.mark.reference
def test_a_sad_and_then_smiling_woman(environment: dict[str, str], reference: Path) -> None:
    events = run_once(str(reference / "video" / "WolfgangLanger_Pexels.mp4"), environment)
    assert_chain(events)
    told = [mood for _, mood in changes(events)]
    assert "happy" in told
    assert told[-1] == "nobody"


@pytest.mark.reference
def test_a_man_who_leaves(environment: dict[str, str], reference: Path) -> None:
    events = run_once(str(reference / "video" / "face_noface.mov"), environment)
    assert next(phase for phase, _ in changes(events)) == "start"
    assert changes(events)[-1] == ("end", "nobody")


@pytest.mark.reference
def test_an_empty_room_has_no_mood(environment: dict[str, str], reference: Path) -> None:
    events = run_once(str(reference / "video" / "no_face.mp4"), environment)
    assert of(events, "MoodChanged") == []
    assert of(events, "SongsOffered") == []


@pytest.mark.reference
def test_reading_ten_photographs(environment: dict[str, str], reference: Path) -> None:
    labels = [line.split(",") for line in (reference / "frames" / "labels.csv").read_text().splitlines()[1:]]
    single = [str(reference / "frames" / name) for name, faces, *_ in labels if faces and float(faces) == 1][::12][:10]
    done = moodstream("read", *single, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["file"] for one in results] == single
    assert sum(len(one["faces"]) >= 1 for one in results) >= 9
    for face in (face for one in results for face in one["faces"]):
        assert set(face) == {"box", "mood", "confidence", "probabilities", "refused"}
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)


@contextlib.contextmanager
def run_of_the_drawn_face(environment: dict[str, str]) -> Iterator[str]:
    """The address of the page of a ``moodstream run``."""
    command = [sys.executable, "-m", "services", "run", "--camera", "pattern:", "--auto", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(f"{address}/health/ready") as answer:  # it is told once the page answers
            assert answer.status == 200
        try:
            yield address
        finally:
            process.terminate()
            assert process.wait(timeout=15) == 0


@pytest.fixture
def running(environment: dict[str, str]) -> Iterator[str]:
    with run_of_the_drawn_face(environment) as address:
        yield address


def test_a_listener_ends_with_the_run_that_it_listens_to(environment: dict[str, str]) -> None:
    listen = [sys.executable, "-m", "services", "listen", "--type", "all"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with run_of_the_drawn_face(environment):
        listener = subprocess.Popen(listen, cwd=ROOT, env=environment, **pipes)
        assert listener.stdout is not None
        assert listener.stdout.readline()
    try:
        _, said = listener.communicate(timeout=30)
    finally:
        listener.kill()
    assert listener.returncode == 1
    assert (
        said.splitlines()[-1]
        == "moodstream: the run that this command was reading from has ended, and its Redis with it"
    )


def test_a_run_answers_the_page_and_other_commands(running: str, environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{running}/health/ready", timeout=2) as answer:
                assert answer.status == 200
                break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    with urllib.request.urlopen(f"{running}/", timeout=5) as answer:
        assert b"<html" in answer.read()
    listen = [sys.executable, "-m", "services", "listen", "--json"]
    with subprocess.Popen(listen, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert json.loads(listener.stdout.readline())["type"] == "MoodChanged"
        listener.terminate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--camera", "no/such/film.mp4", "--port", "0"], "no/such/film.mp4"),
        (["run", "--camera", "README.md", "--port", "0"], "README.md"),
        (["songs", "import", "no/such.csv"], "no/such.csv"),
        (["songs", "import", "README.md"], "README.md"),
        (["songs", "similar", "no such song"], "no such song"),
        (["listen"], "moodstream run"),
        (["dead", "list"], "moodstream run"),
    ],
)
def test_bad_input_is_one_line_and_1(arguments: list[str], words: str, environment: dict[str, str]) -> None:
    done = moodstream(*arguments, environment=environment, timeout_s=60)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("moodstream: ")
    assert words in line


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("MOODSTREAM_MODEL", "no/such.onnx", "no/such.onnx"),
        ("MOODSTREAM_MODEL", "README.md", "README.md"),
        ("MOODSTREAM_CATALOGUE", "README.md", "README.md"),
        ("MOODSTREAM_PLAYER", "gramophone", "MOODSTREAM_PLAYER"),
        ("MOODSTREAM_FRAME_RATE", "fast", "MOODSTREAM_FRAME_RATE"),
    ],
)
def test_a_bad_setting_is_one_line_and_1(setting: str, value: str, words: str, environment: dict[str, str]) -> None:
    done = moodstream(
        "run", "--camera", "pattern:", "--port", "0", environment=environment | {setting: value}, timeout_s=60
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("moodstream: ")
    assert words in line
    assert "http" not in done.stdout  # no page is promised


def test_reading_what_is_no_picture_is_told_and_the_rest_is_read(environment: dict[str, str], tmp_path: Path) -> None:
    from tests.support.pictures import encoded, noise

    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    (tmp_path / "good.jpg").write_bytes(encoded(noise()))
    files = [str(tmp_path / name) for name in ("none.jpg", "empty.jpg", "page.jpg", "good.jpg")]
    done = moodstream("read", *files, "--json", environment=environment)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [one["file"] for one in results] == files
    assert [one["error"] is None for one in results] == [False, False, False, True]
    assert "Traceback" not in done.stderr


def test_a_listener_without_redis_is_one_line_and_1(environment: dict[str, str]) -> None:
    done = moodstream("listen", environment=environment | {"MOODSTREAM_REDIS_URL": "redis://127.0.0.1:9"})
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "Redis does not answer" in line


def test_doctor_tells_each_part(environment: dict[str, str]) -> None:
    done = moodstream("doctor", "--json", environment=environment)
    parts = {one["part"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"Redis", "network", "catalogue", "player", "webcam"} <= set(parts)
    broken = moodstream("doctor", environment=environment | {"MOODSTREAM_MODEL": "no/such.onnx"})
    assert broken.returncode == 1
    assert "no/such.onnx" in broken.stdout


def test_wrong_use_is_2(environment: dict[str, str]) -> None:
    assert moodstream("dance", environment=environment).returncode == 2
