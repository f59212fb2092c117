"""A day of the whole chain in a minute: every service as a process with least rights, a visit, an outage of Redis.

What was refused, logged, counted and traced on the way is looked at by a test each.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.contracts.access import RIGHTS
from tests.support.secured_services import ROOT, Services, eventually, services
from tests.support.secured_site import (
    Site,
    a_browser_sends_pictures,
    a_person_at_a_terminal,
    a_visit,
    receiver_of_webhooks,
    somebody_speaks,
)
from tests.support.secured_site import site_in as site_in_folder
from tests.support.trace_collector import Collector, collecting

OUTAGE_S = 8.0
FRAMES = {"camera": "moodstream_camera_frames_published_total", "emotion": "moodstream_frames_read_total"}
PER_MINUTE = 238
"""Words that people read silently (Brysbaert 2019, doi:10.1016/j.jml.2019.104047)."""


@dataclass
class Day:
    """What is left of it."""

    site: Site
    running: Services
    collector: Collector
    offer: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    delivered: int = 0
    outage: tuple[float, float] = (0.0, 0.0)
    codes: dict[str, int] = field(default_factory=dict)
    kept: dict[bytes, bytes] = field(default_factory=dict)
    """all keys of the events' server after the last visit, when no picture came any more"""
    sessions: set[str] = field(default_factory=set)

    def lines(self, service: str) -> list[dict[str, Any]]:
        """The log of a service; each line must be JSON."""
        return [json.loads(line) for line in self.running.said(service).splitlines()]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("site")
    with (
        collecting() as collector,
        receiver_of_webhooks(folder) as webhooks,
        site_in_folder(folder) as site,
        services(folder) as running,
    ):
        own = {"bridge": {"webhooks": str(webhooks)}, "player": {"player": "browser"}, "camera": {"frame_rate": "5"}}
        own |= {"voice": {"voice": "free"}, "gateway": {"voice": "free"}}
        for name in RIGHTS:
            told = {"log_format": "json", "log_level": "DEBUG", "traces_url": collector.url}
            running.start(name, **site.settings(name), **told, **own.get(name, {}))
        running.wait_until_ready()
        day = Day(site, running, collector)
        day.offer = a_visit(running)
        a_browser_sends_pictures(running)
        somebody_speaks(running)
        a_person_at_a_terminal(site)
        eventually(lambda: site.admin().hget("mood:webhooks:one:state", "delivered"))
        day.delivered = int(site.admin().hget("mood:webhooks:one:state", "delivered"))
        eventually(
            lambda: all(counted(running.read(name, "/metrics").decode(), one) > 10 for name, one in FRAMES.items())
        )
        online = partial(counted, name="moodstream_camera_state", camera="camera-1", state="online")
        eventually(lambda: online(running.read("camera", "/metrics").decode()) == 1, 60)  # it rested for the browser's
        day.metrics = {name: running.read(name, "/metrics").decode() for name in RIGHTS}
        day.refused = site.refused()
        begun = time.time()
        site.events.kill()
        time.sleep(OUTAGE_S)
        site.events.start()
        day.outage = begun, time.time()
        running.wait_until_ready()
        eventually(lambda: all("works again" in running.said(name) for name in RIGHTS))
        day.refused += site.refused()
        day.codes["camera"] = running.stop("camera")
        eventually(lambda: site.admin(frames=True).xlen("mood:frames") == 0)
        eventually(lambda: ended(site)[-1]["phase"] == "end")
        eventually(lambda: site.admin().xlen("mood:readings") == 0, 90)
        day.kept = {key: site.admin().dump(key) for key in site.admin().scan_iter()}
        day.sessions = {one["session_id"] for one in ended(site) if one["phase"] == "end"}
        day.codes |= running.end()
        yield day


def ended(site: Site) -> list[dict[str, Any]]:
    """What was told of moods, oldest first."""
    return [json.loads(fields[b"__data__"]) for _, fields in site.admin().xrange("mood:moods")]


def test_each_service_does_its_whole_work_with_its_own_user_and_nothing_is_refused(day: Day) -> None:
    assert day.refused == []
    assert day.delivered >= 1
    assert set(day.codes.values()) == {0}
    for name, text in day.metrics.items():
        assert "moodstream_redis_up 1.0" in text, name


