"""Files that are replaced as a whole, and dictionaries that forget."""

import os
import stat
from pathlib import Path

import pytest

from shared.bounded import Bounded
from shared.files import PRIVATE, replacing, write_private


def test_a_private_file_is_its_owners_alone_in_a_folder_that_is_too(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token.json"
    before = os.umask(0)
    try:
        write_private(file, "secret")
    finally:
        os.umask(before)
    assert file.read_text() == "secret"
    assert stat.S_IMODE(file.stat().st_mode) == PRIVATE
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_becomes_private_when_it_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert stat.S_IMODE(file.stat().st_mode) == PRIVATE


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "songs"
    file.write_text("old")
    with pytest.raises(TypeError), replacing(file) as draft:
        draft.write("half, and no bytes")  # type: ignore[call-overload]
    assert file.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["songs"]


def test_the_newest_stay() -> None:
    known = Bounded[str, int](2)
    known["a"], known["b"] = 1, 2
    known["a"] = 3
    known["c"] = 4
    assert dict(known) == {"a": 3, "c": 4}
