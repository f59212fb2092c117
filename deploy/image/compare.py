"""Say where two images differ: ``compare.py IMAGE IMAGE``. Layer by layer: names, owners, modes, times, contents.

Times of folders are left out: a builder sets that of a folder it copies into.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

Entry = tuple[Any, ...]


def layers(image: str, folder: Path) -> list[dict[str, Entry]]:
    """Of each layer, lowest first: what is known of each path."""
    saved = folder / "image.tar"
    subprocess.run(["docker", "save", "--output", str(saved), image], check=True)
    with tarfile.open(saved) as archive:
        names = json.load(_opened(archive, "manifest.json"))[0]["Layers"]
        return [_entries(archive, name) for name in names]


def _opened(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.getmember(name)
    return archive.extractfile(found)


def _entries(archive: tarfile.TarFile, name: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    with tarfile.open(fileobj=_opened(archive, name)) as layer:
        for one in layer:
            opened = layer.extractfile(one) if one.isreg() else None
            content = hashlib.sha256(opened.read()).hexdigest() if opened else one.linkname
            found[one.name] = (one.type, oct(one.mode), one.uid, one.gid, 0 if one.isdir() else int(one.mtime), content)
    return found


def settings(image: str) -> Any:
    return json.loads(subprocess.check_output(["docker", "image", "inspect", image]))[0]["Config"] | {"Image": ""}


def main(first: str, second: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        pair = [layers(image, Path(folder)) for image in (first, second)]
    different = [] if settings(first) == settings(second) else ["the settings of the image"]
    if len(pair[0]) != len(pair[1]):
        different.append(f"{len(pair[0])} layers and {len(pair[1])}")
    for number, (one, other) in enumerate(zip(*pair, strict=False)):
        for path in sorted(set(one) | set(other)):
            if one.get(path) != other.get(path):
                different.append(f"layer {number}: /{path}: {one.get(path)} and {other.get(path)}")
    files = sum(map(len, pair[0]))
    print("\n".join(different[:50]) or f"the same: {len(pair[0])} layers, {files} files")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
