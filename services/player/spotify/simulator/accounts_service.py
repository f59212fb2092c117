"""Stands for accounts.spotify.com: Authorization Code with PKCE, and refresh tokens."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.player.spotify.simulator.account import Account

TOKEN_S = 3600
CODE_S = 60
SCOPE = "user-modify-playback-state user-read-playback-state"


@dataclass(frozen=True)
class _Code:
    """What a person has agreed to; it is traded for a token once."""

    client_id: str
    redirect_uri: str
    challenge: str
    scope: str
    until_s: float


class AccountsService:
    """The pages on which a person agrees, and the tokens that follow."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, float] = {}
        """access tokens, and until when they are valid"""
        self._refresh: dict[str, str] = {}
        """refresh tokens, and the client that each is for"""

    def routes(self, path: str) -> list[Route]:
        return [
            Route(f"{path}/authorize", self._authorize),
            Route(f"{path}/agree", self._agree),
            Route(f"{path}/api/token", self._token, methods=["POST"]),
        ]

    def is_valid(self, access_token: str) -> bool:
        return self._access.get(access_token, 0.0) >= time.monotonic()

    def expire_access(self) -> None:
        """All access tokens end before their time."""
        self._access.clear()

    def revoke(self) -> None:
        """The person takes the permission back."""
        self._access.clear()
        self._refresh.clear()

    def grant(self, client_id: str, scope: str = "") -> dict[str, Any]:
        """A new token, as the Accounts service answers it."""
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._access[access] = time.monotonic() + TOKEN_S
        self._refresh[refresh] = client_id
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "refresh_token": refresh,
            "scope": scope or SCOPE,
        }

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        fault = self._client_fault(asked.get("client_id", ""), asked.get("redirect_uri", ""))
        if fault is None and (asked.get("response_type"), asked.get("code_challenge_method")) != ("code", "S256"):
            fault = "response_type must be code, and code_challenge_method S256"
        if fault is not None:
            return HTMLResponse(_page(escape(fault)), 400)
        return HTMLResponse(_page(_consent(asked.get("scope", ""), urlencode(asked.multi_items()))))

    def _client_fault(self, client_id: str, redirect_uri: str) -> str | None:
        if client_id not in self._account.client_ids:
            return "INVALID_CLIENT: Invalid client"
        parts, registered = urlsplit(redirect_uri), self._account.redirect_uris
        loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
        fits = loopback if registered is None else redirect_uri in registered
        return None if fits else "INVALID_CLIENT: Invalid redirect URI"

    async def _agree(self, request: Request) -> Response:
        asked = request.query_params
        client_id, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
        if fault := self._client_fault(client_id, redirect_uri):
            return HTMLResponse(_page(escape(fault)), 400)
        answer = {"state": asked.get("state", "")}
        if asked.get("agree") != "yes":
            return RedirectResponse(f"{redirect_uri}?{urlencode({'error': 'access_denied'} | answer)}", 303)
        code = secrets.token_urlsafe(24)
        challenge, scope = asked.get("code_challenge", ""), asked.get("scope", "")
        self._codes[code] = _Code(client_id, redirect_uri, challenge, scope, time.monotonic() + CODE_S)
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code} | answer)}", 303)

    async def _token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        if given.get("client_id") not in self._account.client_ids:
            return _oauth_error("invalid_client", "Invalid client")
        if given.get("grant_type") == "refresh_token":
            return self._refreshed(given)
        code = self._codes.pop(given.get("code", ""), None)
        if code is None or (code.client_id, code.redirect_uri) != (given["client_id"], given.get("redirect_uri")):
            return _oauth_error("invalid_grant", "Invalid authorization code")
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).decode().rstrip("=") == code.challenge
        if not proven or time.monotonic() >= code.until_s:
            return _oauth_error("invalid_grant", "code_verifier was incorrect")
        return JSONResponse(self.grant(code.client_id, code.scope))

    def _refreshed(self, given: dict[str, str]) -> Response:
        old = given.get("refresh_token", "")
        if self._refresh.get(old) != given["client_id"]:
            return _oauth_error("invalid_grant", "Refresh token revoked")
        fresh = self.grant(given["client_id"])
        if self._account.rotates:
            del self._refresh[old]
        else:
            del self._refresh[fresh.pop("refresh_token")]
        return JSONResponse(fresh)


def _oauth_error(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, 400)


def _consent(scope: str, query: str) -> str:
    scopes = "".join(f"<li>{escape(one)}</li>" for one in scope.split())
    agree, cancel = (escape(f"agree?{query}&agree={word}") for word in ("yes", "no"))
    return (
        f"<p>Moodstream asks for:</p><ul>{scopes}</ul><p><a class='agree' href='{agree}'>Agree</a> "
        f"<a href='{cancel}'>Cancel</a></p>"
    )


def _page(content: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Simulated sign-in</title><style>"
        "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#fff;color:#222;"
        "font:1.1rem/1.5 system-ui,sans-serif}main{max-width:30rem;padding:2rem;border:3px dashed #888}"
        "a{margin-right:1rem}.agree{padding:.5rem 1.2rem;border-radius:2rem;background:#222;color:#fff;"
        "text-decoration:none}</style></head><body><main><h1>Simulated sign-in</h1>"
        f"<p>This is not Spotify: it stands in for its Accounts service, and needs no account.</p>{content}"
        "</main></body></html>"
    )
