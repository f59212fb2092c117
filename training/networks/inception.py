"""Inception with batch normalisation, 5x5 convolutions as two of 3x3: C. Szegedy et al., CVPR 2016."""

from training.backends import keras, layers
from training.networks.building_blocks import blocks, channels, convolution, expressions, faces_input, scaled


def inception(share: float = 1.0) -> keras.Model:
    """Eight modules at 24, 12 and 6 pixels: grey levels [N, any, any, 1] -> logits of seven expressions [N, 7]."""
    faces = faces_input()
    x = convolution(scaled(faces), channels(48, share))
    x = convolution(x, channels(96, share), stride=2)
    for width, count in {160: 2, 320: 3, 512: 3}.items():
        if width != 160:
            x = _reduction(x, channels(width, share))
        for _ in range(blocks(count, share)):
            x = _module(x, channels(width, share))
    return keras.Model(faces, expressions(x, dropout=0.4), name="inception")


def _module(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Four ways beside each other, ``width`` channels together."""
    eighth = width // 8
    one = convolution(x, 2 * eighth, side=1)
    three = convolution(convolution(x, 2 * eighth, side=1), 3 * eighth)
    five = convolution(convolution(convolution(x, eighth, side=1), 2 * eighth), 2 * eighth)
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([one, three, five, convolution(pooled, eighth, side=1)])


def _reduction(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Half the pixels: two ways of convolution, and the largest values."""
    three = convolution(convolution(x, width // 4, side=1), width // 2, stride=2)
    five = convolution(convolution(convolution(x, width // 8, side=1), width // 4), width // 4, stride=2)
    return layers.Concatenate()([three, five, layers.MaxPooling2D(3, strides=2, padding="same")(x)])
