"""What cameras do to faces: mirrored, turned, nearer or farther, off the middle, dark or bright, blurred, compressed,
covered, mixed.

Works on whole batches, on whichever backend Keras has: grey levels 0-255, [B, 48, 48, 1]. All chance comes
from ``seed``.
"""

from dataclasses import dataclass
from math import pi
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from training.backends import keras, ops
from training.data import SIZE

Tensor: TypeAlias = Any
Seed: TypeAlias = Any
"""a ``keras.random.SeedGenerator``"""


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


def augment(faces: Tensor, how: Augmentation, seed: Seed, size: int = SIZE) -> Tensor:
    """Changed faces, as float32 [B, size, size, 1] in 0-255."""
    faces = ops.cast(faces, "float32")
    faces = ops.where(_each(faces, seed) < 0.5, ops.flip(faces, axis=2), faces)
    if how.moved:
        faces = ops.where(_each(faces, seed) < how.moved, _move_camera(faces, seed), faces)
    if how.small:
        faces = ops.where(_each(faces, seed) < how.small, _far(faces, seed), faces)
    if how.compressed:
        faces = ops.where(_each(faces, seed) < how.compressed, _compress(faces, seed), faces)
    faces = _light(_place(faces, how, seed, size), how, seed)
    return _erase(faces, how.erased, seed) if how.erased else faces


def _each(faces: Tensor, seed: Seed, least: float = 0.0, most: float = 1.0) -> Tensor:
    """One number for each face, [B, 1, 1, 1]."""
    return keras.random.uniform((ops.shape(faces)[0], 1, 1, 1), least, most, seed=seed)


def _move_camera(faces: Tensor, seed: Seed) -> Tensor:
    """Blur along one line, the same for the whole batch."""
    reach = ops.arange(-3.0, 4.0, dtype="float32")
    angle = keras.random.uniform((), 0.0, pi, seed=seed)
    along = reach[None] * ops.cos(angle) + reach[:, None] * ops.sin(angle)
    across = reach[:, None] * ops.cos(angle) - reach[None] * ops.sin(angle)
    inside = ops.cast(ops.abs(along) <= keras.random.uniform((), 1.0, 2.5, seed=seed), "float32")
    kernel = ops.exp(-(across**2) / 0.5) * inside
    kernel = (kernel / ops.sum(kernel))[..., None, None]
    return ops.conv(ops.pad(faces, [[0, 0], [3, 3], [3, 3], [0, 0]], "symmetric"), kernel, padding="valid")


_WIDTHS = range(24, 41)


def _lost_detail() -> NDArray[np.float32]:
    """For each width the matrix [48, 48] that makes a row of 48 pixels that short, and long again."""
    rows = np.eye(SIZE, dtype=np.float32)
    short = [cv2.resize(rows, (SIZE, width), interpolation=cv2.INTER_AREA) for width in _WIDTHS]
    return np.stack([cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for one in short])


_LOST_DETAIL = _lost_detail()


def _far(faces: Tensor, seed: Seed) -> Tensor:
    """Fewer pixels, as of a face far away, brought back to the usual size."""
    chosen = keras.random.randint((ops.shape(faces)[0],), 0, len(_WIDTHS), seed=seed)
    lose = ops.take(ops.convert_to_tensor(_LOST_DETAIL), chosen, axis=0)
    return ops.einsum("byi,bijc,bxj->byxc", lose, faces, lose)


_WAVE = np.arange(8)
_COSINES = np.cos((2 * _WAVE[None] + 1) * _WAVE[:, None] * pi / 16) * np.where(_WAVE == 0, 0.125, 0.25)[:, None] ** 0.5
_COARSENESS = (10 + 5.5 * (_WAVE[:, None] + _WAVE[None])).astype(np.float32)
"""Close to the luminance table of ITU-T T.81, annex K: the finer the detail, the coarser the steps."""


