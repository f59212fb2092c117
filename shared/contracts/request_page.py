"""The part of the page for people that tells how to ask: each kind of request with its reply and an example."""

import json
from collections.abc import Mapping
from html import escape

from moodstream.contracts.events import ReplyGiven, RequestMade
from moodstream.contracts.requests import ANSWERED_BY, KINDS, family
from moodstream.contracts.streams import STREAMS
from shared.contracts.page_parts import Schema, fields_table, links
from shared.contracts.request_examples import EXAMPLES, Example


def request_sections(bodies: Mapping[str, Schema], results: Mapping[str, Schema], prefix: str) -> str:
    """``bodies`` and ``results`` hold the JSON Schemas by kind."""
    examples = {example.request.KIND: example for example in EXAMPLES}
    sections = [_request(kind, bodies[kind], results[kind], examples[kind]) for kind in KINDS]
    return _introduction(prefix) + "".join(sections)


def _introduction(prefix: str) -> str:
    lifetime_s = RequestMade.LIFETIME.total_seconds()
    requests, replies = (escape(prefix + STREAMS[kind].name) for kind in (RequestMade, ReplyGiven))
    return f"""<section id="requests">
<h1>Requests</h1>
<p>To ask, add an entry to <code>{requests}</code> whose one field <code>__data__</code> holds JSON with <code>id</code>
(any text that nobody else uses), <code>kind</code> and <code>body</code>; all else that a
<a href="#RequestMade">RequestMade</a> has may be left out. The answer is a <a href="#ReplyGiven">ReplyGiven</a> on
<code>{replies}</code> whose <code>request_id</code> is that <code>id</code>: with <code>result</code>, or with
<code>error</code>, one line for people. A request older than {lifetime_s:g} s is ignored.</p>
<nav aria-label="Requests">{links(KINDS)}</nav>
</section>
"""


def _request(kind: str, body: Schema, result: Schema, example: Example) -> str:
    optional = set(body["properties"]) - set(body.get("required", ()))
    fields = fields_table(body, optional=optional) if body["properties"] else "<p>No fields.</p>"
    made = json.dumps(example.made(), indent=2)
    given = json.dumps(json.loads(example.given().model_dump_json()), indent=2)
    return f"""<section id="{kind}">
<h2>{kind}</h2>
<p>{escape(KINDS[kind].__doc__ or "")}</p>
<table>
<tr><th>Answered by</th><td>{ANSWERED_BY[family(kind)]}</td></tr>
<tr><th>Schemas</th><td><a href="schemas/requests/{kind}.json">schemas/requests/{kind}.json</a>,
<a href="schemas/replies/{kind}.json">schemas/replies/{kind}.json</a></td></tr>
</table>
<h3>Body</h3>
{fields}
<h3>Result</h3>
<p>{escape(result.get("description", ""))}</p>
{fields_table(result)}
<details><summary>Example</summary><pre>{escape(made)}</pre><pre>{escape(given)}</pre></details>
</section>
"""
