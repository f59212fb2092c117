"""What a network learns from at each step: changed faces, and what they should be read as."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.augment import MIRRORED_ONLY, Augmentation, augment, cut_and_mix, mix
from training.backends import Tensor, keras, ops
from training.config import Config, Phase
from training.data import EXPRESSIONS, FOUR, SoftFaces
from training.teachers import Teachers


class Lesson(keras.Layer):  # type: ignore[misc]  # Keras has no types
    """Grey levels uint8 [B, 48, 48, 1] and targets [B, 7] -> the mean loss, and the share read as the target says.

    The teachers have their share in the targets where the four moods are learnt; they know no other expressions.
    """

    def __init__(self, network: keras.Model, config: Config, phase: Phase, teachers: Teachers) -> None:
        super().__init__(dtype="float32")
        self.network, self._phase, self._share = network, phase, config.share_of_teachers
        self._teachers = teachers if len(teachers) and phase.faces != "all" else None
        self._how = MIRRORED_ONLY if config.augmentation is None else replace(Augmentation(), **config.augmentation)
        self._seed = keras.random.SeedGenerator(0)
        self.built = True  # by its parts

    def begin(self, seed: int) -> None:
        """The chance of an epoch depends on its seed alone."""
        self._seed.state.assign(np.array([seed, 0]))

    def call(self, faces: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        faces = augment(faces, self._how, self._seed, self._phase.size)
        if self._phase.mixup:
            faces, targets = mix(faces, targets, self._phase.mixup, self._seed)
        if self._phase.cutmix:
            faces, targets = cut_and_mix(faces, targets, self._phase.cutmix, self._seed)
        if self._teachers is not None:
            own = (1 - self._share) * targets
            targets = own + (1 - ops.sum(own, axis=1, keepdims=True)) * self._teachers(faces)
        logits = seven(self.network(faces, training=True))
        right = ops.equal(ops.argmax(logits, axis=1), ops.argmax(targets, axis=1))
        return ops.mean(ops.categorical_crossentropy(targets, logits, from_logits=True)), ops.mean(right)


def seven(logits: Tensor) -> Tensor:
    """Logits of a network of four moods among the seven expressions, the others next to impossible."""
    if logits.shape[-1] == len(EXPRESSIONS):
        return logits
    spread = np.eye(len(EXPRESSIONS), dtype=np.float32)[FOUR]
    return ops.matmul(logits, spread) - 30 * (1 - spread.sum(axis=0))


def faces_of(faces: SoftFaces, phase: Phase) -> NDArray[np.int64]:
    """Which faces the phase learns from."""
    return np.flatnonzero(faces.moods) if phase.faces == "moods" else np.arange(len(faces.images))


def targets_of(faces: SoftFaces, phase: Phase, smoothing: float) -> NDArray[np.float32]:
    """Targets [N, 7] of all faces; nothing for a face of another expression where only the moods are learnt."""
    targets = faces.targets
    if phase.faces != "all":
        targets = targets * np.isin(np.arange(len(EXPRESSIONS)), FOUR)
        targets = targets / targets.sum(axis=1, keepdims=True).clip(1e-9) * faces.moods[:, None]
    learnt = targets.any(axis=0)
    smoothed = targets * (1 - smoothing) + learnt / np.count_nonzero(learnt) * smoothing
    return np.where(targets.any(axis=1, keepdims=True), smoothed, 0).astype(np.float32)
