"""The worker that leads a camera, on a real server: what happens when another one takes its lease."""

import asyncio

import pytest

from moodstream.contracts.events import FacesRead, MoodChanged, VoiceRead, WordsRead, utc_now
from moodstream.contracts.moods import Mood
from services.emotion.metrics import Metrics
from services.emotion.tracked_camera import TrackedCamera
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from shared.bus.connection import Bus
from tests.support.emotion.readings import script
from tests.support.gateways import connected_bus

LEASE = "mood:lease:tracker:c"


def tracked(bus: Bus) -> TrackedCamera:
    return TrackedCamera(bus, "c", lambda camera_id: VisitMachine(camera_id, "m", Thresholds()), Metrics())


async def apply(camera: TrackedCamera, readings: list[FacesRead]) -> None:
    for number, reading in enumerate(readings, 1):
        await camera.apply_reading(f"{number}-0", reading)


async def moods(bus: Bus) -> list[MoodChanged]:
    return [event for event in await bus.newest(MoodChanged, 100) if isinstance(event, MoodChanged)]


@pytest.mark.parametrize("frames", [1, 8, 20], ids=["nobody yet", "a session that opens now", "an open session"])
async def test_a_leader_whose_lease_was_taken_publishes_nothing_and_goes_on_as_a_follower(
    redis_url: str, frames: int
) -> None:
    async with connected_bus(redis_url) as bus:
        camera, readings = tracked(bus), script((Mood.SAD, 4), (None, 4))
        assert await camera.leads()
        await apply(camera, readings[:4])
        await apply(camera, readings[4:frames])
        before = await moods(bus)
        await bus.redis.set(LEASE, "1 another-host-1")
        await apply(camera, readings[max(4, frames) :])
        assert camera.machine is None
        assert camera.idle
        assert await moods(bus) == before
        assert await bus.redis.get(LEASE) == b"1 another-host-1"


async def test_whoever_takes_a_released_camera_over_resumes_its_session(redis_url: str) -> None:
    async with connected_bus(redis_url) as one, connected_bus(redis_url) as other:
        other.consumer = "other-host-1"
        first, second = tracked(one), tracked(other)
        assert await first.leads()
        assert not await second.leads()
        await apply(first, script((Mood.SAD, 2)))
        [start] = await moods(one)
        await first.release()
        async with asyncio.timeout(3):
            while not await second.leads():  # it asks again when its next question is due
                await asyncio.sleep(0.05)
        assert second.machine is not None
        [end] = second.machine.end()
    assert (end.phase, end.session_id) == ("end", start.session_id)


async def test_a_silent_or_noisy_or_missing_voice_changes_nothing(redis_url: str) -> None:
    """Nothing was told by it: every event is what it would be without."""
    untold = {"camera_id": "c", "probabilities": None, "valence": None, "model": "m"}
    silent = VoiceRead.model_validate(untold | {"heard_at": utc_now(), "arousal": None, "speech_s": 0})
    noisy = silent.model_copy(update={"arousal": 0.9, "speech_s": 2.0, "snr_db": 1.0})
    unclear = WordsRead.model_validate(untold)
    readings = script((Mood.SAD, 2), (Mood.HAPPY, 3), (None, 3))
    told = []
    for heard in ((), (silent, noisy, unclear)):
        async with connected_bus(redis_url) as bus:
            await bus.redis.flushdb()
            camera = tracked(bus)
            assert await camera.leads()
            for number, reading in enumerate(readings, 1):
                await camera.apply_reading(f"{number}-0", reading)
                for one in heard:
                    await camera.apply_heard(one)
            by_chance = {"at", "since", "expires_at", "dwell_s", "trace_id"}
            told.append([event.model_dump(exclude=by_chance) for event in await moods(bus)])
            await camera.release()
    assert told[0] == told[1]
    assert {event["phase"] for event in told[0]} == {"start", "update", "end"}
