"""What Docker runs every ten seconds: a slow answer is an answer, silence and any other answer are not."""

import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.app import healthcheck
from tests.support.certificates import make_certificate
from tests.support.ports import free_port

ROOT = Path(__file__).parents[3]
READY, NOT_READY = b"HTTP/1.1 200 OK\r\n\r\n{}", b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}"
SLOW_S = 2.5
"""Longer than a request was given before, in containers that were busy."""


@contextmanager
def service(answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Answers one connection by hand; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            connection, _ = listening.accept()
            with context.wrap_socket(connection, server_side=True) if context else connection as asked:
                asked.recv(1000)
                answer(asked)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def check(port: int, timeout_s: float, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("MOODSTREAM_PORT", str(port))
    return healthcheck.main(timeout_s)


def slowly(asked: socket.socket) -> None:
    time.sleep(SLOW_S)
    asked.sendall(READY)


@pytest.mark.parametrize(
    ("answer", "timeout_s", "code"),
    [
        (slowly, healthcheck.TIMEOUT_S, 0),
        (lambda asked: asked.sendall(NOT_READY), healthcheck.TIMEOUT_S, 1),
        (lambda asked: asked.sendall(b"\n"), healthcheck.TIMEOUT_S, 1),
        (lambda asked: None, healthcheck.TIMEOUT_S, 1),
        (lambda asked: time.sleep(0.5), 0.2, 1),
    ],
    ids=["slow", "not ready", "nonsense", "closes", "silent"],
)
def test_only_an_answer_that_says_ready_counts(
    answer: Callable[[socket.socket], None], timeout_s: float, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(answer) as port:
        assert check(port, timeout_s, monkeypatch) == code


def test_nobody_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(free_port(), 1.0, monkeypatch) == 1


def test_the_command_of_the_image_asks_over_tls_too_without_the_packages(tmp_path: Path) -> None:
    [found] = re.findall(r"^HEALTHCHECK .*--timeout=(\d+)s .*CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)
    limit_s, command = int(found[0]), json.loads(found[1])
    assert limit_s > healthcheck.TIMEOUT_S + 5  # Python starts in five seconds on the slowest of machines
    assert command[0] == "python"
    words = [sys.executable, *command[1:-1], str(ROOT) + command[-1].removeprefix("/app")]
    key, certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for settings, of in (({}, None), ({"MOODSTREAM_TLS_CERTIFICATE": str(certificate)}, context)):
        with service(lambda asked: asked.sendall(READY), of) as port:
            done = subprocess.run(
                words, env={"MOODSTREAM_PORT": str(port)} | settings, capture_output=True, check=False
            )
        assert (done.returncode, done.stderr) == (0, b"")
