"""What cameras do to faces: mirrored, turned, nearer or farther, off the middle, dark or bright, covered, mixed.

Works on whole batches inside the input pipeline: float grey levels 0-255, [B, 48, 48, 1].
"""

from dataclasses import dataclass
from math import pi

import tensorflow as tf

from training.data import SIZE


@dataclass(frozen=True)
class Augmentation:
    """How far each change goes."""

    rotation_deg: float = 12.0
    smallest: float = 0.9
    largest: float = 1.15
    shift_px: float = 3.0
    brightness: float = 25.0
    """grey levels"""
    contrast: float = 0.25
    noise: float = 6.0
    """standard deviation in grey levels, at most"""
    erased: float = 0.25
    """share of faces with a grey patch"""
    mixup: float = 0.3
    """parameter of the beta distribution; half the batches are mixed; 0 for none"""


def augment(faces: tf.Tensor, targets: tf.Tensor, how: Augmentation) -> tuple[tf.Tensor, tf.Tensor]:
    """Changed faces [B, 48, 48, 1] with their targets [B, C]."""
    faces = _light(_move(tf.image.random_flip_left_right(faces), how), how)
    faces = _erase(faces, how)
    return _mix(faces, targets, how) if how.mixup else (faces, targets)


def _move(faces: tf.Tensor, how: Augmentation) -> tf.Tensor:
    """Rotation, scale and shift in one projective transform per face, around the middle."""
    count = tf.shape(faces)[0]
    angle = tf.random.uniform([count], -how.rotation_deg, how.rotation_deg) * pi / 180
    scale = 1 / tf.random.uniform([count], how.smallest, how.largest)
    shift = tf.random.uniform([2, count], -how.shift_px, how.shift_px)
    a, b = tf.cos(angle) * scale, tf.sin(angle) * scale
    middle = (SIZE - 1) / 2
    x = middle - a * middle + b * middle + shift[0]
    y = middle - b * middle - a * middle + shift[1]
    zero = tf.zeros_like(a)
    transforms = tf.stack([a, -b, x, b, a, y, zero, zero], axis=1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=faces,
        transforms=transforms,
        output_shape=[SIZE, SIZE],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _light(faces: tf.Tensor, how: Augmentation) -> tf.Tensor:
    each = [tf.shape(faces)[0], 1, 1, 1]
    contrast = tf.random.uniform(each, 1 - how.contrast, 1 + how.contrast)
    brightness = tf.random.uniform(each, -how.brightness, how.brightness)
    mean = tf.reduce_mean(faces, axis=[1, 2, 3], keepdims=True)
    noise = tf.random.normal(tf.shape(faces)) * tf.random.uniform(each, 0.0, how.noise)
    return tf.clip_by_value((faces - mean) * contrast + mean + brightness + noise, 0.0, 255.0)


def _erase(faces: tf.Tensor, how: Augmentation) -> tf.Tensor:
    """A patch of one grey level over a part of some faces, as a hand or a cup would be."""
    count = tf.shape(faces)[0]
    place = tf.range(SIZE, dtype=tf.float32)[None]

    def span() -> tf.Tensor:
        start = tf.random.uniform([count, 1], 0.0, 36.0)
        length = tf.random.uniform([count, 1], 8.0, 18.0)
        return tf.cast((place >= start) & (place < start + length), tf.float32)

    chosen = tf.cast(tf.random.uniform([count, 1, 1]) < how.erased, tf.float32)
    patch = (span()[:, :, None] * span()[:, None, :] * chosen)[..., None]
    return faces * (1 - patch) + patch * tf.random.uniform([count, 1, 1, 1], 0.0, 255.0)


def _mix(faces: tf.Tensor, targets: tf.Tensor, how: Augmentation) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixup (H. Zhang et al., ICLR 2018) on half the batches."""
    ones = tf.random.gamma([2], how.mixup)
    share = tf.where(tf.random.uniform([]) < 0.5, ones[0] / tf.reduce_sum(ones), 1.0)
    order = tf.random.shuffle(tf.range(tf.shape(faces)[0]))
    other_faces, other_targets = tf.gather(faces, order), tf.gather(targets, order)
    return share * faces + (1 - share) * other_faces, share * targets + (1 - share) * other_targets
