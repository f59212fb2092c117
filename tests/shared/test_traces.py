"""Traces: off without an address; with one, a real receiver is told who handled and made what, by the events' ids."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest
from faststream.redis import RedisRouter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.app import Service, build_app, create_bus
from shared.circumplex import Mood
from shared.delivery import consume
from shared.events import Song, SongPicked, SongsOffered, SongsRanked, expiry
from shared.logs import TRACE
from shared.settings import Settings, load
from shared.traces import Traces, trace_of


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    seconds: float


@dataclass
class Collector:
    """What an OpenTelemetry collector is told."""

    url: str
    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        told = ExportTraceServiceRequest.FromString(body)
        self.spans += [
            Span(
                one.name,
                one.trace_id.hex(),
                one.span_id.hex(),
                one.parent_span_id.hex(),
                (one.end_time_unix_nano - one.start_time_unix_nano) / 1e9,
            )
            for resource in told.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]

    def of(self, trace_id: str) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.trace == UUID(trace_id).hex}


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            here.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield here
        server.shutdown()


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


async def test_off_unless_asked_for_but_logs_know_the_trace(redis_url: str, collector: Collector) -> None:
    offered = offer()
    seen = await two_services(redis_url, None, offered)
    assert seen == {"pick": offered.trace_id, "rank": offered.trace_id}
    assert collector.spans == []


async def test_a_share_of_nothing_and_a_collector_that_is_away_change_nothing(
    redis_url: str, collector: Collector
) -> None:
    traces = Traces(collector.url, share=0.0)
    with traces.step("work", offer()), traces.making(offer()):
        pass
    traces.close()
    assert collector.spans == []
    offered = offer()
    seen = await two_services(redis_url, "http://127.0.0.1:9/v1/traces", offered)
    assert seen["rank"] == offered.trace_id


@pytest.mark.parametrize("written", [None, 7, "", "x" * 9, "Ann Smith", ["0" * 32], str(UUID(int=0))])
def test_what_is_no_trace_id_is_none(written: object) -> None:
    assert trace_of(written) is None