def _compress(faces: Tensor, seed: Seed) -> Tensor:
    """The rounding of JPEG: each block of 8x8 as cosines in coarse steps."""
    cosines = ops.convert_to_tensor(_COSINES, "float32")
    blocks = ops.reshape(faces, (-1, SIZE // 8, 8, SIZE // 8, 8))
    waves = ops.einsum("ui,bxiyj,vj->bxyuv", cosines, blocks, cosines)
    steps = ops.convert_to_tensor(_COARSENESS) * ops.exp(_each(faces, seed, -1.0, 1.0))[..., None]
    rounded = ops.round(waves / steps) * steps
    return ops.reshape(ops.einsum("ui,bxyuv,vj->bxiyj", cosines, rounded, cosines), (-1, SIZE, SIZE, 1))


def _place(faces: Tensor, how: Augmentation, seed: Seed, size: int) -> Tensor:
    """Rotation, scale, shift and the size wanted in one affine transform per face, around the middle."""
    count = ops.shape(faces)[0]

    def one(least: float, most: float) -> Tensor:
        return keras.random.uniform((count,), least, most, seed=seed)

    angle = one(-how.rotation_deg, how.rotation_deg) * (pi / 180)
    scale = SIZE / size / one(how.smallest, how.largest)
    a, b = ops.cos(angle) * scale, ops.sin(angle) * scale
    middle, new = (SIZE - 1) / 2, (size - 1) / 2
    x = middle - a * new + b * new + one(-how.shift_px, how.shift_px)
    y = middle - b * new - a * new + one(-how.shift_px, how.shift_px)
    zero = ops.zeros_like(a)
    transforms = ops.stack([a, -b, x, b, a, y, zero, zero], axis=1)
    placed = ops.image.affine_transform(faces, transforms, "bilinear", "nearest", data_format="channels_last")
    return placed[:, :size, :size]


def _light(faces: Tensor, how: Augmentation, seed: Seed) -> Tensor:
    if how.gamma:
        exponent = ops.exp(_each(faces, seed, -how.gamma, how.gamma))
        faces = 255 * ops.clip(faces / 255, 1e-6, 1.0) ** exponent
    noise = _each(faces, seed, 0.0, how.noise)
    if how.dark:
        dark = _each(faces, seed) < how.dark
        faces = ops.where(dark, faces * _each(faces, seed, 0.33, 0.67), faces)
        noise = ops.where(dark, noise * 2, noise)
    mean = ops.mean(faces, axis=[1, 2, 3], keepdims=True)
    faces = (faces - mean) * _each(faces, seed, 1 - how.contrast, 1 + how.contrast) + mean
    faces = faces + _each(faces, seed, -how.brightness, how.brightness)
    if how.noise:
        faces = faces + keras.random.normal(ops.shape(faces), seed=seed) * noise
    return ops.clip(faces, 0.0, 255.0)


def _patch(faces: Tensor, least: float, most: float, seed: Seed) -> Tensor:
    """Where a rectangle lies on each face, as booleans [B, size, size, 1]; its sides are such shares of the face."""
    count, size = ops.shape(faces)[0], faces.shape[1]
    place = ops.arange(size, dtype="float32")[None] / size

    def span() -> Tensor:
        length = keras.random.uniform((count, 1), least, most, seed=seed)
        start = keras.random.uniform((count, 1), seed=seed) * (1 - length / 2)
        return ops.logical_and(place >= start, place < start + length)

    return ops.logical_and(span()[:, :, None], span()[:, None, :])[..., None]


def _erase(faces: Tensor, share: float, seed: Seed) -> Tensor:
    """A patch of one grey level over a part of some faces, as a hand or a cup would be."""
    patch = ops.logical_and(_patch(faces, 0.17, 0.38, seed), _each(faces, seed) < share)
    return ops.where(patch, _each(faces, seed, 0.0, 255.0), faces)


def mix(faces: Tensor, targets: Tensor, share: float, seed: Seed) -> tuple[Tensor, Tensor]:
    """Mixup (H. Zhang et al., ICLR 2018) on half the batches; ``share`` is the beta distribution's parameter."""
    mixed = keras.random.beta((), share, share, seed=seed)
    own = ops.where(keras.random.uniform((), seed=seed) < 0.5, mixed, 1.0)
    others, wanted = _others(faces, targets, seed)
    return own * faces + (1 - own) * others, own * targets + (1 - own) * wanted


def cut_and_mix(faces: Tensor, targets: Tensor, share: float, seed: Seed) -> tuple[Tensor, Tensor]:
    """CutMix (S. Yun et al., ICCV 2019) on this share of the faces: a rectangle is another face's."""
    others, wanted = _others(faces, targets, seed)
    patch = ops.logical_and(_patch(faces, 0.3, 0.7, seed), _each(faces, seed) < share)
    part = ops.mean(ops.cast(patch, "float32"), axis=[1, 2])
    return ops.where(patch, others, faces), (1 - part) * targets + part * wanted


def _others(faces: Tensor, targets: Tensor, seed: Seed) -> tuple[Tensor, Tensor]:
    order = keras.random.shuffle(ops.arange(ops.shape(faces)[0]), seed=seed)
    return ops.take(faces, order, axis=0), ops.take(targets, order, axis=0)
