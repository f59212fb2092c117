"""What the networks have in common."""

from training.backends import keras, layers
from training.data import EXPRESSIONS


def faces_input() -> keras.KerasTensor:
    """Grey levels [N, any, any, 1]: training may begin with smaller, cheaper faces."""
    return keras.Input((None, None, 1), name="faces")


def scaled(faces: keras.KerasTensor) -> keras.KerasTensor:
    """From -1 to 1; in whole floats, because grey levels do not fit into the eight bits of bfloat16's fraction."""
    return layers.Rescaling(1 / 128, offset=-1.0, dtype="float32")(faces)


def channels(width: int, share: float) -> int:
    """A share of the channels, in eights."""
    return max(8, round(width * share / 8) * 8)


def blocks(count: int, share: float) -> int:
    return max(1, round(count * share))


def normalised(x: keras.KerasTensor) -> keras.KerasTensor:
    """Batch normalisation; the weights are averaged over many steps, so its own mean may be a short one."""
    return layers.BatchNormalization(momentum=0.9)(x)


def convolution(
    x: keras.KerasTensor, width: int, side: int = 3, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Convolution without bias, batch normalisation and, where wanted, ReLU."""
    x = layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False)(x)
    x = normalised(x)
    return layers.ReLU()(x) if relu else x


def expressions(x: keras.KerasTensor, dropout: float) -> keras.KerasTensor:
    """Logits [N, 7] of the mean over the face."""
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(len(EXPRESSIONS), name="logits", dtype="float32")(x)
