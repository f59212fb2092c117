"""Where a process listens, and how its page is called."""

import pytest

from moodstream.errors import MoodstreamError
from shared.app.listening import listen, page_address


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:8080"),
        ("kiosk.local", "http://kiosk.local:8080"),
    ],
)
def test_the_address_that_is_told_is_one(host: str, page: str) -> None:
    assert page_address("http", host, 8080) == page


@pytest.mark.parametrize("host", ["bar..local", "my house", "::1]", "x" * 64])
def test_a_host_that_cannot_be_one_is_one_line(host: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_HOST: "):
        listen(host, 0)


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match=r"^cannot listen on \[2001:db8::1\]:0: "):
        listen("2001:db8::1", 0)
