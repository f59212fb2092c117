"""WebSockets among the connections of a process; needs the package ``websockets``, which the gateway alone has."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from shared.app.connections import Connections


class WebSockets(WebSocketsSansIOProtocol):
    """uvicorn's protocol, whose end is counted as that of the connection that it took over."""

    def __init__(self, *given: Any, connections: Connections, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = connections

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, **self._limits.about(transport)}

    def connection_lost(self, exc: Exception | None) -> None:
        self._limits.release(self.transport)
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        """Return once what was sent is on its way, so that its sender knows what a slow reader still holds."""
        await super().send(message)
        if not self.transport.is_closing():
            await self.writable.wait()
