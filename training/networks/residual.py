"""Squeeze-excite residual networks: K. He et al., CVPR 2016; J. Hu et al., CVPR 2018."""

from training.backends import keras, layers
from training.networks.building_blocks import blocks, channels, convolution, expressions, faces_input, scaled


def residual(share: float = 1.0) -> keras.Model:
    """Two blocks of each width, on the middle 44 pixels: 1.1 million weights."""
    return _residual("residual", share, 24, {40: 2, 80: 2, 160: 2}, cropped=2)


def middle(share: float = 1.0) -> keras.Model:
    """``residual`` on the middle 40 pixels, a block less: a third less to compute, so a face can be read twice."""
    return _residual("middle", share, 24, {40: 1, 80: 2, 160: 2}, cropped=4)


def deep(share: float = 1.0) -> keras.Model:
    """``middle`` and one more of its coarsest blocks, where a block costs least."""
    return _residual("deep", share, 24, {40: 1, 80: 2, 160: 3}, cropped=4)


def wide(share: float = 1.0) -> keras.Model:
    """A teacher: every pixel, and 6.6 million weights."""
    return _residual("wide", share, 48, {96: 2, 192: 2, 384: 2}, cropped=0)


def _residual(name: str, share: float, stem: int, widths: dict[int, int], *, cropped: int) -> keras.Model:
    """Blocks by width: grey levels [N, any, any, 1] -> logits of seven expressions [N, 7]."""
    faces = faces_input()
    x = scaled(faces)
    if cropped:
        x = layers.Cropping2D(cropped)(x)
    x = convolution(x, channels(stem, share))
    for width, count in widths.items():
        for place in range(blocks(count, share)):
            x = _block(x, channels(width, share), stride=1 if place else 2)
    return keras.Model(faces, expressions(x, dropout=0.4), name=name)


def _block(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    y = convolution(convolution(x, width, stride=stride), width, relu=False)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Conv2D(width // 4, 1, activation="relu")(gate)
    y = layers.Multiply()([y, layers.Conv2D(width, 1, activation="sigmoid")(gate)])
    if stride != 1 or x.shape[-1] != width:
        x = layers.AveragePooling2D(stride, padding="same")(x) if stride != 1 else x
        x = convolution(x, width, side=1, relu=False)
    return layers.ReLU()(layers.Add()([x, y]))
