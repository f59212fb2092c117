"""Alerts: who gets them, and whether they arrive. Staff may look and test, the owner says to whom they go."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from moodstream.errors import MoodstreamError
from services.gateway.alerts.receivers import Mail, Receivers, WebAddress
from services.gateway.bodies import Body, Result
from services.gateway.context import Context
from services.gateway.openapi import NOTED
from services.gateway.site_settings.control import Refused
from shared.web.webhook_secret import new_secret


class ChangeReceivers(Body):
    """What is left out stays as it is, as does the password of the same mail account; null takes it away."""

    ntfy: WebAddress | None = None
    webhook: WebAddress | None = None
    mail: Mail | None = None


class AlertRoutes:
    """Addresses and passwords are never told again."""

    def __init__(self, context: Context) -> None:
        self._context, self._alerts = context, context.alerts

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/operator/alerts", tags=["operator"])
        staff, owner = [Depends(self._admit)], [Depends(self._admit_owner)]
        add = router.add_api_route
        add("", self.read, methods=["GET"], dependencies=staff, response_model=Result, **NOTED)
        add("", self.change, methods=["POST"], dependencies=owner, response_model=Result, **NOTED)
        add("/test", self.test, methods=["POST"], dependencies=owner, response_model=Result, **NOTED)
        return router

    async def _admit(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request, owner=False)

    async def _admit_owner(self, request: Request) -> None:
        request.state.who = self._context.operator.admit(request)

    async def read(self) -> JSONResponse:
        """Who gets alerts, of addresses the host alone; what is wrong now, and the newest alert."""
        return JSONResponse({"result": await self._told()})

    async def _told(self) -> dict[str, Any]:
        receivers = (await self._read()).shown()
        problems = list((await self._alerts.problems()).values())
        return {**receivers, "problems": problems, "last": self._alerts.told.last}

    async def change(self, request: Request, body: ChangeReceivers) -> JSONResponse:
        """Set or take away some receivers. A new webhook gets a secret, which `webhook_secret` here alone tells."""
        before = await self._read()
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        if body.mail is not None and before.mail is not None:
            changes["mail"] = body.mail.keeping(before.mail)
        if "webhook" in changes:
            changes["webhook_secret"] = new_secret() if body.webhook else None
        try:
            await self._context.settings.note(request.state.who, f"alerts: {', '.join(sorted(changes)) or 'none'}")
            await asyncio.to_thread(self._alerts.file.write, before.model_copy(update=changes))
        except Refused as refused:
            raise HTTPException(refused.status, str(refused)) from None
        except OSError as error:
            raise HTTPException(507, f"it could not be stored, and stays as it was: {error.strerror}") from None
        answer = await self._told()
        return JSONResponse({"result": {**answer, "webhook_secret": changes.get("webhook_secret")}})

    async def test(self) -> JSONResponse:
        """Send a test to every receiver: by receiver, null where it was taken, else why it was not."""
        try:
            return JSONResponse({"result": await self._alerts.test()})
        except MoodstreamError as error:
            raise HTTPException(409, str(error)) from None

    async def _read(self) -> Receivers:
        try:
            return await asyncio.to_thread(self._alerts.file.read)
        except MoodstreamError as error:
            raise HTTPException(409, str(error)) from None
