"""What cameras do to faces: mirrored, turned, nearer or farther, off the middle, dark or bright, blurred, compressed,
covered, mixed.

Works on whole batches inside the input pipeline: grey levels 0-255, [B, 48, 48, 1].
"""

from dataclasses import dataclass
from math import pi

import numpy as np
import tensorflow as tf

from training.data import SIZE


@dataclass(frozen=True)
class Augmentation:
    """How far each change goes; zero (or one, for sizes) switches it off."""

    rotation_deg: float = 12.0
    smallest: float = 0.88
    largest: float = 1.2
    shift_px: float = 3.0
    brightness: float = 25.0
    """grey levels"""
    contrast: float = 0.25
    gamma: float = 0.4
    """largest logarithm of the exponent, up or down"""
    dark: float = 0.08
    """share of faces with a third to two thirds of the light, and the noise that comes with it"""
    noise: float = 6.0
    """standard deviation in grey levels, at most"""
    moved: float = 0.06
    """share of faces with motion blur, three to five pixels long"""
    small: float = 0.08
    """share of faces that were 24 to 40 pixels wide"""
    compressed: float = 0.1
    """share of faces with JPEG's artefacts"""
    erased: float = 0.15
    """share of faces with a grey patch"""


MIRRORED_ONLY = Augmentation(
    rotation_deg=0, smallest=1, largest=1, shift_px=0, brightness=0, contrast=0, gamma=0, dark=0, noise=0, moved=0,
    small=0, compressed=0, erased=0,
)  # fmt: skip


def augment(faces: tf.Tensor, how: Augmentation, size: int = SIZE) -> tf.Tensor:
    """Changed faces, as float32 [B, size, size, 1] in 0-255."""
    faces = tf.image.random_flip_left_right(tf.cast(faces, tf.float32))
    faces = _chosen(how.moved, _move_camera(faces), faces)
    faces = _chosen(how.small, _far(faces), faces)
    faces = _chosen(how.compressed, _compress(faces), faces)
    return _erase(_light(_place(faces, how, size), how), how.erased)


def _chosen(share: float, changed: tf.Tensor, faces: tf.Tensor) -> tf.Tensor:
    return tf.where(_each(faces) < share, changed, faces) if share else faces


def _each(faces: tf.Tensor, least: float = 0.0, most: float = 1.0) -> tf.Tensor:
    return tf.random.uniform([tf.shape(faces)[0], 1, 1, 1], least, most)


def _move_camera(faces: tf.Tensor) -> tf.Tensor:
    """Blur along one line, the same for the whole batch."""
    reach = tf.range(-3.0, 4.0)
    angle = tf.random.uniform([], 0, pi)
    along = reach[None] * tf.cos(angle) + reach[:, None] * tf.sin(angle)
    across = reach[:, None] * tf.cos(angle) - reach[None] * tf.sin(angle)
    inside = tf.cast(tf.abs(along) <= tf.random.uniform([], 1.0, 2.5), tf.float32)
    kernel = tf.exp(-(across**2) / 0.5) * inside
    kernel = (kernel / tf.reduce_sum(kernel))[..., None, None]
    padded = tf.pad(faces, [[0, 0], [3, 3], [3, 3], [0, 0]], "SYMMETRIC")
    return tf.nn.conv2d(padded, kernel, strides=1, padding="VALID")


def _far(faces: tf.Tensor) -> tf.Tensor:
    """Fewer pixels, as of a face far away, brought back to the usual size."""
    width = tf.random.uniform([], 24, 41, tf.int32)
    return tf.image.resize(tf.image.resize(faces, [width, width], antialias=True), [SIZE, SIZE])


_WAVE = np.arange(8)
_COSINES = np.cos((2 * _WAVE[None] + 1) * _WAVE[:, None] * pi / 16) * np.where(_WAVE == 0, 0.125, 0.25)[:, None] ** 0.5
_COARSENESS = (10 + 5.5 * (_WAVE[:, None] + _WAVE[None])).astype(np.float32)
"""Close to the luminance table of ITU-T T.81, annex K: the finer the detail, the coarser the steps."""


