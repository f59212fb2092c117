"""Faces in single pictures: photographs, upright and leaning drawn faces, noise."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.emotion.faces.boxes import overlap
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.patches import crop
from services.emotion.faces.yunet import YuNetDetector
from tests.support.pictures import drawn_face, noise, rotated


def counts(detector: Detector, reference: Path) -> tuple[int, int, int]:
    """Single faces found, single faces found twice, pictures without a face in which one is found."""
    found = twice = false = 0
    with (reference / "frames" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            if row["faces"] not in ("0.0", "1.0", "0", "1"):
                continue
            grey = cv2.imread(str(reference / "frames" / row["file"]), cv2.IMREAD_GRAYSCALE)
            assert grey is not None
            boxes = detector.find_faces(np.asarray(grey, np.uint8))
            single = float(row["faces"]) == 1
            found += single and len(boxes) > 0
            twice += single and len(boxes) > 1
            false += not single and len(boxes) > 0
    return found, twice, false


@pytest.mark.reference
def test_photographs_with_one_face_and_with_none(haar: HaarDetector, reference: Path) -> None:
    found, twice, false = counts(haar, reference)
    assert found >= 123
    assert twice <= 2
    assert false == 0


@pytest.mark.reference
def test_photographs_through_yunet(yunet: YuNetDetector, reference: Path) -> None:
    found, twice, false = counts(yunet, reference)
    assert found >= 123
    assert twice <= 2
    assert false <= 1  # a dog


def test_an_upright_face_is_found_once_and_noise_is_none(haar: HaarDetector) -> None:
    [box] = haar.find_faces(drawn_face())
    assert box.tilt_deg == 0
    assert haar.find_faces(noise()) == []
    assert haar.find_faces_fast(noise()) == []


@pytest.mark.parametrize("degrees", [-32, 32])
def test_a_leaning_face_is_found_and_set_upright(haar: HaarDetector, degrees: int) -> None:
    [upright], leaning = haar.find_faces(drawn_face()), rotated(drawn_face(), degrees)
    [box] = haar.find_faces(leaning)
    assert box.tilt_deg * degrees < 0
    again = haar.find_face_near(leaning, box, 0.25, 1.25)
    assert again is not None
    assert overlap(again, box) > 0.6
    straight, set_upright = crop(drawn_face(), upright).astype(float), crop(leaning, box).astype(float)
    assert np.corrcoef(straight.ravel(), set_upright.ravel())[0, 1] > 0.6
