"""What stands in an entry of a stream comes back as it was written."""

from datetime import UTC, datetime

import pytest

from moodstream.contracts.events import FrameCaptured
from shared.bus.message_format import decode_frame, encode_frame, unwrapped


@pytest.mark.parametrize("camera_id", ["camera-1", "Küche", "入口", "Indkørsel", "مدخل", "🎥"])
async def test_a_frame_keeps_the_name_of_its_camera_in_any_script(camera_id: str) -> None:
    frame = FrameCaptured(
        camera_id=camera_id,
        run_id="1",
        seq=7,
        captured_at=datetime(2026, 11, 1, tzinfo=UTC),
        jpeg=b"\xff\xd8\x00\xff\xd9",
    )
    body, headers = unwrapped(await encode_frame(frame))
    assert decode_frame(headers, body) == frame
