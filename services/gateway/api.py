"""The HTTP API below ``/api/v1``: its routes put together, with one way to refuse. All of it is JSON."""

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

from moodstream.contracts.validation import describe_fault
from services.gateway.context import Context
from services.gateway.guard import Guard
from services.gateway.openapi import ABOUT, REFUSALS, SECURITY_SCHEMES, operation_id
from services.gateway.origins import cross_origin
from services.gateway.pages import SecurityHeaders
from services.gateway.routes.alerts import AlertRoutes
from services.gateway.routes.events import EventRoutes
from services.gateway.routes.imports import ImportRoutes
from services.gateway.routes.look import LookRoutes
from services.gateway.routes.operator import OperatorRoutes
from services.gateway.routes.settings import SettingsRoutes
from services.gateway.routes.setup import SetupRoutes
from services.gateway.routes.site import SiteRoutes
from services.gateway.routes.upkeep import UpkeepRoutes
from services.gateway.routes.visitor import VisitorRoutes
from services.gateway.routes.voices import VoiceRoutes
from services.gateway.routes.words import WordsRoutes

log = logging.getLogger("moodstream.gateway")


class Api(FastAPI):
    """An app of its own, so that its errors are JSON whatever else runs in the process."""

    def openapi(self) -> dict[str, Any]:
        """The document; made when somebody first asks for it, since that takes a third of a second."""
        document = super().openapi()
        document["components"]["securitySchemes"] = SECURITY_SCHEMES
        return document


def create_api(context: Context) -> Api:
    """All routes."""
    app = Api(
        title="Moodstream",
        version="1",
        description=ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
        strict_content_type=False,
        responses=REFUSALS,
        servers=[{"url": "/api/v1"}],
        root_path_in_servers=False,
        exception_handlers={
            HTTPException: _refuse,
            RequestValidationError: _refuse_invalid,
            RedisError: _refuse_while_away,
            OSError: _refuse_while_away,
            ClientDisconnect: _drop,
        },
    )
    for router in (
        EventRoutes(context).router(),
        SiteRoutes(context).router(),
        VisitorRoutes(context).router(),
        WordsRoutes(context).router(),
        VoiceRoutes(context).router(),
        OperatorRoutes(context).router(),
        SettingsRoutes(context).router(),
        ImportRoutes(context).router(),
        SetupRoutes(context).router(),
        LookRoutes(context).router(),
        AlertRoutes(context).router(),
        UpkeepRoutes(context).router(),
    ):
        app.include_router(router)
    return app


def mount(context: Context, origins: frozenset[str] = frozenset()) -> Mount:
    """The API with what guards it; pages of ``origins`` may use it as visitors do."""
    return Mount(
        "/api/v1",
        create_api(context),
        middleware=[
            Middleware(SecurityHeaders, cache="no-store"),
            *cross_origin(origins),
            Middleware(Guard, origins=origins),
        ],
    )


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # of several routes with one path, Starlette names the methods of the first alone
        headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return JSONResponse({"error": error.detail}, error.status_code, headers=headers)


def _methods_of(request: Request) -> set[str]:
    """What may be done with the path of a request, whatever it wants."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


async def _refuse_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    if fault["type"] == "json_invalid":
        return JSONResponse({"error": "the body is not valid JSON"}, 400)
    place = [part for part in fault["loc"] if part not in ("body", "query")]
    return JSONResponse({"error": describe_fault(place or ["body"], fault["msg"])}, 422)


async def _refuse_while_away(_: Request, error: Exception) -> JSONResponse:
    log.info("a request failed because Redis is away: %s", error or type(error).__name__)
    return JSONResponse({"error": "Redis does not answer; try again in a moment"}, 503)


async def _drop(_: Request, __: Exception) -> Response:
    """The client has left before its request was complete; nobody reads the answer."""
    return Response(status_code=400)
