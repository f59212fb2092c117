"""What the page keeps of its visitors: ``python -m benchmarks.page_soak [VISITORS]``. Needs Chromium."""

import asyncio
import os
import sys
import time

from services.cli.run.embedded_redis import embedded_redis
from tests.support.gateways import Gateway, connected_bus
from tests.support.page.browser import launch, open_page
from tests.support.page.visits import growth

MAX_MB = 5.0
WARM_UP = 50


async def soak(visitors: int, redis_url: str, gateway: Gateway) -> float:
    async with connected_bus(redis_url) as bus, launch() as browser, open_page(browser, gateway) as page:
        return await growth(page, bus, visitors, WARM_UP) / 1e6


def main() -> int:
    visitors = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    begun = time.monotonic()
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_GOODBYE_S": "0"}).run() as gateway:
        grown = asyncio.run(soak(visitors, url, gateway))
    took = time.monotonic() - begun
    print(f"{visitors} visitors in {took:.0f} s, load {os.getloadavg()[0]:.1f}")
    print(f"the heap of the page grew by {grown:.2f} MB, target < {MAX_MB}")
    return 0 if grown < MAX_MB else 1


if __name__ == "__main__":
    sys.exit(main())
