"""Answers that the simulator gives instead of the right ones."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response


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

    @property
    def response(self) -> Response:
        if isinstance(self.body, dict | list):
            return JSONResponse(self.body, self.status, self.headers)
        return Response(self.body, self.status, self.headers)


def refusal(status: int, message: str = "", reason: str = "", **more: Any) -> Fault:
    """An error of the Web API in its own form."""
    error: dict[str, Any] = {"status": status, "message": message or reason or "error"}
    return Fault(status, {"error": error | ({"reason": reason} if reason else {})}, **more)


def rate_limit(seconds: int | str, **more: Any) -> Fault:
    return refusal(429, "API rate limit exceeded", headers={"Retry-After": str(seconds)}, **more)
