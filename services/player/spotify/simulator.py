"""SIMULATED: a stand-in for Spotify's Accounts service and Web API, for tests and for ``moodstream run --demo``.

It plays nothing. It speaks the calls that the player makes, as Spotify's published description has them, and fails in
the ways that Spotify fails. It is an app of its own: served alone on loopback, or mounted below an address.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_S = 3600
CODE_S = 60
SONG_MS = 180_000


@dataclass(frozen=True)
class Fault:
    """An answer instead of the right one; ``hang_s`` seconds late, ``body`` JSON or text."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    path: str = "/v1/"
    """it meets requests whose path holds this"""
    times: float = 1


def refusal(status: int, message: str = "", reason: str = "", **more: Any) -> Fault:
    """An error of the Web API in its own form."""
    error: dict[str, Any] = {"status": status, "message": message or reason or "error"}
    return Fault(status, {"error": error | ({"reason": reason} if reason else {})}, **more)


def rate_limit(seconds: int | str, **more: Any) -> Fault:
    return refusal(429, "API rate limit exceeded", headers={"Retry-After": str(seconds)}, **more)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they were."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    at_s: float
    faulty: bool
    """whether a fault was asked for"""


def device(name: str, *, active: bool = False, volume: int | None = 50, **more: Any) -> dict[str, Any]:
    """A device, in the form of the Web API."""
    return {
        "id": hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(),
        "is_active": active,
        "is_private_session": False,
        "is_restricted": False,
        "name": name,
        "type": "Speaker",
        "volume_percent": volume,
        "supports_volume": volume is not None,
    } | more


@dataclass
class Account:
    """What the simulated account has and does. Tests look at it and change it."""

    client_ids: set[str] = field(default_factory=lambda: {"moodstream-demo"})
    redirect_uris: set[str] | None = None
    """registered with the app; None: any on loopback"""
    devices: list[dict[str, Any]] = field(default_factory=lambda: [device("Simulated speaker")])
    premium: bool = True
    registered: bool = True
    missing: set[str] = field(default_factory=set)
    """ids of tracks that are not available in this market"""
    passes_over_missing: bool = False
    """a missing track is passed over without a word, instead of refused"""
    catalogue: list[tuple[str, str, str]] = field(default_factory=list)
    """(id, title, artist) that a search finds"""
    rotates: bool = False
    """each refresh gives a new refresh token, and the old one is dead"""
    uris: list[str] = field(default_factory=list)
    place: int = 0
    playing: bool = False

    @property
    def active(self) -> dict[str, Any] | None:
        return next((one for one in self.devices if one["is_active"]), None)

    @property
    def playing_uri(self) -> str | None:
        return self.uris[self.place] if self.playing and self.place < len(self.uris) else None


