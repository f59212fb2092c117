"""Single pictures and frames through the reader."""

from moodstream.contracts.events import FrameCaptured, utc_now
from services.emotion.faces.boxes import Box
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.decode import decode_grey
from services.emotion.faces.reader import Reader
from services.emotion.handlers import create_reading
from tests.support.pictures import encoded, noise


class NoDetector:
    def find_faces(self, grey: object) -> list[Box]:
        return []

    def find_faces_fast(self, grey: object) -> list[Box]:
        return []

    def find_face_near(self, grey: object, box: Box, reach: float, spread: float) -> Box | None:
        return None


def frame(jpeg: bytes) -> FrameCaptured:
    return FrameCaptured(camera_id="c", run_id="1", seq=7, captured_at=utc_now(), jpeg=jpeg)


def test_a_corrupt_frame_is_a_reading_with_an_error_and_no_faces() -> None:
    reader = Reader(NoDetector(), Classifier())
    result, fault = create_reading(reader, frame(b"<html>"))
    assert fault == "no picture"
    assert (result.error, result.faces, result.seq) == ("not a JPEG picture", (), 7)
    assert create_reading(reader, frame(encoded(noise())))[0].error is None
    assert create_reading(reader, frame(b""))[0].id == result.id


def test_a_bare_crop_is_read_as_a_face_only_where_that_is_asked() -> None:
    reader, crop = Reader(NoDetector(), Classifier()), decode_grey(encoded(noise(48, 48)))
    assert reader.read_picture(crop) == []
    [face] = reader.read_picture(crop, bare_crop=True)
    assert face.box == (0, 0, 48, 48)
    assert reader.read_picture(decode_grey(encoded(noise(200, 200))), bare_crop=True) == []
