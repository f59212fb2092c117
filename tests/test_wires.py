"""One change of mood arrives on Redis, SSE, WebSocket, webhook, MQTT and OSC."""

from pathlib import Path

from tests.support.wires import WIRES, measure, p95


async def test_a_change_of_mood_arrives_on_every_wire_soon(redis_url: str, tmp_path: Path) -> None:
    delays = await measure(redis_url, tmp_path, count=20)
    assert {wire: len(values) for wire, values in delays.items()} == dict.fromkeys(WIRES, 20)
    # a generous bound for machines that are busy; `python -m benchmarks.wires` tells the real figures
    assert {wire: p95(values) for wire, values in delays.items() if p95(values) > 1_000} == {}