def test_one_trace_leads_from_the_frame_to_the_play(day: Day) -> None:
    spans = day.collector.of(day.offer["trace_id"])
    way = [
        ("FrameCaptured", None),
        ("emotion reads", "FrameCaptured"),
        ("FacesRead", "emotion reads"),
        ("emotion tracks", "FacesRead"),
        ("MoodChanged", "emotion tracks"),
        ("recommender MoodChanged", "MoodChanged"),
        ("SongsOffered", "recommender MoodChanged"),
        ("gateway pick", "SongsOffered"),
        ("SongPicked", "gateway pick"),
        ("recommender SongPicked", "SongPicked"),
        ("SongsRanked", "recommender SongPicked"),
        ("player play", "SongsRanked"),
        ("PlaybackChanged", "player play"),
    ]
    for name, parent in way:
        assert name in spans, (name, sorted(spans))
        assert spans[name].parent == (spans[parent].id if parent else ""), name


def test_nothing_about_a_person_is_in_any_log(day: Day) -> None:
    events = day.site.admin()
    sessions = {json.loads(fields[b"__data__"])["session_id"] for _, fields in events.xrange("mood:moods")} - {None}
    songs = {song["id"] for song in day.offer["songs"]} | {song["title"] for song in day.offer["songs"]}
    secrets = {file.read_text() for file in (day.site.folder / "secrets").iterdir()}
    secrets |= set(re.findall(r"whsec_\S+", (day.site.folder / "webhooks.toml").read_text()))
    assert len(sessions) >= 2
    for name in RIGHTS:
        text = day.running.said(name)
        assert day.lines(name), name
        for what in (*sessions, *songs, *secrets, "profile", 'ann"', "JFIF", "/9j/"):
            assert what not in text, (name, what)
        assert not re.search(r"\[\d+, ?\d+, ?\d+, ?\d+\]|\(\d+, ?\d+, ?\d+, ?\d+\)", text), "a box"
        for line in day.lines(name):
            assert set(line) <= {"at", "level", "logger", "message", "trace_id", "error", "traceback"}


def test_after_the_visits_no_picture_no_box_and_no_key_of_them_is_left(day: Day) -> None:
    """That no frame and no reading was left was waited for; events alone still say which visit they were of."""
    streams = {f"mood:{name}".encode() for name in ("moods", "offers", "picks", "rankings", "feedback", "playback")}
    streams |= {b"mood:requests", b"mood:replies", b"mood:picks:dead"}
    assert len(day.sessions) >= 2
    for key, value in day.kept.items():
        assert not [session for session in day.sessions if session.encode() in key], key
        assert key in streams or not [one for one in day.sessions if one.encode() in value], key
        assert b"\xff\xd8\xff" not in value, key
        assert b'"box"' not in value, key


def test_lines_carry_the_trace_of_what_they_are_about(day: Day) -> None:
    put_aside = [
        line
        for line in day.lines("recommender")
        if "not an event" in line["message"] or "dead letters" in line["message"]
    ]
    assert put_aside
    traced = [line for name in RIGHTS for line in day.lines(name) if "trace_id" in line]
    assert {line["trace_id"].replace("-", "") for line in traced} <= {span.trace for span in day.collector.spans}
    assert [line for line in traced if line["message"].startswith("a ranking of")]
    assert not [line for line in put_aside if "trace_id" in line], "what is no event has none"


def test_an_outage_of_redis_is_read_in_a_minute(day: Day) -> None:
    begun, ended = day.outage
    words = 0
    for name in RIGHTS:
        since = [
            (datetime.fromisoformat(line["at"]).timestamp(), line["message"])
            for line in day.lines(name)
            if datetime.fromisoformat(line["at"]).timestamp() >= begun and line["level"] != "DEBUG"
        ]
        # and the name of the service
        words += sum(len(message.split()) + 1 for at, message in since if at < ended + 15)
        first, last = since[0][1], next(message for _, message in since if "works again after" in message)
        assert first.startswith("waiting for Redis at redis://127.0.0.1:")
        seconds = float(re.findall(r"after ([\d.]+) s", last)[0])
        assert OUTAGE_S - 2 < seconds < OUTAGE_S + 25
        times = [datetime.fromisoformat(line["at"]).timestamp() for line in day.lines(name)]
        assert all(sum(at <= one < at + 0.99 for one in times) < 10 for at in times), name
    assert words < PER_MINUTE, f"{words} words"


