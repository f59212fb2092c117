"""Under which addresses visitors reach the page, for the end of the set-up. The operator alone may ask."""

import asyncio
import ipaddress
import socket
from pathlib import Path

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.gateway.bodies import Result
from services.gateway.context import Context
from services.gateway.openapi import NOTED
from shared.host_names import LOCAL
from shared.networks import is_here

ELSEWHERE = "192.0.2.1"
"""An address that nobody has (RFC 5737): to learn from which of its own this machine would send; nothing is sent."""
IN_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"), Path("/var/run/secrets/kubernetes.io"))


class SetupRoutes:
    """What the set-up has to ask, beyond the settings."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator", tags=["operator"], dependencies=[Depends(self._admit)])
        router.add_api_route("/address", self.address, methods=["GET"], response_model=Result, **NOTED)
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    async def address(self, request: Request) -> JSONResponse:
        """The addresses of the visitors' page, the best first; `others`: whether other machines can reach one."""
        url = request.url
        here = f"{url.scheme}://{url.netloc}/"
        found = [] if _is_local(url.hostname) else [here]
        if not found and _is_everywhere(self._context.listens_on) and (own := await asyncio.to_thread(_own_address)):
            found.append(f"{url.scheme}://{own}" + (f":{url.port}/" if url.port else "/"))
        listens = self._context.listens_on
        return JSONResponse(
            {
                "result": {
                    "addresses": found or [here],
                    "others": bool(found),
                    "listens_on": listens,
                    "scheme": url.scheme,
                }
            }
        )


def _is_local(host: str | None) -> bool:
    return host is None or host == LOCAL or is_here(host)


def _is_everywhere(host: str) -> bool:
    """Whether who listens there can be reached under every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _own_address() -> str | None:
    """Of this machine in its network; None where it has none, or is a container, whose address nobody outside knows."""
    if any(file.exists() for file in IN_CONTAINER):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((ELSEWHERE, 9))
        except OSError:
            return None
        address: str = asked.getsockname()[0]
    return None if is_here(address) else address