class Simulator:
    """Holds the account, the faults that come next, and all that was exchanged."""

    def __init__(self, kept: int = 2_000) -> None:
        self.account = Account()
        self.faults: list[Fault] = []
        self.exchanges: deque[Exchange] = deque(maxlen=kept)
        self._codes: dict[str, tuple[str, str, str, str, float]] = {}
        self._access: dict[str, float] = {}
        self._refresh: dict[str, str] = {}

    def app(self) -> Starlette:
        """``/accounts`` stands for accounts.spotify.com, ``/v1`` for api.spotify.com/v1."""
        player = "/v1/me/player"
        routes = [
            Route("/accounts/authorize", self._authorize),
            Route("/accounts/agree", self._agree),
            Route("/accounts/api/token", self._token, methods=["POST"]),
            Route(player, self._api(self._state)),
            Route(player, self._api(self._transfer), methods=["PUT"]),
            Route(f"{player}/devices", self._api(self._list)),
            Route(f"{player}/play", self._api(self._play), methods=["PUT"]),
            Route(f"{player}/pause", self._api(self._pause), methods=["PUT"]),
            Route(f"{player}/volume", self._api(self._volume), methods=["PUT"]),
            Route("/v1/search", self._api(self._search)),
        ]
        return Starlette(routes=routes, middleware=[Middleware(_Recorder, self)])

    def mount(self, path: str) -> Mount:
        return Mount(path, self.app())

    def sign_in(self, client_id: str) -> dict[str, Any]:
        """A token, as the way over the pages would give it."""
        return self._grant(client_id)

    def expire(self) -> None:
        """All access tokens end before their time."""
        self._access.clear()

    def revoke(self) -> None:
        """The person takes the permission back."""
        self._access.clear()
        self._refresh.clear()

    def take_fault(self, path: str) -> Fault | None:
        for number, fault in enumerate(self.faults):
            if fault.path in path:
                left = Fault(fault.status, fault.body, fault.headers, fault.hang_s, fault.path, fault.times - 1)
                self.faults[number : number + 1] = [left] if left.times > 0 else []
                return fault
        return None

    # the Accounts service

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        wrong = self._wrong(asked.get("client_id", ""), asked.get("redirect_uri", ""))
        if wrong is None and (asked.get("response_type"), asked.get("code_challenge_method")) != ("code", "S256"):
            wrong = "response_type must be code, and code_challenge_method S256"
        if wrong is not None:
            return HTMLResponse(_accounts_page(escape(wrong)), 400)
        return HTMLResponse(_accounts_page(_consent(asked.get("scope", ""), urlencode(asked.multi_items()))))

    def _wrong(self, client_id: str, redirect_uri: str) -> str | None:
        if client_id not in self.account.client_ids:
            return "INVALID_CLIENT: Invalid client"
        parts, registered = urlsplit(redirect_uri), self.account.redirect_uris
        loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
        fits = loopback if registered is None else redirect_uri in registered
        return None if fits else "INVALID_CLIENT: Invalid redirect URI"

    async def _agree(self, request: Request) -> Response:
        asked = request.query_params
        client_id, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
        if wrong := self._wrong(client_id, redirect_uri):
            return HTMLResponse(_accounts_page(escape(wrong)), 400)
        answer = {"state": asked.get("state", "")}
        if asked.get("agree") != "yes":
            return RedirectResponse(f"{redirect_uri}?{urlencode({'error': 'access_denied'} | answer)}", 303)
        code = secrets.token_urlsafe(24)
        challenge, scope = asked.get("code_challenge", ""), asked.get("scope", "")
        self._codes[code] = (client_id, redirect_uri, challenge, scope, time.monotonic() + CODE_S)
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code} | answer)}", 303)

    async def _token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        if given.get("client_id") not in self.account.client_ids:
            return JSONResponse({"error": "invalid_client", "error_description": "Invalid client"}, 400)
        if given.get("grant_type") == "refresh_token":
            return self._refreshed(given)
        client_id, redirect_uri, challenge, scope, until_s = self._codes.pop(given.get("code", ""), ("",) * 4 + (0.0,))
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
        same = (client_id, redirect_uri) == (given["client_id"], given.get("redirect_uri"))
        if not (proven and same and time.monotonic() < until_s):
            text = "Invalid authorization code" if not same else "code_verifier was incorrect"
            return JSONResponse({"error": "invalid_grant", "error_description": text}, 400)
        return JSONResponse(self._grant(client_id, scope))

    def _refreshed(self, given: dict[str, str]) -> Response:
        old = given.get("refresh_token", "")
        if self._refresh.get(old) != given["client_id"]:
            return JSONResponse({"error": "invalid_grant", "error_description": "Refresh token revoked"}, 400)
        fresh = self._grant(given["client_id"])
        if self.account.rotates:
            del self._refresh[old]
        else:
            del self._refresh[fresh.pop("refresh_token")]
        return JSONResponse(fresh)

    def _grant(self, client_id: str, scope: str = "") -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._access[access] = time.monotonic() + TOKEN_S
        self._refresh[refresh] = client_id
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "refresh_token": refresh,
            "scope": scope or "user-modify-playback-state user-read-playback-state",
        }

    # the Web API

    def _api(self, serve: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self._access.get(token, 0.0) < time.monotonic():
                return _error(401, "The access token expired" if token else "No token provided")
            if not self.account.registered:
                return _error(403, "User not registered in the Developer Dashboard")
            if request.method != "GET" and not self.account.premium:
                return _error(403, "Player command failed: Premium required", "PREMIUM_REQUIRED")
            body = await request.body()
            return serve(request, json.loads(body) if body else {})

        return answer

    def _state(self, _: Request, __: Any) -> Response:
        now = self.account.active
        if now is None:
            return Response(status_code=204)
        uris, place = self.account.uris, self.account.place
        item = self._track(uris[place]) if place < len(uris) else None
        return JSONResponse(
            {
                "device": now,
                "repeat_state": "off",
                "shuffle_state": False,
                "timestamp": int(time.time() * 1000),
                "progress_ms": 1000,
                "is_playing": self.account.playing,
                "currently_playing_type": "track" if item else "unknown",
                "actions": {"disallows": {}},
                **({"item": item} if item else {}),
            }
        )

    def _list(self, _: Request, __: Any) -> Response:
        return JSONResponse({"devices": self.account.devices})

    def _aim(self, device_id: str | None) -> Response | None:
        """Make the named device the active one; without a name one must be active already."""
        if device_id is None:
            active = self.account.active
            return None if active else _error(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
        found = next((one for one in self.account.devices if one["id"] == device_id), None)
        if found is None:
            return _error(404, "Device not found")
        if found["is_restricted"]:
            return _error(403, "Player command failed: Restricted device", "DEVICE_NOT_CONTROLLABLE")
        for one in self.account.devices:
            one["is_active"] = one is found
        return None

    def _transfer(self, _: Request, body: Any) -> Response:
        if len(body.get("device_ids", ())) != 1:
            return _error(400, "device_ids must be one")
        wrong = self._aim(body["device_ids"][0])
        if wrong is None and body.get("play"):
            self.account.playing = True
        return wrong or Response(status_code=204)

    def _play(self, request: Request, body: Any) -> Response:
        if wrong := self._aim(request.query_params.get("device_id")):
            return wrong
        if uris := body.get("uris"):
            gone = [uri.rpartition(":")[2] in self.account.missing for uri in uris]
            if gone[0] and not (self.account.passes_over_missing and not all(gone)):
                return _error(403, "Player command failed: Restriction violated", "UNKNOWN")
            self.account.uris, self.account.place = list(uris), gone.index(False)
        self.account.playing = True
        return Response(status_code=204)

    def _pause(self, request: Request, _: Any) -> Response:
        if wrong := self._aim(request.query_params.get("device_id")):
            return wrong
        if not self.account.playing:
            return _error(403, "Player command failed: Restriction violated", "ALREADY_PAUSED")
        self.account.playing = False
        return Response(status_code=204)

    def _volume(self, request: Request, _: Any) -> Response:
        if wrong := self._aim(request.query_params.get("device_id")):
            return wrong
        assert self.account.active is not None
        if not self.account.active["supports_volume"]:
            return _error(403, "Player command failed: Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
        self.account.active["volume_percent"] = int(request.query_params["volume_percent"])
        return Response(status_code=204)

    def _search(self, request: Request, _: Any) -> Response:
        if int(limit := request.query_params.get("limit", "5")) > 10:
            return _error(400, "Invalid limit")
        asked = request.query_params["q"].casefold()
        found = [one for one in self.account.catalogue if one[1].split(" (")[0].casefold() in asked]
        tracks = [self._track(f"spotify:track:{one[0]}") for one in found[: int(limit)]]
        about = {"href": str(request.url), "limit": int(limit), "next": None, "offset": 0, "previous": None}
        return JSONResponse({"tracks": about | {"total": len(tracks), "items": tracks}})

    def _track(self, uri: str) -> dict[str, Any]:
        track_id = uri.rpartition(":")[2]
        known = {one[0]: one for one in self.account.catalogue}
        _, title, artist = known.get(track_id, (track_id, f"Track {track_id}", "An artist"))
        person = {"id": "artist", "name": artist, "type": "artist", "uri": "spotify:artist:artist"}
        playable = track_id not in self.account.missing
        return {
            "artists": [person],
            "disc_number": 1,
            "duration_ms": SONG_MS,
            "explicit": False,
            "id": track_id,
            "is_local": False,
            "is_playable": playable,
            **({} if playable else {"restrictions": {"reason": "market"}}),
            "name": title,
            "track_number": 1,
            "type": "track",
            "uri": uri,
        }


class _Recorder:
    """Writes down every exchange, and puts faults in the place of answers."""

    def __init__(self, app: ASGIApp, simulator: Simulator) -> None:
        self._app, self._simulator = app, simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        fault = self._simulator.take_fault(path)
        status, headers, answer = 0, dict[str, str](), bytearray()

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        begun: list[Message] = []

        async def record(message: Message) -> None:
            """Noted before anything is sent: of an answer without a body, the head is all that is waited for."""
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                begun.append(message)
                return
            answer.extend(message.get("body", b""))
            if not message.get("more_body"):
                note()
            while begun:
                await send(begun.pop())
            await send(message)

        def note() -> None:
            exchange = Exchange(
                request.method,
                path,
                scope["query_string"].decode(),
                dict(request.headers),
                body,
                status,
                headers,
                bytes(answer),
                at_s,
                fault is not None,
            )
            self._simulator.exchanges.append(exchange)

        at_s = time.monotonic()
        if fault is not None:
            await asyncio.sleep(fault.hang_s)
            response = (
                JSONResponse(fault.body, fault.status, fault.headers)
                if isinstance(fault.body, dict | list)
                else Response(fault.body, fault.status, fault.headers)
            )
            await response(scope, again, record)
        else:
            await self._app(scope, again, record)


def _error(status: int, message: str, reason: str = "") -> JSONResponse:
    return JSONResponse(refusal(status, message, reason).body, status)


def _consent(scope: str, query: str) -> str:
    wishes = "".join(f"<li>{escape(one)}</li>" for one in scope.split())
    agree, cancel = (escape(f"agree?{query}&agree={word}") for word in ("yes", "no"))
    return (
        f"<p>Moodstream asks for:</p><ul>{wishes}</ul><p><a class='agree' href='{agree}'>Agree</a> "
        f"<a href='{cancel}'>Cancel</a></p>"
    )


def _accounts_page(content: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Simulated sign-in</title><style>"
        "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#fff;color:#222;"
        "font:1.1rem/1.5 system-ui,sans-serif}main{max-width:30rem;padding:2rem;border:3px dashed #888}"
        "a{margin-right:1rem}.agree{padding:.5rem 1.2rem;border-radius:2rem;background:#222;color:#fff;"
        "text-decoration:none}</style></head><body><main><h1>Simulated sign-in</h1>"
        f"<p>This is not Spotify: it stands in for its Accounts service, and needs no account.</p>{content}"
        "</main></body></html>"
    )
