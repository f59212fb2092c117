"""What a person is told of an RTSP camera that does not open."""

import socket
import threading

import pytest

from services.camera.capture.rtsp_reason import why_not
from tests.support.ports import free_port

ANSWERS = {
    b"RTSP/1.0 401 Unauthorized\r\n": ": it wants a user and a password",
    b"RTSP/1.0 404 Not Found\r\n": ": it answers 404, there is no stream of that name",
    b"RTSP/1.0 453 Not Enough Bandwidth\r\n": ": it answers 453, it is busy",
    b"RTSP/2.0 505 Version Not Supported\r\n": ": it answers 505",
    b"RTSP/1.0 200 OK\r\n": "",
    b"HTTP/1.1 400 Bad Request\r\n": ": it does not answer in RTSP",
    b"": ": it does not answer in RTSP",
    b"\x00\xff\x1b[2J": ": it does not answer in RTSP",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_it_answers(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        assert why_not(f"rtsp://127.0.0.1:{port}/a?b=c", verify_tls=True) == ANSWERS[answer]
        thread.join()
    assert heard[0].startswith(f"DESCRIBE rtsp://127.0.0.1:{port}/a?b=c RTSP/1.0\r\n".encode())


def test_the_password_is_not_sent_to_whoever_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        port = listener.getsockname()[1]
        asked = threading.Thread(
            target=why_not, args=(f"rtsp://me:secret@127.0.0.1:{port}/",), kwargs={"verify_tls": True}
        )
        asked.start()
        connection, _ = listener.accept()
        with connection:
            assert b"secret" not in connection.recv(4096)
        asked.join()


@pytest.mark.parametrize("verify_tls", [True, False])
def test_who_does_not_answer(verify_tls: bool) -> None:
    assert why_not(f"rtsp://127.0.0.1:{free_port()}/", verify_tls=verify_tls) == ": nothing listens at that port"
    assert why_not("rtsp://no-such-host.invalid/", verify_tls=verify_tls) == ": there is no host of that name"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert why_not(f"rtsp://127.0.0.1:{port}/", verify_tls=verify_tls) == ": it does not answer"
    for address in ("rtmp://127.0.0.1/live", "http://127.0.0.1/", "rtsp://127.0.0.1:port/", "rtsp://", "rtsp://[::1/"):
        assert why_not(address, verify_tls=verify_tls) == ""
