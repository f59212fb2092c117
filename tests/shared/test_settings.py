"""Settings that are wrong: one line, and nothing of a secret in it."""

import re
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from shared.bus.servers import Servers
from shared.settings import Settings, load

WRONG_ADDRESSES = (
    "redis://:p@ss:w/rd@HOST/0",
    "redis://:p?ss@127.0.0.1/0",
    "redis://:p#ss@127.0.0.1/0",
    "redis//127.0.0.1",
    "http://127.0.0.1",
    "redis://127.0.0.1:99999/0",
    "127.0.0.1:6379",
    "redis://:p%40ss@redis..local:6379/0",
    "redis://127.0.0.1:6379/moods",
    "rediss://127.0.0.1:6379/-1",
    "redis://127.0.0.1:6379/0/1",
)


@pytest.mark.parametrize("url", WRONG_ADDRESSES)
def test_an_address_that_is_none_is_one_line_without_any_of_its_password(url: str) -> None:
    with pytest.raises(MoodstreamError, match="is no address of Redis") as raised:
        Servers(load(Settings, redis_url=url))
    assert not re.search(r"p[@?#]?ss|w/rd", str(raised.value).replace("PASSWORD", ""))


def test_a_file_of_settings_in_another_encoding_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes("MOODSTREAM_PREFIX=Küche:".encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MoodstreamError, match=r"the file \.env is not in UTF-8"):
        load(Settings)