LISTED = re.compile(r"^\| `(moodstream_\w+)` \|(?P<labels>[^|]*)\|(?P<service>[^|]*)\|", re.MULTILINE)


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def counted(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    family = families(text)[name.removesuffix("_total").removesuffix("_count")]
    return sum(float(one.value) for one in family.samples if one.name == name and labels.items() <= one.labels.items())


def test_every_metric_in_the_docs_is_there_and_every_metric_is_in_the_docs(day: Day) -> None:
    listed = {found[1]: found for found in LISTED.finditer((ROOT / "docs" / "metrics.md").read_text())}
    told = {name: families(text) for name, text in day.metrics.items()}
    everything = {one for all_ in told.values() for one in all_}
    ours = {one for one in everything if one.startswith("moodstream_") and not one.endswith("_created")}
    assert ours == set(listed)
    for name, found in listed.items():
        where = [one.strip() for one in found["service"].split(",")]
        for service in RIGHTS if where == ["all"] else where:
            assert name in told[service], (name, service)


def test_each_fact_about_a_stream_is_told_once(day: Day) -> None:
    """One process of each service runs here, and all of them read moods or write them."""
    told = [
        (sample.name, *sorted(sample.labels.items()))
        for text in day.metrics.values()
        for family in families(text).values()
        for sample in family.samples
        if family.name.startswith("moodstream_stream_")
    ]
    assert ("moodstream_stream_entries", ("stream", "moods")) in told
    assert ("moodstream_stream_lag", ("group", "bridge"), ("stream", "moods")) in told
    assert len(told) == len(set(told)), [one for one in told if told.count(one) > 1]


def test_what_happened_was_counted(day: Day) -> None:
    def value(service: str, name: str, **labels: str) -> float:
        return counted(day.metrics[service], name, **labels)

    assert value("camera", "process_resident_memory_bytes") > 10e6
    assert value("camera", "moodstream_camera_frames_published_total", camera="camera-1") > 10
    assert value("camera", "moodstream_camera_state", camera="camera-1", state="online") == 1
    assert value("emotion", "moodstream_frames_read_total") > 10
    assert value("emotion", "moodstream_frames_refused_total") == 0
    assert value("emotion", "moodstream_moods_told_total") >= 2
    assert value("emotion", "moodstream_events_published_total", type="MoodChanged") >= 2
    assert value("recommender", "moodstream_offers_total") >= 1
    assert value("recommender", "moodstream_picks_total", by="visitor") == 1
    assert value("recommender", "moodstream_handling_seconds_count", type="SongPicked", group="recommender") == 1
    assert value("recommender", "moodstream_events_left_out_total", reason="put aside") >= 1
    assert value("player", "moodstream_plays_total", output="browser") >= 1
    assert value("player", "moodstream_player_state") == 1
    assert value("player", "moodstream_ranking_to_play_seconds_count") >= 1
    assert value("gateway", "moodstream_browser_frames_total", outcome="accepted") == 1
    assert value("bridge", "moodstream_handling_seconds_count", group="bridge") >= 3
    assert value("voice", "moodstream_speech_seconds_total") > 1
    assert value("voice", "moodstream_events_published_total", type="VoiceRead") >= 1
    for name in RIGHTS:
        assert value(name, "moodstream_log_lines_left_out") >= 0


LABELS = {
    "camera": {"camera-1"},
    "group": {"camera-camera-1", "emotion", "voice", "recommender", "player", "bridge"},
    "reason": None,
    "type": None,
}


def test_the_values_of_labels_are_bounded(day: Day) -> None:
    """No id, no song, no address, no text that somebody sent: a label says one of a few words."""
    for text in day.metrics.values():
        for family in families(text).values():
            for sample in family.samples:
                for label, value in sample.labels.items():
                    if label in ("le", "version", "implementation", "major", "minor", "patchlevel", "generation"):
                        continue
                    assert len(value) <= 40, (family.name, label, value)
                    assert not re.search(r"[0-9a-f]{8}", value), (family.name, label, value)
                    assert LABELS.get(label) is None or value in (LABELS[label] or ()), (family.name, label, value)
