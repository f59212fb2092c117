"""Workers share the frames; one of them tracks; killing it loses no session. Real processes."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from typing import Any
from uuid import uuid5

from pydantic import JsonValue

from moodstream.contracts.events import (
    NAMESPACE,
    FaceRead,
    FacesRead,
    MoodChanged,
    Probabilities,
    RequestMade,
    StatusChanged,
    expiry,
    utc_now,
)
from moodstream.contracts.moods import MOODS, Mood
from services.cli.redis_client import connected
from tests.support.emotion.workers import events, listening, put, send_frames, until, worker
from tests.support.ports import free_port


def reading(seq: int, mood: Mood | None) -> FacesRead:
    shares = Probabilities(**{str(one): 0.85 if one == mood else 0.05 for one in MOODS})
    faces = (FaceRead(box=(0, 0, 90, 90), mood=mood, confidence=0.85, probabilities=shares),) if mood else ()
    return FacesRead(
        id=str(uuid5(NAMESPACE, str(seq))),
        camera_id="c",
        run_id="1",
        seq=seq,
        captured_at=utc_now(),
        faces=faces,
        model="m",
    )


def test_two_workers_share_the_frames_and_each_frame_is_read_once(redis_url: str) -> None:
    with connected(redis_url) as client, worker(redis_url), worker(redis_url):
        until(lambda: client.exists("mood:frames") and len(client.xinfo_groups("mood:frames")) == 1)
        until(lambda: len(client.xinfo_consumers("mood:frames", "emotion")) == 2)
        send_frames(client, 40)
        until(lambda: len(events(client, FacesRead)) == 40)
        assert sorted(one.seq for one in events(client, FacesRead)) == list(range(40))
        assert len({one.id for one in events(client, FacesRead)}) == 40


def test_what_was_refused_is_counted_where_prometheus_looks(redis_url: str) -> None:
    port = free_port()
    with connected(redis_url) as client, worker(redis_url, port):
        until(lambda: listening(client, 1))
        send_frames(client, 3)
        until(lambda: len(events(client, FacesRead)) == 3)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    read = sum(float(value) for name, value in values.items() if name.startswith("moodstream_frames_read_total"))
    assert read == 3
    assert float(values["moodstream_reading_age_seconds_count"]) == 3
    assert 'moodstream_faces_unread_total{reason="too dark"}' in values


def told(client: Any) -> list[MoodChanged]:
    return [one for one in events(client, MoodChanged) if one.reason == "change"]


def test_a_killed_tracker_is_replaced_within_three_seconds_and_the_session_goes_on(redis_url: str) -> None:
    with connected(redis_url) as client, worker(redis_url) as first, worker(redis_url) as second:
        until(lambda: listening(client, 2))
        time.sleep(0.5)
        for seq in range(20):
            put(client, reading(seq, Mood.SAD))
            time.sleep(0.1)
        until(lambda: told(client))
        holder = client.get("mood:lease:tracker:c")
        holding, other = (first, second) if holder.endswith(f"-{first.pid}".encode()) else (second, first)
        holding.kill()
        killed = utc_now()
        for seq in range(20, 60):
            put(client, reading(seq, Mood.HAPPY))
            time.sleep(0.1)
        until(lambda: len(told(client)) == 2)
        assert client.get("mood:lease:tracker:c").endswith(f"-{other.pid}".encode())
        start, change = told(client)
    assert [(one.phase, one.mood) for one in (start, change)] == [("start", Mood.SAD), ("update", Mood.HAPPY)]
    assert start.session_id == change.session_id
    assert (change.at - killed).total_seconds() < 3.5  # the lease's three seconds, and the mood's own half


def test_a_worker_that_was_stopped_for_a_while_says_nothing_when_it_comes_back(redis_url: str) -> None:
    with connected(redis_url) as client, worker(redis_url) as first, worker(redis_url) as second:
        until(lambda: listening(client, 2))
        time.sleep(0.5)
        put(client, reading(0, Mood.SAD))
        until(lambda: client.get("mood:lease:tracker:c"))
        holder = client.get("mood:lease:tracker:c")
        holding = next(one for one in (first, second) if holder.endswith(f"-{one.pid}".encode()))
        holding.send_signal(signal.SIGSTOP)
        for seq in range(1, 75):
            if seq == 40:
                holding.send_signal(signal.SIGCONT)
            put(client, reading(seq, Mood.SAD if seq < 50 else Mood.HAPPY))
            time.sleep(0.1)
        until(lambda: len(told(client)) == 2)
        time.sleep(0.5)
        ids = [one.id for one in events(client, MoodChanged)]
        assert len(ids) == len(set(ids))
        assert [(one.phase, one.mood) for one in told(client)] == [("start", Mood.SAD), ("update", Mood.HAPPY)]
        assert len({one.session_id for one in events(client, MoodChanged)}) == 1


def test_a_tracker_that_takes_over_opens_no_session_again_that_has_ended(redis_url: str) -> None:
    """The one before ended it by itself, since nobody came any more, and was killed before it kept its place."""
    with connected(redis_url) as client:
        with worker(redis_url) as first:
            until(lambda: listening(client, 1))
            time.sleep(0.5)
            put(client, reading(0, Mood.SAD))
            until(lambda: client.get("mood:tracker:place:c"))
            early = client.get("mood:tracker:place:c")
            for seq in range(1, 15):
                put(client, reading(seq, Mood.SAD))
                time.sleep(0.1)
            until(lambda: any(one.phase == "end" for one in events(client, MoodChanged)))
            first.kill()
            client.set("mood:tracker:place:c", early)
            before = len(events(client, MoodChanged))
        with worker(redis_url):
            put(client, reading(15, None))
            until(lambda: client.get("mood:tracker:place:c") != early)
            assert len(events(client, MoodChanged)) == before


def ask(client: Any, kind: str, **body: JsonValue) -> None:
    put(client, RequestMade(kind=kind, body={"camera_id": "c", **body}, expires_at=expiry(RequestMade)))


def test_a_tracker_that_takes_over_goes_on_with_the_newest_session_though_an_older_event_came_again(
    redis_url: str,
) -> None:
    with connected(redis_url) as client:
        with worker(redis_url) as first:
            until(lambda: listening(client, 1))
            time.sleep(0.5)
            ask(client, "mood.choose", mood="sad")
            until(lambda: len(events(client, MoodChanged)) == 1)
            ask(client, "session.end")
            until(lambda: len(events(client, MoodChanged)) == 2)
            ask(client, "mood.choose", mood="calm")
            until(lambda: len(events(client, MoodChanged)) == 3)
            first.kill()
        old, _, still_open = events(client, MoodChanged)
        put(client, old)
        with worker(redis_url) as current:
            until(lambda: listening(client, 1))
            until(lambda: client.get("mood:lease:tracker:c").split()[-1].endswith(b"-%d" % current.pid))
            ask(client, "session.end")
            until(lambda: events(client, MoodChanged)[-1].phase == "end")
        assert events(client, MoodChanged)[-1].session_id == still_open.session_id != old.session_id


def test_a_mood_by_hand_opens_a_session_and_the_end_of_input_ends_it(redis_url: str) -> None:
    with connected(redis_url) as client, worker(redis_url):
        until(lambda: listening(client, 1))
        time.sleep(0.5)
        body: dict[str, JsonValue] = {"camera_id": "c", "mood": "calm"}
        put(client, RequestMade(kind="mood.choose", body=body, expires_at=utc_now() + timedelta(seconds=5)))
        put(
            client,
            RequestMade(kind="mood.choose", body={"camera_id": "c", "mood": "wild"}, expires_at=expiry(RequestMade)),
        )
        until(lambda: events(client, MoodChanged))
        put(client, StatusChanged(service="camera", part="c", state="offline", code="end_of_input"))
        until(lambda: len(events(client, MoodChanged)) == 2)
        start, end = events(client, MoodChanged)
    assert (start.phase, start.reason, start.mood) == ("start", "forced", Mood.CALM)
    assert (end.phase, end.mood, end.session_id) == ("end", Mood.NOBODY, start.session_id)


HUNG = """
import sys
from services.emotion import handlers, metrics
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.settings import Settings, load

class Hangs:
    model_name = "none"
    def read_frame(self, *_):
        import time
        time.sleep(60)

def create():
    settings = load(Settings)
    bus = create_bus(settings)
    return settings, bus, Service("emotion", handlers.create_router(bus, Hangs(), 60_000, metrics.Metrics()))

sys.exit(run_service(create))
"""


def test_a_reading_that_never_ends_ends_the_process_with_70_within_ten_seconds(redis_url: str) -> None:
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_PORT": "0"}
    with (
        connected(redis_url) as client,
        subprocess.Popen([sys.executable, "-c", HUNG], env=environment, stderr=subprocess.PIPE, text=True) as process,
    ):
        try:
            until(lambda: client.exists("mood:frames"))
            send_frames(client, 1)
            start_s = time.monotonic()
            assert process.wait(timeout=20) == 70
            assert time.monotonic() - start_s <= 10
        finally:
            process.kill()
        assert process.stderr is not None
        assert "has taken 8 s" in process.stderr.read()
