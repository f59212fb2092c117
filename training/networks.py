"""The networks, as Keras models from raw grey levels to logits, and the graph that is exported.

Scaling from 0-255 to 0-1 is part of every network, so training and run time cannot disagree about it.
"""

from collections.abc import Callable

import keras
from keras import layers

from shared.circumplex import MOODS
from training.data import SIZE


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
            keras.Input((SIZE, SIZE, 1), name="faces"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(MOODS), name="logits"),
        ],
        name="tiny",
    )


NETWORKS: dict[str, Callable[[], keras.Model]] = {"article": article, "tiny": tiny}


def with_temperature(network: keras.Model, temperature: float) -> keras.Model:
    """The graph that ships: logits divided by the temperature (> 0), then softmax -> probabilities [N, 4]."""
    faces = keras.Input((SIZE, SIZE, 1), name="faces")
    logits = network(faces, training=False)
    probabilities = layers.Softmax(name="probabilities")(layers.Rescaling(1 / temperature)(logits))
    return keras.Model(faces, probabilities, name=network.name)
