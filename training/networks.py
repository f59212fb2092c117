"""The networks, as Keras models from raw grey levels to logits, and the graph that is exported.

Scaling from 0-255 to 0-1 is part of every network, so training and run time cannot disagree about it.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from training.data import EXPRESSIONS, FOUR, SIZE
from training.measures import PLAIN, Calibration


def article() -> keras.Model:
    """The article's CNN (2.34 million weights): uint8-valued faces [N, 48, 48, 1] -> logits [N, 4]."""
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 1), name="faces"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(len(MOODS), name="logits"),
        ],
        name="article",
    )


def tiny() -> keras.Model:
    """A few thousand weights, to try the way from data to file in seconds; reads nothing well."""
    return keras.Sequential(
        [
            keras.Input((None, None, 1), name="faces"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(MOODS), name="logits"),
        ],
        name="tiny",
    )


def residual() -> keras.Model:
    """Two of ``_residual``'s blocks of each width, on the middle 44 pixels: 1.1 million weights."""
    return _residual("residual", 24, {40: 2, 80: 2, 160: 2}, cropped=2)


def middle() -> keras.Model:
    """``residual`` on the middle 40 pixels, a block less: a third less to compute, so a face can be read twice."""
    return _residual("middle", 24, {40: 1, 80: 2, 160: 2}, cropped=4)


def _residual(name: str, stem: int, blocks: dict[int, int], *, cropped: int) -> keras.Model:
    """Squeeze-excite residual blocks, by width: faces [N, any, any, 1] -> logits of seven expressions [N, 7].

    K. He et al., CVPR 2016; J. Hu et al., CVPR 2018. Any size, so that training may begin with smaller, cheaper faces.
    """
    faces = keras.Input((None, None, 1), name="faces")
    x = layers.Rescaling(1 / 128, offset=-1.0)(faces)
    x = layers.Cropping2D(cropped)(x)
    x = _convolution(x, stem)
    for width, count in blocks.items():
        for place in range(count):
            x = _block(x, width, stride=1 if place else 2)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(faces, layers.Dense(len(EXPRESSIONS), name="logits")(x), name=name)


def _convolution(x: keras.KerasTensor, width: int, stride: int = 1, relu: bool = True) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def _block(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    y = _convolution(_convolution(x, width, stride), width, relu=False)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Conv2D(width // 4, 1, activation="relu")(gate)
    y = layers.Multiply()([y, layers.Conv2D(width, 1, activation="sigmoid")(gate)])
    if stride != 1 or x.shape[-1] != width:
        x = layers.AveragePooling2D(stride, padding="same")(x) if stride != 1 else x
        x = layers.BatchNormalization()(layers.Conv2D(width, 1, use_bias=False)(x))
    return layers.ReLU()(layers.Add()([x, y]))


def four_of(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of the four moods [N, 4], from those of four or of seven expressions [N, 7]."""
    return logits if logits.shape[1] == len(MOODS) else logits[:, FOUR]


def of_four(network: keras.Model) -> keras.Model:
    """Logits of the four moods [N, 4] in the order of ``MOODS``, from a network of four or of seven expressions."""
    if network.output_shape[-1] == len(MOODS):
        return network
    faces = keras.Input((SIZE, SIZE, 1), name="faces")
    seven = network(faces)
    four = layers.Dense(len(MOODS), use_bias=False, trainable=False, name="four")
    logits = four(seven)
    four.set_weights([np.eye(len(EXPRESSIONS), dtype=np.float32)[:, FOUR]])
    return keras.Model(faces, logits, name=network.name)


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    network.__name__: network for network in (article, tiny, residual, middle)
}


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
