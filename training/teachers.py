"""What finished networks predict for faces: targets for a pupil.

G. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.emotion.faces.classifier import Classifier
from training.data import EXPRESSIONS, FOUR, SIZE, DataError


class Teachers:
    """Exported networks; each reads every face twice, as it is and mirrored, and all answers count alike.

    A file of int8 answers in a third of the time that its weights take in TensorFlow, and as rightly.
    ``temperature`` flattens the mean answer. Raises DataError when a file is not an exported network.
    """

    def __init__(self, files: Sequence[Path], temperature: float) -> None:
        try:
            self._networks = [Classifier(file) for file in files]
        except MoodstreamError as error:
            raise DataError(f"not a teacher: {error}") from None
        self._temperature = temperature

    def __len__(self) -> int:
        return len(self._networks)

    def answers(self, faces: tf.Tensor) -> tf.Tensor:
        """Probabilities float32 [B, 7] of the expressions, for grey levels [B, size, size, 1]; only moods have any."""
        levels = tf.cast(tf.round(tf.image.resize(faces, [SIZE, SIZE])), tf.uint8)
        moods = tf.ensure_shape(tf.numpy_function(self._mean, [levels[..., 0]], tf.float32), [None, len(MOODS)])
        flat = moods ** (1 / self._temperature)
        spread = np.eye(len(EXPRESSIONS), dtype=np.float32)[FOUR]
        return flat / tf.reduce_sum(flat, axis=1, keepdims=True) @ spread

    def _mean(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = [one.probabilities(view) for one in self._networks for view in (faces, faces[:, :, ::-1])]
        return np.asarray(np.mean(answers, axis=0), np.float32)
