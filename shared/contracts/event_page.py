"""All events and requests on one page for people: where each goes, its fields, an example. It needs no other file."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import Any

from moodstream.contracts.event_filter import RECORDED
from moodstream.contracts.events import (
    EVENTS,
    CommandHeard,
    Event,
    FaceRead,
    FacesRead,
    FeedbackGiven,
    MoodChanged,
    Probabilities,
    ReplyGiven,
    RequestMade,
    VoiceRead,
    WordsRead,
    expiry,
)
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import FindSimilar
from moodstream.contracts.streams import STREAMS
from shared.contracts.page_parts import Schema, fields_table, links, part
from shared.contracts.request_page import request_sections
from shared.contracts.simulation import Visitors

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#1a56b0, #8ab4f8) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem 1rem 6rem }
a { color: var(--link) }
nav ul { columns: 14rem; padding: 0; list-style: none }
section { border-top: 1px solid var(--line); margin-top: 2.5rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
code, pre { font: .88em/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: .8rem; overflow-x: auto }
summary { cursor: pointer; padding: .6rem 0 }
"""


def page(
    schemas: Mapping[str, Schema],
    bodies: Mapping[str, Schema],
    results: Mapping[str, Schema],
    version: str,
    prefix: str,
) -> str:
    """The whole page, from the JSON Schemas of the events by name, and of the requests by kind."""
    everything = (*schemas.values(), *bodies.values(), *results.values())
    parts = {name: one for schema in everything for name, one in schema.get("$defs", {}).items()}
    shown = examples()
    sections = [_event(event, schemas[event.__name__], shown[event.__name__], prefix) for event in EVENTS]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Moodstream events and requests</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Moodstream events</h1>
<p>Version {escape(version)}. Generated from the code, like the JSON Schemas in <code>schemas/</code> beside it and
<a href="asyncapi.json">asyncapi.json</a> (AsyncAPI 3.0). Fields are only ever added: ignore what you do not know.</p>
<p>On Redis every event is one entry of a stream, with one field <code>__data__</code> that holds the JSON shown here.
The prefix <code>{escape(prefix)}</code> is a setting. Moods are <em>apparent</em> moods; no event holds a picture.</p>
<p>Programs can also ask: <a href="#requests">requests</a>.</p>
<nav aria-label="Events">{links([*schemas, *sorted(parts)])}</nav>
{"".join(sections)}
{request_sections(bodies, results, prefix)}
{"".join(part(name, parts[name]) for name in sorted(parts))}
</body>
</html>
"""


def _event(event: type[Event], schema: Schema, example: Event, prefix: str) -> str:
    stream = STREAMS[event]
    wires = "Redis, server-sent events, WebSocket, webhooks" if event in RECORDED else "Redis alone"
    asks = ""
    if event.LIFETIME is not None:
        lasts = f"{event.LIFETIME.total_seconds():g} s"
        asks = f"<tr><th>Holds for</th><td>{lasts}, see <code>expires_at</code></td></tr>"
    name = event.__name__
    return f"""<section id="{name}">
<h2>{name}</h2>
<p>{escape(event.__doc__ or "")}</p>
<table>
<tr><th>Stream</th><td><code>{escape(prefix + stream.name)}</code>, about {stream.kept:,} kept</td></tr>
<tr><th>Wires</th><td>{wires}</td></tr>{asks}
<tr><th>Schema</th><td><a href="schemas/{name}.json">schemas/{name}.json</a></td></tr>
</table>
{fields_table(schema)}
<details><summary>Example</summary><pre>{escape(example.model_dump_json(indent=2))}</pre></details>
</section>
"""


def examples() -> dict[str, Event]:
    """One event of each type, always the same."""
    start = datetime(2030, 1, 1, 12, tzinfo=UTC)
    simulated = {event.type: event for _, event in islice(Visitors(4, start).events(), 60) if _is_telling(event)}
    shares = Probabilities(angry=0.05, happy=0.8, sad=0.05, calm=0.1)
    face = FaceRead(box=(210, 120, 180, 180), mood=Mood.HAPPY, confidence=0.8, probabilities=shares)
    same: dict[str, Any] = {"at": start, "id": _id(1), "trace_id": _id(2)}
    asked = FindSimilar(id="simulated-7").made()
    request = asked.model_copy(update={**same, "expires_at": expiry(RequestMade, start)})
    others = (
        FacesRead(
            **same, camera_id="camera-1", run_id="1", seq=7, captured_at=start, faces=(face,), model="mood_cnn 1.0"
        ),
        WordsRead(**same, camera_id="camera-1", probabilities=shares, valence=0.5, language="en", model="words 1.0.0"),
        VoiceRead(
            **same,
            camera_id="camera-1",
            heard_at=start,
            probabilities=shares,
            arousal=0.6,
            valence=0.5,
            speech_s=1.4,
            snr_db=21.0,
            model="voice 1.0.0",
        ),
        CommandHeard(**same, camera_id="camera-1", heard_at=start, command="louder"),
        FeedbackGiven(**same, kind="like", song_id="simulated-7", mood=Mood.HAPPY),
        request,
        ReplyGiven.following(request, at=start, request_id=request.id, error="there is no song simulated-7"),
    )
    return simulated | {event.type: event for event in others}


def _is_telling(event: Event) -> bool:
    return not isinstance(event, MoodChanged) or event.phase == "start"


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
