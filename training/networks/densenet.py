"""DenseNet with bottlenecks and compression: G. Huang et al., CVPR 2017."""

from training.backends import keras, layers
from training.networks.building_blocks import (
    blocks,
    channels,
    convolution,
    expressions,
    faces_input,
    normalised,
    scaled,
)

_GROWTH = 24


def densenet(share: float = 1.0) -> keras.Model:
    """Dense blocks at 24, 12 and 6 pixels: grey levels [N, any, any, 1] -> logits of seven expressions [N, 7]."""
    faces = faces_input()
    growth = channels(_GROWTH, share)
    x = convolution(scaled(faces), 2 * growth)
    x = layers.AveragePooling2D(2, padding="same")(convolution(x, 2 * growth))
    for place, count in enumerate((8, 12, 12)):
        if place:
            x = layers.AveragePooling2D(2, padding="same")(_preactivated(x, x.shape[-1] // 2, side=1))
        for _ in range(blocks(count, share)):
            x = layers.Concatenate()([x, _preactivated(_preactivated(x, 4 * growth, side=1), growth, side=3)])
    x = layers.ReLU()(normalised(x))
    return keras.Model(faces, expressions(x, dropout=0.3), name="densenet")


def _preactivated(x: keras.KerasTensor, width: int, side: int) -> keras.KerasTensor:
    """Normalised and cut off at zero before the convolution."""
    x = layers.ReLU()(normalised(x))
    return layers.Conv2D(width, side, padding="same", use_bias=False)(x)
