"""The networks, as Keras models from raw grey levels to logits, and the graph that is exported.

Scaling from 0-255 to 0-1 is part of every network, so training and run time cannot disagree about it.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from shared.circumplex import MOODS
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
    """The blocks of ``_residual``, 40 to 160 wide: 1.1 million weights."""
    return _residual("residual", 24, (40, 80, 160))


def wide() -> keras.Model:
    """The blocks of ``_residual``, 48 to 192 wide: 1.6 million weights. Int8 kernels work in sixteens."""
    return _residual("wide", 32, (48, 96, 192))


def _residual(name: str, stem: int, widths: Sequence[int]) -> keras.Model:
    """Two squeeze-excite residual blocks of each width: faces [N, any, any, 1] -> logits of seven expressions [N, 7].

    K. He et al., CVPR 2016; J. Hu et al., CVPR 2018. Any size, so that training may begin with smaller, cheaper faces.
    """
    faces = keras.Input((None, None, 1), name="faces")
    x = layers.Rescaling(1 / 128, offset=-1.0)(faces)
    x = layers.Cropping2D(2)(x)
    x = _convolution(x, stem)
    for width in widths:
        x = _block(x, width, stride=2)
        x = _block(x, width, stride=1)
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


NETWORKS: dict[str, Callable[[], keras.Model]] = {"article": article, "tiny": tiny, "residual": residual, "wide": wide}


def calibrated(network: keras.Model, calibration: Calibration = PLAIN) -> keras.Model:
    """The graph that ships: logits of the four moods, calibrated, then softmax -> probabilities [N, 4]."""
    faces = keras.Input((SIZE, SIZE, 1), name="faces")
    change = layers.Dense(len(MOODS), trainable=False, name="calibration")
    probabilities = layers.Softmax(name="probabilities")(change(of_four(network)(faces, training=False)))
    less_the_mean = np.eye(len(MOODS)) - 1 / len(MOODS)
    change.set_weights([less_the_mean * np.array(calibration.scales), np.array(calibration.shifts)])
    return keras.Model(faces, probabilities, name=network.name)