def _compress(faces: tf.Tensor) -> tf.Tensor:
    """The rounding of JPEG: each block of 8x8 as cosines in coarse steps."""
    cosines = tf.constant(_COSINES, tf.float32)
    blocks = tf.reshape(faces, [-1, SIZE // 8, 8, SIZE // 8, 8])
    waves = tf.einsum("ui,bxiyj,vj->bxyuv", cosines, blocks, cosines)
    steps = _COARSENESS * tf.exp(tf.random.uniform([tf.shape(faces)[0], 1, 1, 1, 1], -1.0, 1.0))
    rounded = tf.round(waves / steps) * steps
    return tf.reshape(tf.einsum("ui,bxyuv,vj->bxiyj", cosines, rounded, cosines), tf.shape(faces))


def _place(faces: tf.Tensor, how: Augmentation, size: int) -> tf.Tensor:
    """Rotation, scale, shift and the size wanted in one projective transform per face, around the middle."""
    count = tf.shape(faces)[0]
    angle = tf.random.uniform([count], -how.rotation_deg, how.rotation_deg) * pi / 180
    scale = SIZE / size / tf.random.uniform([count], how.smallest, how.largest)
    shift = tf.random.uniform([2, count], -how.shift_px, how.shift_px)
    a, b = tf.cos(angle) * scale, tf.sin(angle) * scale
    middle, new = (SIZE - 1) / 2, (size - 1) / 2
    x = middle - a * new + b * new + shift[0]
    y = middle - b * new - a * new + shift[1]
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=faces,
        transforms=tf.stack([a, -b, x, b, a, y, zero, zero], axis=1),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _light(faces: tf.Tensor, how: Augmentation) -> tf.Tensor:
    if how.gamma:
        faces = 255 * tf.clip_by_value(faces / 255, 0.0, 1.0) ** tf.exp(_each(faces, -how.gamma, how.gamma))
    noise = _each(faces, 0.0, how.noise)
    if how.dark:
        dark = _each(faces) < how.dark
        faces = tf.where(dark, faces * _each(faces, 0.33, 0.67), faces)
        noise = tf.where(dark, noise * 2, noise)
    mean = tf.reduce_mean(faces, axis=[1, 2, 3], keepdims=True)
    faces = (faces - mean) * _each(faces, 1 - how.contrast, 1 + how.contrast) + mean
    faces += _each(faces, -how.brightness, how.brightness)
    return tf.clip_by_value(faces + tf.random.normal(tf.shape(faces)) * noise, 0.0, 255.0)


def _erase(faces: tf.Tensor, share: float) -> tf.Tensor:
    """A patch of one grey level over a part of some faces, as a hand or a cup would be."""
    count, size = tf.shape(faces)[0], faces.shape[1]
    place = tf.range(size, dtype=tf.float32)[None] / size

    def span() -> tf.Tensor:
        start = tf.random.uniform([count, 1], 0.0, 0.75)
        length = tf.random.uniform([count, 1], 0.17, 0.38)
        return (place >= start) & (place < start + length)

    patch = (span()[:, :, None] & span()[:, None, :])[..., None] & (_each(faces) < share)
    return tf.where(patch, _each(faces, 0.0, 255.0), faces)


def mix(faces: tf.Tensor, targets: tf.Tensor, share: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixup (H. Zhang et al., ICLR 2018) on half the batches; ``share`` is the beta distribution's parameter."""
    ones = tf.random.gamma([2], share)
    own = tf.where(tf.random.uniform([]) < 0.5, ones[0] / tf.reduce_sum(ones), 1.0)
    order = tf.random.shuffle(tf.range(tf.shape(faces)[0]))
    other_faces, other_targets = tf.gather(faces, order), tf.gather(targets, order)
    return own * faces + (1 - own) * other_faces, own * targets + (1 - own) * other_targets
