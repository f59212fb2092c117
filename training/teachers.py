"""What finished networks predict for faces: targets for a pupil.

G. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from training.backends import keras, on_the_host, ops
from training.data import EXPRESSIONS, FOUR, SIZE, DataError
from training.networks import of_four
from training.runs import best_of


class Teachers(keras.Layer):  # type: ignore[misc]  # Keras has no types
    """Finished networks; each reads every face twice, as it is and ``mirrored``, and all answers count alike.

    A run's folder is read on the device that trains; an exported file on the processor, where one of int8 answers in
    a third of the time that its weights take in TensorFlow, and as rightly. ``temperature`` flattens the mean answer.
    Raises DataError when one is neither.
    """

    def __init__(self, places: Sequence[Path], temperature: float, mirrored: bool = True) -> None:
        super().__init__(trainable=False, dtype="float32")
        self._temperature, self._mirrored = temperature, mirrored
        self._networks = [of_four(best_of(place)) for place in places if place.is_dir()]
        for network in self._networks:
            network.trainable = False
        self._files = [_exported(place) for place in places if not place.is_dir()]

    def __len__(self) -> int:
        return len(self._networks) + len(self._files)

    def call(self, faces: keras.KerasTensor) -> keras.KerasTensor:
        """Probabilities float32 [B, 7] of the expressions, for grey levels [B, size, size, 1]; only moods have any."""
        views = self._views(faces)
        answers = [ops.softmax(network(view, training=False)) for network in self._networks for view in views]
        if self._files:
            levels = ops.cast(ops.round(ops.image.resize(faces, (SIZE, SIZE))), "uint8")[..., 0]
            read = on_the_host(self._read, levels, (len(MOODS),))
            answers += [read] * (len(self._files) * len(views))
        flat = (sum(answers) / len(answers)) ** (1 / self._temperature)
        spread = np.eye(len(EXPRESSIONS), dtype=np.float32)[FOUR]
        return ops.matmul(flat / ops.sum(flat, axis=1, keepdims=True), spread)

    def _views(self, faces: Any) -> tuple[Any, ...]:
        return (faces, faces[:, :, ::-1]) if self._mirrored else (faces,)

    def _read(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean answer of the files, [B, 4]."""
        faces = np.asarray(faces)
        answers = [one.probabilities(view) for one in self._files for view in self._views(faces)]
        return np.asarray(np.mean(answers, axis=0), np.float32)


def _exported(file: Path):  # type: ignore[no-untyped-def]
    from services.emotion.faces.classifier import Classifier  # the accelerator has no use for it

    try:
        return Classifier(file)
    except MoodstreamError as error:
        raise DataError(f"not a teacher: {error}") from None
