"""Pictures without the mark of their end, whole and cut."""

import cv2
import numpy as np
import pytest

from services.camera.capture.jpeg_end import END, lacks_only_its_end
from tests.support.pictures import noise


def unended(flat: bool, progressive: bool) -> bytes:
    picture = np.full((120, 160, 3), 90, np.uint8) if flat else noise(120, 160)
    kinds = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    jpeg = cv2.imencode(".jpg", picture, kinds)[1].tobytes()
    assert jpeg.endswith(END)
    return jpeg.removesuffix(END)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_a_picture_that_lacks_its_mark_alone_is_whole(flat: bool, progressive: bool) -> None:
    assert lacks_only_its_end(unended(flat, progressive))


@pytest.mark.parametrize("share", [0.2, 0.4, 0.95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_that_is_cut_is_not(progressive: bool, share: float) -> None:
    whole = unended(False, progressive)
    assert not lacks_only_its_end(whole[: int(share * len(whole))])


def test_what_is_no_picture_is_not_whole() -> None:
    assert not lacks_only_its_end(b"\xff\xd8\xff\xe0 nothing else")
