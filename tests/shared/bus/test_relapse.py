"""The log of an outage says its start and its end once, whatever dead connections are found afterwards."""

import logging

import pytest

from shared.bus.outage import Outage


def test_what_is_left_of_a_fault_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    outage = Outage("redis://here", clock=lambda: now[0])
    fault = ConnectionError("closed")

    def fails_for(seconds: float) -> None:
        outage.report("looking", fault)
        now[0] += seconds
        outage.report("looking", fault)
        outage.resolve("looking")
        assert outage.end_if_resolved() is not None

    with caplog.at_level(logging.WARNING, "moodstream.redis"):
        fails_for(8)
        for _ in range(3):
            now[0] += 2
            fails_for(1)
        assert [record.getMessage() for record in caplog.records] == [
            "waiting for Redis at redis://here: closed (looking)",
            "Redis at redis://here works again after 8.0 s",
        ]
        now[0] += 60
        fails_for(4)
        assert len(caplog.records) == 4
        now[0] += 1
        fails_for(40)  # a relapse that lasts is told
    told = [record.getMessage() for record in caplog.records[4:]]
    assert [text.split(" at ")[0] for text in told] == ["still waiting for Redis", "Redis"]
    assert told[-1].endswith("works again after 40.0 s")
