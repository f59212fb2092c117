"""The simulator put together: ``/accounts`` stands for accounts.spotify.com, ``/v1`` for api.spotify.com/v1."""

from collections import deque
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from services.player.spotify.simulator.account import Account
from services.player.spotify.simulator.accounts_service import AccountsService
from services.player.spotify.simulator.faults import Fault
from services.player.spotify.simulator.recorder import Exchange, Recorder
from services.player.spotify.simulator.web_api import WebApi


class Simulator:
    """Holds the account, the faults that come next, and all that was exchanged."""

    def __init__(self, kept: int = 2_000) -> None:
        self.account = Account()
        self.faults: list[Fault] = []
        self.exchanges: deque[Exchange] = deque(maxlen=kept)
        self._accounts = AccountsService(self.account)
        self._web_api = WebApi(self.account, self._accounts.is_valid)

    def app(self) -> Starlette:
        routes = [*self._accounts.routes("/accounts"), *self._web_api.routes("/v1")]
        recorder = Middleware(Recorder, take_fault=self._take_fault, record=lambda one: self.exchanges.append(one))
        return Starlette(routes=routes, middleware=[recorder])

    def mount(self, path: str) -> Mount:
        return Mount(path, self.app())

    def sign_in(self, client_id: str) -> dict[str, Any]:
        """A token, as a person gets it who signs in on the pages."""
        return self._accounts.grant(client_id)

    def expire(self) -> None:
        """All access tokens end before their time."""
        self._accounts.expire_access()

    def revoke(self) -> None:
        """The person takes the permission back."""
        self._accounts.revoke()

    def _take_fault(self, path: str) -> Fault | None:
        for number, fault in enumerate(self.faults):
            if fault.path in path:
                left = replace(fault, times=fault.times - 1)
                self.faults[number : number + 1] = [left] if left.times > 0 else []
                return fault
        return None
