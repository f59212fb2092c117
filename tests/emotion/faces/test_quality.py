"""Faces are refused where nobody could read them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.quality import REASONS, refusal


def textured(mean: float = 128, spread: float = 40) -> Grey:
    random = np.random.default_rng(5).normal(0, 1, (48, 24))
    half = cv2.GaussianBlur(random, (0, 0), 1.2)
    face = np.hstack([half, half[:, ::-1]])
    return np.asarray(np.clip(mean + spread * face / face.std(), 0, 255), np.uint8)


def smeared() -> Grey:
    disc = cv2.circle(np.full((48, 48), 60, np.uint8), (24, 24), 12, 200, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(disc, (0, 0), 5), np.uint8)


INSIDE = Box(100, 100, 100, 100)


@pytest.mark.parametrize(
    ("box", "face", "reason"),
    [
        (INSIDE, textured(), None),
        (Box(100, 100, 20, 20), textured(), "too small"),
        (Box(-40, 100, 100, 100), textured(), "at the border"),
        (INSIDE, textured(10, 9), "too dark"),
        (INSIDE, textured(250, 9), "too bright"),
        (INSIDE, textured(128, 3), "no contrast"),
        (INSIDE, smeared(), "blurred"),
        (Box(100, 100, 100, 100, turned=True), textured(), "turned away"),
        (INSIDE, np.hstack([textured()[:, :24], 255 - textured()[:, 24:]]), "turned away"),
    ],
)
def test_each_gate(box: Box, face: Grey, reason: str | None) -> None:
    assert refusal(box, face, (360, 640)) == reason
    assert reason is None or reason in REASONS


@pytest.mark.reference
def test_the_gates_let_learnable_faces_through(reference: Path) -> None:
    images = np.load(reference / "faces" / "fer2013_train_val.npz")["images"][:2000].reshape(-1, 48, 48)
    refused = [refusal(INSIDE, face, (360, 640)) for face in images]
    assert sum(one is not None for one in refused) < 0.02 * len(images)
