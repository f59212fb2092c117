"""The operator's page of the bridge, and the same as JSON: the state of each webhook, a button to test it.

It is for whoever sits at this machine, or knows the operator's token, which browsers ask for as a password.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.bridge.webhooks.sender import send_test
from services.bridge.webhooks.workers import Webhook
from shared.bus.outage import REDIS_ERRORS
from shared.web.operator import Operator

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884 }
form { display: inline }
button { font: inherit; padding: .2rem .8rem }
[role=status] { padding: .5rem .8rem; background: #8882 }
"""
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
NUMBERS = ("waiting", "delivered", "given_up", "dropped")
HEADS = ("Receiver", "Waiting", "Delivered", "Given up", "Dropped", "Last error", "")


class Pages:
    """Everything below ``/bridge``."""

    def __init__(self, webhooks: Sequence[Webhook], operator: Operator) -> None:
        self._webhooks = {webhook.receiver.name: webhook for webhook in webhooks}
        self._operator = operator

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/bridge", self.show),
            Route("/bridge/webhooks/{name}/{command}", self.run_command, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """How it stands with each receiver."""
        try:
            self._operator.admit(request)
            return await self._answer(request)
        except HTTPException as error:
            return _refusal(error)

    async def run_command(self, request: Request) -> Response:
        """``test`` sends one message now, past the queue; ``enable`` sends again to one that was gone."""
        try:
            self._operator.admit(request)
            webhook = self._webhooks.get(request.path_params["name"])
            command = request.path_params["command"]
            if webhook is None or command not in ("test", "enable"):
                raise HTTPException(404, "there is no such webhook or command")
            if command == "enable":
                await webhook.enable()
                return await self._answer(request, {"name": webhook.receiver.name, "enabled": True}, "is enabled")
            answer = await send_test(webhook.receiver)
            result = {"name": webhook.receiver.name, "accepted": answer.accepted, "reason": answer.reason}
            verdict = "accepted the test" if answer.accepted else "did not accept the test"
            return await self._answer(request, result, f"{verdict}: {answer.reason}")
        except HTTPException as error:
            return _refusal(error)

    async def _answer(self, request: Request, result: dict[str, Any] | None = None, text: str = "") -> Response:
        for_people = "text/html" in request.headers.get("accept", "")
        if result is not None and not for_people:
            return JSONResponse(result, headers=HEADERS)
        try:
            states = [await webhook.read_state() for webhook in self._webhooks.values()]
        except REDIS_ERRORS:
            raise HTTPException(503, "Redis does not answer; try again in a moment") from None
        if not for_people:
            return JSONResponse({"webhooks": states}, headers=HEADERS)
        return HTMLResponse(_page(states, f"{result['name']} {text}" if result else ""), headers=HEADERS)


def _refusal(error: HTTPException) -> JSONResponse:
    return JSONResponse({"error": error.detail}, error.status_code, HEADERS | dict(error.headers or {}))


def _page(states: Sequence[dict[str, Any]], notice: str) -> str:
    rows = "\n".join(map(_row, states))
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    table = f"""<div class="scroll"><table>
<thead><tr>{heads}</tr></thead>
<tbody>{rows}</tbody></table></div>"""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Moodstream bridge</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Webhooks</h1>
{f'<p role="status">{escape(notice)}</p>' if notice else ""}
{table if states else "<p>None are configured: set MOODSTREAM_WEBHOOKS.</p>"}
<p><a href="/bridge">Look again</a></p>
</body>
</html>
"""


def _row(state: dict[str, Any]) -> str:
    name = escape(state["name"])
    numbers = "".join(f"<td>{state[number]}</td>" for number in NUMBERS)
    buttons = _button(name, "test", "Send a test")
    if state["disabled"]:
        buttons += " " + _button(name, "enable", "It said it is gone: send again")
    where = f"<td><b>{name}</b><br>{escape(state['url'])}</td>"
    return f"<tr>{where}{numbers}<td>{escape(state['last_error'])}</td><td>{buttons}</td></tr>"


def _button(name: str, command: str, text: str) -> str:
    return f'<form method="post" action="/bridge/webhooks/{name}/{command}"><button>{text}</button></form>'
