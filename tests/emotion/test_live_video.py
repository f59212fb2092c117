"""A live video through two worker processes, of which the one that tracks is killed: the moods stay steady."""

import asyncio
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import pytest

from moodstream.contracts.events import FacesRead, FrameCaptured, MoodChanged, utc_now
from moodstream.contracts.moods import Mood
from services.cli.redis_client import connected
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.support.emotion.workers import events, listening, until, worker

VIDEO, RATE = "face_noface.mov", 12
TAKEOVER_S, SLACK_S = 3.0, 0.5
TIMES, KILL_AT_S = 3, 1.2
"""The video is shown so often, and a worker killed so long after its second beginning: while he turns to a smile."""
EXPECTED = json.loads((Path(__file__).parent / "expectations.json").read_text())[VIDEO]["moods"]


def pictures(video: Path) -> list[bytes]:
    """JPEGs of 640 pixels width, so many a second as a camera would send."""
    capture, jpegs, next_s = cv2.VideoCapture(str(video)), [], 0.0
    while True:
        more, picture = capture.read()
        if not more:
            break
        if capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 >= next_s:
            next_s += 1 / RATE
            small = cv2.resize(picture, (640, 640 * picture.shape[0] // picture.shape[1]), interpolation=cv2.INTER_AREA)
            jpegs.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    capture.release()
    return jpegs


async def send(url: str, jpegs: list[bytes], client: Any, workers: list[Any]) -> None:
    """As a camera does, in the video's own time; the worker that tracks is killed on the way."""
    kill_at = len(jpegs) + round(KILL_AT_S * RATE)
    bus = create_bus(load(Settings, redis_url=url))
    await bus.connect()
    start_s = asyncio.get_running_loop().time()
    for seq, jpeg in enumerate(TIMES * jpegs):
        await asyncio.sleep(start_s + seq / RATE - asyncio.get_running_loop().time())
        await bus.publish_frame(FrameCaptured(camera_id="c", run_id="1", seq=seq, captured_at=utc_now(), jpeg=jpeg))
        if seq == kill_at:
            holder = client.get("mood:lease:tracker:c")
            next(one for one in workers if holder.endswith(f"-{one.pid}".encode())).kill()
    await bus.close()


@pytest.mark.reference
def test_two_workers_and_a_killed_tracker_keep_a_live_videos_moods_steady(redis_url: str, reference: Path) -> None:
    jpegs = pictures(reference / "video" / VIDEO)
    with connected(redis_url) as client, worker(redis_url) as first, worker(redis_url) as second:
        until(lambda: listening(client, 2))
        asyncio.run(send(redis_url, jpegs, client, [first, second]))
        until(lambda: [one.phase for one in events(client, MoodChanged)].count("end") == TIMES)
        alive = [one.poll() for one in (first, second)].count(None)
        read, told = events(client, FacesRead), events(client, MoodChanged)
    assert alive == 1
    assert len(read) >= 0.95 * TIMES * len(jpegs)
    assert len({one.id for one in told}) == len(told)
    visits = [list(visit) for _, visit in groupby(told, key=lambda one: one.session_id)]
    assert len(visits) == TIMES
    start = next(one for one in read if one.seq == 0).captured_at
    for number, visit in enumerate(visits):
        named = [one for one in visit if one.reason == "change" and one.mood is not Mood.UNSURE]
        assert [one.mood for one in named] == [one["mood"] for one in EXPECTED]
        for one, expected in zip(named, EXPECTED, strict=True):
            earliest, latest = expected["between_s"]
            at_s = (one.at - start).total_seconds() - number * len(jpegs) / RATE
            assert earliest - 0.1 <= at_s <= latest + (TAKEOVER_S if number == 1 else SLACK_S)
