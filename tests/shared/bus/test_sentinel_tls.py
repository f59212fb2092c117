"""Servers and Sentinels that speak TLS alone: the same address with another scheme."""

from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.shared.bus.test_sentinel import status
from tests.support.certificates import certificate
from tests.support.redis_servers import PASSWORD, trio


async def test_over_tls_a_leader_that_dies_costs_a_moment_and_strangers_are_refused(tmp_path: Path) -> None:
    key, authority = certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other")
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + authority.read_text())
    with trio(both) as servers:
        for url, ca, says in (
            (servers.url.replace("rediss", "redis"), authority, "none of the Sentinels at [0-9.:, ]+ answers$"),
            (servers.url, other, "or their certificates are not trusted"),
            (servers.url, None, "or their certificates are not trusted"),
        ):
            address = load(Settings, redis_url=url, redis_ca=ca and str(ca)).address(url)
            with pytest.raises(MoodstreamError, match=says) as told, connected(address):
                pass
            assert PASSWORD not in str(told.value)

        settings = load(Settings, redis_url=servers.url, redis_ca=str(authority))
        bus = create_bus(settings)
        await bus.connect()
        for number in range(10):
            await bus.publish(status(number))
        old = servers.leader()
        servers.kill(old)
        for number in range(10, 20):  # tried again until another leads
            await bus.publish(status(number))
        assert servers.leader() != old
        assert await bus.redis.xlen("mood:status") == 20
        await bus.close()
        with connected(settings.address(servers.url)) as client:
            assert client.xlen("mood:status") == 20
