"""The four moods of a network, and the graph that is exported."""

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from training.backends import keras, layers
from training.data import EXPRESSIONS, FOUR, SIZE
from training.measures import PLAIN, Calibration


def four_of(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of the four moods [N, 4], from those of four or of seven expressions [N, 7]."""
    return logits if logits.shape[1] == len(MOODS) else logits[:, FOUR]


def of_four(network: keras.Model) -> keras.Model:
    """Logits of the four moods [N, 4] in the order of ``MOODS``, from a network of four or of seven expressions."""
    if network.output_shape[-1] == len(MOODS):
        return network
    faces = keras.Input(network.input_shape[1:], name="faces")
    seven = network(faces)
    four = layers.Dense(len(MOODS), use_bias=False, trainable=False, name="four", dtype="float32")
    logits = four(seven)
    four.set_weights([np.eye(len(EXPRESSIONS), dtype=np.float32)[:, FOUR]])
    return keras.Model(faces, logits, name=network.name)


def calibrated(network: keras.Model, calibration: Calibration = PLAIN, *, mirrored: bool = False) -> keras.Model:
    """The graph that ships: grey levels uint8 [N, 48, 48, 1] -> logits of the four moods, calibrated -> probabilities.

    With ``mirrored`` the logits are the mean of those of the face and of its mirror image.
    """
    faces = keras.Input((SIZE, SIZE, 1), name="faces", dtype="uint8")
    views = layers.Concatenate(axis=0)([faces, faces[:, :, ::-1]]) if mirrored else faces
    logits = of_four(network)(views, training=False)
    if mirrored:
        logits = keras.ops.mean(keras.ops.reshape(logits, (2, -1, len(MOODS))), axis=0)
    change = layers.Dense(len(MOODS), trainable=False, name="calibration")
    probabilities = layers.Softmax(name="probabilities")(change(logits))
    less_the_mean = np.eye(len(MOODS)) - 1 / len(MOODS)
    change.set_weights([less_the_mean * np.array(calibration.scales), np.array(calibration.shifts)])
    return keras.Model(faces, probabilities, name=network.name)
