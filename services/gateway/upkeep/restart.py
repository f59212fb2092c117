"""Ending this process so that its supervisor starts it again."""

import asyncio
import os
from collections.abc import Mapping

from shared.app.jobs import RestartWanted

SUPERVISED = "MOODSTREAM_LIFELINE"
"""Set by `moodstream run` for its child, which holds every service."""
ANSWER_S = 0.5
"""The answer to whoever asked leaves first."""


KUBERNETES = "KUBERNETES_SERVICE_HOST"
"""Set by Kubernetes in every container."""
SYSTEMD = "INVOCATION_ID"
"""Set by systemd in what it starts."""


def other_services(environment: Mapping[str, str]) -> str | None:
    """Where the lines of the others are, and how they are started again; None where this process holds them all."""
    if SUPERVISED in environment:
        return None
    if KUBERNETES in environment:
        return "kubectl logs --tail 100 deployment/SERVICE, kubectl rollout restart deployment/SERVICE"
    if SYSTEMD in environment:
        return "journalctl --lines 100 --unit NAME, systemctl restart NAME, with the name of the service's unit"
    return "docker-compose logs --tail 100 SERVICE, docker-compose restart SERVICE; else where you have started them"


class Upkeep:
    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self.owns_services = SUPERVISED in os.environ
        """whether this process holds all services, under a parent that starts it again"""

    def restart(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Raises RestartWanted once it is wanted."""
        await self._wanted.wait()
        await asyncio.sleep(ANSWER_S)
        raise RestartWanted
