"""Without a camera: simulated visitors, recordings, and what comes back from them."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from moodstream.contracts.event_filter import ON_REDIS, event_filter
from moodstream.contracts.events import (
    MoodChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    VoiceRead,
    WordsRead,
    utc_now,
)
from moodstream.errors import MoodstreamError
from services.cli.following import follow_events
from services.cli.redis_client import connected
from shared.contracts.event_lines import line
from shared.contracts.recording import as_new_events, publish, read_recording
from shared.contracts.simulation import Visitors
from tests.support.secured_services import eventually, redis_server

ROOT = Path(__file__).parents[1]
START = datetime(2030, 1, 1, tzinfo=UTC)


def events(seed: int, count: int = 300, speed: float = 1.0, *, heard: bool = False) -> list[Any]:
    return [event for _, event in islice(Visitors(seed, START, speed=speed, heard=heard).events(), count)]


def command(redis_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url}
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_seed_makes_the_same_visitors_every_time() -> None:
    one, two, other = (([event.model_dump_json() for event in events(seed)]) for seed in (7, 7, 8))
    assert one == two
    assert one != other


@pytest.mark.parametrize("heard", [False, True])
def test_simulated_events_keep_to_the_contract_and_hang_together(heard: bool) -> None:
    made = events(7, heard=heard)
    assert {event.type for event in made}.issuperset({"WordsRead", "VoiceRead"}) == heard
    for event in made:
        schema = json.loads((ROOT / "docs" / "schemas" / f"{event.type}.json").read_text())
        Draft202012Validator(schema).validate(json.loads(event.model_dump_json()))
    assert len({event.id for event in made}) == len(made)
    assert [event.at for event in made] == sorted(event.at for event in made)
    count = Counter(event.type for event in made)
    assert count["SongsOffered"] > count["SongPicked"] >= count["SongsRanked"] > 5
    offers = {event.id: event for event in made if isinstance(event, SongsOffered)}
    for pick in (event for event in made if isinstance(event, SongPicked)):
        assert pick.song_id in {song.id for song in offers[pick.offer_id].songs}
        assert pick.session_id == offers[pick.offer_id].session_id
    moods = [event for event in made if isinstance(event, MoodChanged)]
    assert moods[0].phase == "start"
    for before, after in pairwise(moods):
        assert (after.phase == "start") == (before.phase == "end")
        assert after.at < before.expires_at or before.phase == "end"
    assert {event.mood for event in moods} == {"angry", "happy", "sad", "calm", "unsure", "nobody"}


def test_a_recording_comes_back_as_new_events_in_the_same_order(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    made = events(3, 40)
    file.write_text("".join(event.model_dump_json() + "\n" for event in made))
    start = utc_now()
    first, second = (list(as_new_events(read_recording(file), start, speed=2)) for _ in range(2))
    assert [event.type for _, event in first] == [event.type for event in made]
    assert not {event.id for _, event in first} & ({event.id for event in made} | {event.id for _, event in second})
    for (offset_s, event), old in zip(first, made, strict=True):
        assert offset_s == pytest.approx((old.at - made[0].at).total_seconds() / 2)
        assert (event.at - start).total_seconds() == pytest.approx(offset_s, abs=0.01)
        if isinstance(event, MoodChanged):
            assert (event.expires_at - event.at).total_seconds() == pytest.approx(30, abs=0.01)
    offers = {event.id for _, event in first if isinstance(event, SongsOffered)}
    assert {event.offer_id for _, event in first if isinstance(event, SongPicked | SongsRanked)} <= offers


def test_simulated_recorded_replayed_and_listened_to(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    made = command(redis_url, "simulate", "--print", "--seed", "5", "--events", "30")
    file.write_text(made.stdout)
    assert len(made.stdout.splitlines()) == 30
    again, listened = tmp_path / "again.jsonl", tmp_path / "listened"
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url}
    recorders = []
    with listened.open("w") as out:
        for arguments in (["record", str(again)], ["listen", "--json", "--type", "all", "--mood", "happy"]):
            recorders.append(
                subprocess.Popen([sys.executable, "-m", "services", *arguments], cwd=ROOT, env=environment, stdout=out)
            )
        try:
            deadline = time.monotonic() + 20
            with connected(redis_url) as client:
                while int(client.info("clients")["blocked_clients"]) < 2 and time.monotonic() < deadline:
                    time.sleep(0.05)
            done = command(redis_url, "replay-events", str(file), "--speed", "1000")
            assert done.stdout == "30 events published\n", done.stderr
            while len(again.read_text().splitlines()) < 30 and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            for recorder in recorders:
                recorder.terminate()
                recorder.wait()
    recorded, original = list(read_recording(again)), list(read_recording(file))
    assert Counter(event.type for event in recorded) == Counter(event.type for event in original)
    heard = [json.loads(one) for one in listened.read_text().splitlines()]
    assert len(heard) == sum(getattr(event, "mood", None) == "happy" for event in original)
    assert {event["mood"] for event in heard} <= {"happy"}


def test_rubbish_on_a_stream_is_passed_over_and_nothing_is_lost_between_two_reads(redis_url: str) -> None:
    made = [event for event in events(2, 60) if isinstance(event, MoodChanged)]
    heard: list[str] = []

    def follow() -> None:
        heard.extend(event.id for event in islice(follow_events(redis_url, (MoodChanged, SongPicked)), len(made)))

    follower = threading.Thread(target=follow)
    follower.start()
    with connected(redis_url) as client:
        while not int(client.info("clients")["blocked_clients"]):
            time.sleep(0.01)
        for fields in ({"__data__": "{"}, {"other": "field"}, {"__data__": b"\xff"}):
            client.xadd("mood:moods", fields)
        for event in made:
            client.xadd("mood:moods", {"__data__": event.model_dump_json()})
    follower.join(20)
    assert heard == [event.id for event in made]


def test_a_recording_goes_on_after_an_outage_of_redis(tmp_path: Path) -> None:
    before, after = events(4, 20), events(6, 20)
    file = tmp_path / "recorded.jsonl"

    def written(count: int) -> bool:
        return len(file.read_text().splitlines()) >= count

    with redis_server(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        url = f"redis://127.0.0.1:{server.port}"
        environment = os.environ | {"MOODSTREAM_REDIS_URL": url}
        recording = [sys.executable, "-m", "services", "record", str(file)]
        with subprocess.Popen(recording, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as recorder:
            assert recorder.stderr is not None
            try:
                with connected(url) as client:
                    eventually(lambda: int(client.info("clients")["blocked_clients"]))
                    publish(client, "mood:", ((0.0, event) for event in before))
                eventually(lambda: written(20))
                server.kill()
                assert "waiting for Redis at" in recorder.stderr.readline()
                server.start()
                with connected(url) as client:
                    publish(client, "mood:", ((0.0, event) for event in after))
                eventually(lambda: written(40))
                assert "works again after" in recorder.stderr.readline()
            finally:
                recorder.kill()
    assert Counter(event.id for event in read_recording(file)) == Counter(event.id for event in before + after)


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "FacesRead"}', '{"type": "MoodChanged"}', "\xff"])
def test_what_is_no_recording_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n" + text.encode("latin-1"))
    with pytest.raises(MoodstreamError, match=r"events\.jsonl") as caught:
        list(read_recording(file))
    assert "\n" not in str(caught.value)


def test_wrong_names_are_told() -> None:
    with pytest.raises(MoodstreamError, match="choose from: MoodChanged"):
        event_filter(["Mood"], None, None)
    with pytest.raises(MoodstreamError, match="choose from: angry"):
        event_filter(None, None, ["bored"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("listen", "--type", "Mood"), "choose from: MoodChanged"),
        (("simulate", "--mood", "bored"), "choose from: angry"),
        (("replay-events", "x", "--speed", "0"), "must be above 0"),
        (("replay-events", "x", "--speed", "fast"), "--speed"),
    ],
)
def test_wrong_use_is_told(redis_url: str, arguments: tuple[str, ...], words: str) -> None:
    done = command(redis_url, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]


def test_lines_for_people_have_the_colour_of_the_mood() -> None:
    mood = next(event for event in events(1) if isinstance(event, MoodChanged) and event.mood == "sad")
    assert line(mood, as_json=False, coloured=True).startswith("\x1b[34m")
    assert "\x1b" not in line(mood, as_json=False)
    assert json.loads(line(mood, as_json=True, coloured=True))["mood"] == "sad"


def test_what_visitors_write_and_say_comes_on_top_of_the_same_visits() -> None:
    def told(made: list[Any]) -> list[Any]:
        return [(one.mood, one.confidence, one.at) for one in made if isinstance(one, MoodChanged)]

    alone, both = told(events(3, 200)), told(events(3, 300, heard=True))
    assert both[: len(alone)] == alone[: len(both)]


def test_voices_and_words_are_recorded_replayed_and_printed_where_they_are_named(
    tmp_path: Path, redis_url: str
) -> None:
    file = tmp_path / "heard.jsonl"
    made = [one for one in events(5, heard=True) if isinstance(one, WordsRead | VoiceRead)][:6]
    assert {type(one) for one in made} == {WordsRead, VoiceRead}
    file.write_text("\n".join(one.model_dump_json() for one in made))
    for timed in (made, [one for _, one in as_new_events(read_recording(file), utc_now())]):
        assert [type(one) for one in timed] == [type(one) for one in made]
    [words], [voice] = (
        [line(one, as_json=False) for one in made if isinstance(one, kind)][:1] for kind in (WordsRead, VoiceRead)
    )
    assert "words    " in words
    assert "language en" in words
    assert "voice    " in voice
    assert "s of speech" in voice
    assert command(redis_url, "replay-events", str(file), "--type", "VoiceRead", "--speed", "50").returncode == 0
    with connected(redis_url) as client:
        assert client.xlen("mood:voices") == sum(isinstance(one, VoiceRead) for one in made)
        assert not client.exists("mood:words")
    assert "0 events" in command(redis_url, "replay-events", str(file), "--speed", "50").stdout
    printed = command(redis_url, "simulate", "--heard", "--print", "--events", "40").stdout.splitlines()
    assert {"VoiceRead", "WordsRead", "MoodChanged"} <= {json.loads(one)["type"] for one in printed}
    printed = command(redis_url, "simulate", "--print", "--events", "5", "--type", "VoiceRead").stdout.splitlines()
    assert {json.loads(one)["type"] for one in printed} == {"VoiceRead"}


def test_what_is_heard_is_no_part_of_all() -> None:
    voice = next(one for one in events(5, heard=True) if isinstance(one, VoiceRead))
    for types in (None, ["all"]):
        assert not event_filter(types, None, None, ON_REDIS)(voice)
    assert event_filter(["VoiceRead"], None, None, ON_REDIS)(voice)
    with pytest.raises(MoodstreamError, match="no type of event"):
        event_filter(["VoiceRead"], None, None)
