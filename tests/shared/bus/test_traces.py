"""Traces: off without an address; with one, a real receiver is told who handled and made what, by the events' ids."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from faststream.redis import RedisRouter

from moodstream import __version__
from moodstream.contracts.events import Song, SongPicked, SongsOffered, SongsRanked, expiry
from moodstream.contracts.moods import Mood
from shared.app.service import Service, build_app, create_bus
from shared.bus.traces import Traces, trace_of
from shared.delivery.consume import consume
from shared.logs import TRACE
from shared.settings import Settings, load
from tests.support.trace_collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as here:
        yield here


def span_of(event_id: str) -> str:
    return UUID(event_id).bytes[8:].hex()


def offer() -> SongsOffered:
    return SongsOffered(mood=Mood.CALM, songs=(), expires_at=expiry(SongsOffered))


async def two_services(redis_url: str, traces_url: str | None, offered: SongsOffered) -> dict[str, str | None]:
    """One picks from an offer, another ranks, each with a bus of its own; what each saw as the trace of now."""
    seen: dict[str, str | None] = {}
    done = asyncio.Event()
    settings = load(Settings, redis_url=redis_url, traces_url=traces_url)
    picks, ranks = create_bus(settings), create_bus(settings)
    first, second = RedisRouter(), RedisRouter()

    @consume(first, picks, SongsOffered, "first")
    async def pick(event: SongsOffered) -> None:
        seen["pick"] = TRACE.get()
        fields = {"offer_id": event.id, "song_id": "s", "mood": event.mood, "by": "auto"}
        await picks.publish(SongPicked.following(event, expires_at=expiry(SongPicked), **fields))

    @consume(second, ranks, SongPicked, "second")
    async def rank(event: SongPicked) -> None:
        seen["rank"] = TRACE.get()
        song = Song(id="s", title="t", artist="a")
        fields = {"offer_id": "o", "picked": song, "mood": event.mood, "ranking": (), "play": ()}
        await ranks.publish(SongsRanked.following(event, expires_at=expiry(SongsRanked), **fields))
        done.set()

    apps = build_app(picks, Service("first", first)), build_app(ranks, Service("second", second))
    async with (
        apps[0].web.router.lifespan_context(apps[0].web),
        apps[1].web.router.lifespan_context(apps[1].web),
        asyncio.timeout(30),
    ):
        for app in apps:
            await app.ready.wait()
        await picks.publish(offered)
        await done.wait()
        await asyncio.sleep(0.1)
    return seen


async def test_what_follows_across_services_is_one_tree(redis_url: str, collector: Collector) -> None:
    offered = offer()
    seen = await two_services(redis_url, collector.url, offered)
    assert seen == {"pick": offered.trace_id, "rank": offered.trace_id}
    spans = collector.of(offered.trace_id)
    assert set(spans) == {"SongsOffered", "first SongsOffered", "SongPicked", "second SongPicked", "SongsRanked"}
    assert spans["SongsOffered"].id == span_of(offered.id)
    assert spans["SongsOffered"].parent == ""
    for child, parent in (
        ("first SongsOffered", "SongsOffered"),
        ("SongPicked", "first SongsOffered"),
        ("second SongPicked", "SongPicked"),
        ("SongsRanked", "second SongPicked"),
    ):
        assert spans[child].parent == spans[parent].id, child
    assert all(0 <= span.seconds < 10 for span in spans.values())
    assert {name: (span.service, span.kind) for name, span in spans.items()} == {
        "SongsOffered": ("first", "PRODUCER"),
        "first SongsOffered": ("first", "CONSUMER"),
        "SongPicked": ("first", "PRODUCER"),
        "second SongPicked": ("second", "CONSUMER"),
        "SongsRanked": ("second", "PRODUCER"),
    }
    assert spans["first SongsOffered"].attributes == {
        "messaging.system": "redis_streams",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "mood:offers",
        "messaging.message.id": offered.id,
        "messaging.consumer.group.name": "first",
    }
    made = spans["SongsOffered"]
    assert made.attributes["messaging.operation.type"] == "send"
    assert (made.resource["service.namespace"], made.resource["service.version"]) == ("moodstream", __version__)


def test_services_of_one_process_have_names_of_their_own(collector: Collector) -> None:
    traces, offered = Traces(collector.url), offer()
    with traces.step("recommender", "works", offered), traces.making(offer()):
        pass
    with traces.step("player", "play", offered, consumes=True):
        pass
    with traces.making(offered):
        pass
    traces.close()
    assert sorted((span.service, span.name, span.kind) for span in collector.spans) == [
        ("moodstream", "SongsOffered", "PRODUCER"),
        ("player", "player play", "CONSUMER"),
        ("recommender", "SongsOffered", "PRODUCER"),
        ("recommender", "recommender works", "INTERNAL"),
    ]


def test_variables_of_opentelemetry_hold_before_ours(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.removesuffix("/v1/traces"))
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=museum")
    traces = Traces(None)
    with traces.making(offer()):
        pass
    traces.close()
    [span] = collector.spans
    assert (span.service, span.resource["deployment.environment.name"]) == ("mine", "museum")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    quiet = Traces(None)
    with quiet.making(offer()):
        pass
    quiet.close()
    assert len(collector.spans) == 1


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("OTEL_SDK_DISABLED", "true", ""), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only http/protobuf is supported")],
)
def test_variables_of_opentelemetry_that_mean_no_traces(
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.removesuffix("/v1/traces"))
    monkeypatch.setenv(name, value)
    traces = Traces(None)
    with traces.making(offer()):
        pass
    traces.close()
    assert collector.spans == []
    assert told in caplog.text


async def test_off_unless_asked_for_but_logs_know_the_trace(redis_url: str, collector: Collector) -> None:
    offered = offer()
    seen = await two_services(redis_url, None, offered)
    assert seen == {"pick": offered.trace_id, "rank": offered.trace_id}
    assert collector.spans == []


async def test_a_share_of_nothing_and_a_collector_that_is_away_change_nothing(
    redis_url: str, collector: Collector
) -> None:
    traces = Traces(collector.url, fraction=0.0)
    with traces.step("recommender", "works", offer()), traces.making(offer()):
        pass
    traces.close()
    assert collector.spans == []
    offered = offer()
    seen = await two_services(redis_url, "http://127.0.0.1:9/v1/traces", offered)
    assert seen["rank"] == offered.trace_id


@pytest.mark.parametrize("written", [None, 7, "", "x" * 9, "Ann Smith", ["0" * 32], str(UUID(int=0))])
def test_what_is_no_trace_id_is_none(written: object) -> None:
    assert trace_of(written) is None
