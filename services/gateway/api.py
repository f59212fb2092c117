"""The HTTP API below ``/api/v1``: put together from its parts, with one way to refuse. All of it is JSON."""

import logging
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount

from services.gateway.bodies import Problem
from services.gateway.context import Parts
from services.gateway.guard import Guard
from services.gateway.pages import SecurityHeaders
from services.gateway.routes.events import Listening
from services.gateway.routes.operator import SCHEMES, Operating
from services.gateway.routes.site import Reading
from services.gateway.routes.visitor import Visiting

log = logging.getLogger("moodstream.gateway")

ABOUT = """What visitors and programs may do at a running Moodstream. Refusals are `{"error": "one line"}`.
Requests that change something are taken from pages of this server and from programs, not from other sites' pages.
Live events are at `/events` (server-sent) and `/events/ws` (WebSocket)."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is not valid JSON"},
    401: {"model": Problem, "description": "The operator's token is needed"},
    403: {"model": Problem, "description": "Another site's page, or not the operator"},
    404: {"model": Problem, "description": "Not known, or over"},
    409: {"model": Problem, "description": "The service that was asked refuses"},
    413: {"model": Problem, "description": "The body is too big"},
    422: {"model": Problem, "description": "A field or parameter is wrong"},
    429: {"model": Problem, "description": "Too many requests from this address"},
    503: {"model": Problem, "description": "Redis does not answer"},
    504: {"model": Problem, "description": "The service that was asked does not answer"},
}


def create_api(parts: Parts) -> FastAPI:
    """An app of its own, so that its errors are JSON whatever else runs in the process."""
    app = FastAPI(
        title="Moodstream",
        version="1",
        description=ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        responses=REFUSALS,
        servers=[{"url": "/api/v1"}],
        root_path_in_servers=False,
        exception_handlers={
            HTTPException: _refusal,
            RequestValidationError: _not_valid,
            RedisError: _redis_away,
            OSError: _redis_away,
            ClientDisconnect: _nobody,
        },
    )
    listening = Listening(parts.bus, parts.feed, parts.listeners_most)
    for router in (
        listening.router(),
        Reading(parts).router(),
        Visiting(parts).router(),
        Operating(parts).router(),
    ):
        app.include_router(router)
    app.openapi()["components"]["securitySchemes"] = SCHEMES
    return app


def mount(parts: Parts) -> Mount:
    """The API with what guards it."""
    return Mount(
        "/api/v1",
        create_api(parts),
        middleware=[Middleware(SecurityHeaders, cache="no-store"), Middleware(Guard, limits=parts.limits)],
    )


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # of several routes with one path, Starlette names the methods of the first alone
        headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return JSONResponse({"error": error.detail}, error.status_code, headers=headers)


def _methods_of(request: Request) -> set[str]:
    """What may be done with the path of a request, whatever it wants."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return JSONResponse({"error": "the body is not valid JSON"}, 400)
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query")) or "body"
    return JSONResponse({"error": f"{where}: {first['msg']}"}, 422)


async def _redis_away(_: Request, error: Exception) -> JSONResponse:
    log.info("a request failed because Redis is away: %s", error or type(error).__name__)
    return JSONResponse({"error": "Redis does not answer; try again in a moment"}, 503)


async def _nobody(_: Request, __: Exception) -> Response:
    """The sender left in mid-sentence; there is nobody to answer."""
    return Response(status_code=400)
