"""The article's network, and one that is only quick."""

from moodstream.contracts.moods import MOODS
from training.backends import keras, layers
from training.data import SIZE
from training.networks.building_blocks import channels, faces_input


def article(share: float = 1.0) -> keras.Model:
    """The article's CNN (2.34 million weights): grey levels [N, 48, 48, 1] -> logits of the four moods [N, 4]."""

    def width(whole: int) -> int:
        return channels(whole, share)

    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 1), name="faces"),
            layers.Rescaling(1 / 255, dtype="float32"),
            layers.Conv2D(width(32), 3, activation="relu"),
            layers.Conv2D(width(64), 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(width(128), 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(width(128), 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(width(1024), activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(len(MOODS), name="logits", dtype="float32"),
        ],
        name="article",
    )


def tiny(share: float = 1.0) -> keras.Model:
    """A few thousand weights, to try the way from data to file in seconds; reads nothing well. Logits [N, 4]."""
    faces = faces_input()
    x = layers.Rescaling(1 / 255, dtype="float32")(faces)
    x = layers.Conv2D(channels(8, share), 5, strides=2, activation="relu")(x)
    x = layers.Conv2D(channels(16, share), 3, strides=2, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(faces, layers.Dense(len(MOODS), name="logits", dtype="float32")(x), name="tiny")
