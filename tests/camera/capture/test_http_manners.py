"""How cameras send pictures over HTTP, and how they ask for a password, beside the few ways that standards describe."""

import contextlib
import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from services.camera.capture.camera_source import open_camera
from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.http_connection import NotPictures
from services.camera.capture.http_source import SnapshotCamera, open_http
from services.camera.capture.jpeg import JpegStream, whole_jpeg
from services.camera.capture.picture import decode
from services.camera.rules.job import Job
from tests.support.pictures import encoded, noise

PICTURES = [encoded(noise(48, 64, seed=seed)) for seed in range(5)]
MULTIPART = b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n"
Serve = Callable[[socket.socket, str, int], None]


@contextlib.contextmanager
def camera(serve: Serve) -> Iterator[str]:
    """A server that gives each connection to ``serve``: the connection, the request, the number of the request."""
    listener, numbers = socket.create_server(("127.0.0.1", 0)), count(1)

    def answer(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            serve(client, client.recv(4096).decode("latin-1"), next(numbers))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def part(*headers: bytes, line: bytes = b"\r\n", before: bytes = b"", after: bytes = b"") -> Callable[[bytes], bytes]:
    """A part with a picture; ``LENGTH`` in a header is its length."""

    def made(picture: bytes) -> bytes:
        length = str(len(before + picture + after)).encode()
        lines = [b"--b", b"Content-Type: image/jpeg", *(one.replace(b"LENGTH", length) for one in headers), b"", b""]
        return line.join(lines) + before + picture + after + line

    return made


MANNERS: dict[str, Callable[[bytes], bytes]] = {
    "by the book": part(b"Content-Length: LENGTH"),
    "no length": part(),
    "lines end with LF": part(b"Content-Length: LENGTH", line=b"\n"),
    "LF, no length": part(line=b"\n"),
    "length 0": part(b"Content-Length: 0"),
    "length -1": part(b"Content-Length: -1"),
    "too short a length": part(b"Content-Length: 40"),
    "a length of the buffer": part(b"Content-Length: 65536"),
    "an absurd length": part(b"Content-Length: 99999999999999999999"),
    "two lengths": part(b"Content-Length: 9999999", b"Content-Length: LENGTH"),
    "another boundary": lambda picture: part(b"Content-Length: LENGTH")(picture).replace(b"--b\r", b"--else\r"),
    "no dashes": lambda picture: part()(picture).replace(b"--b\r", b"b\r"),
    "no boundary at all": lambda picture: picture,
    "an empty line before": part(b"Content-Length: LENGTH", before=b"\r\n"),
    "zeros before": part(b"Content-Length: LENGTH", before=b"\0" * 8),
    "padding after": part(b"Content-Length: LENGTH", after=b"\0" * 4000),
    "a note after": part(b"Content-Length: LENGTH", after=b"\xff\xfeTRAILER" * 100),
    "text parts between": lambda picture: b"--b\r\nContent-Type: text/plain\r\n\r\nalive\r\n" + part()(picture),
    "a thumbnail inside": lambda picture: part()(_with_thumbnail(picture)),
    "fill bytes before markers": lambda picture: part()(picture.replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1)),
}


def _with_thumbnail(picture: bytes) -> bytes:
    """As cameras with Exif data send them: a whole picture stands in an APP1 segment of the picture."""
    segment = b"Exif\0\0" + PICTURES[0]
    return picture[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + picture[2:]


@pytest.mark.parametrize("manner", MANNERS)
def test_every_manner_of_mjpeg_gives_every_picture(manner: str) -> None:
    def serve(client: socket.socket, _: str, __: int) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n" + MULTIPART + b"\r\n")
        for picture in PICTURES:
            data = MANNERS[manner](picture)
            for at in range(0, len(data), 700):  # networks cut anywhere
                client.sendall(data[at : at + 700])
        time.sleep(1)

    with camera(serve) as place:
        source = open_http(f"http://{place}/video", verify_tls=True)
        for picture in PICTURES:
            assert source.wait_for_picture()
            found, wanted = source.decode_picture(), decode(picture)
            assert found is not None
            assert wanted is not None
            assert (found == wanted).all()
        source.close()


def test_a_camera_that_answers_as_radio_stations_do_is_read() -> None:
    def serve(client: socket.socket, _: str, __: int) -> None:
        client.sendall(b"ICY 200 OK\r\n" + MULTIPART + b"\r\n")
        for at in count():
            client.sendall(part(b"Content-Length: LENGTH")(PICTURES[at % len(PICTURES)]))
            time.sleep(0.05)

    with camera(serve) as place:
        source = open_camera(Job(f"http://{place}/icy", rate=10))
        assert source.wait_for_picture()
        found = source.decode_picture()
        assert found is not None
        assert found.shape[:2] == (48, 64)
        source.close()


BARE = b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n"
HEADS = {
    "a length of 0": BARE + b"Content-Length: 0\r\n",
    "too short a length": BARE + b"Content-Length: 10\r\n",
    "a length in words": BARE + b"Content-Length: unknown\r\n",
    "a quoted boundary with a colon": b'Content-Type: multipart/x-mixed-replace; boundary="b c:d"\r\n',
    "Motion JPEG": b"Content-Type: video/x-motion-jpeg\r\n",
    "bytes": b"Content-Type: application/octet-stream\r\n",
    "a web page": b"Content-Type: text/html; charset=utf-8\r\n",
    "nothing": b"Server: a camera\r\n",
    "a slash forgotten": b"Content-Type: multipart-x-mixed-replace; boundary=b\r\n",
    "a type twice": b"Content-Type: text/plain\r\n" + BARE,
    "a line that is no header": b"camera\r\n" + BARE,
}


@pytest.mark.parametrize("head", HEADS)
def test_the_bytes_decide_whatever_the_camera_calls_them(head: str) -> None:
    def serve(client: socket.socket, _: str, __: int) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n" + HEADS[head] + b"\r\n")
        for picture in PICTURES:
            client.sendall(part(b"Content-Length: LENGTH")(picture))
        time.sleep(1)

    with camera(serve) as place:
        source = open_http(f"http://{place}/video", verify_tls=True)
        assert [source.wait_for_picture() for _ in PICTURES] == [True] * 5
        assert source.decode_picture() is not None
        source.close()


@pytest.mark.parametrize(
    ("begins", "snapshot"),
    [(PICTURES[0], True), (encoded(noise(48, 64), ".png"), True), (b"\0\0\0\x18ftypmp42", False)],
)
def test_a_snapshot_under_a_wrong_name_is_one_and_a_film_is_left_to_others(begins: bytes, snapshot: bool) -> None:
    def serve(client: socket.socket, _: str, __: int) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(begins)}\r\n\r\n"
        client.sendall(head.encode() + begins)

    with camera(serve) as place:
        if snapshot:
            source = open_http(f"http://{place}/picture", verify_tls=True)
            assert isinstance(source, SnapshotCamera)
            assert [source.wait_for_picture() for _ in range(3)] == [True] * 3
        else:
            with pytest.raises(NotPictures):
                open_http(f"http://{place}/film", verify_tls=True)


def test_pictures_without_their_end_are_whole_where_their_length_says_so() -> None:
    """Of some small cameras no picture ends as it must; a part that was cut is shorter than it says."""
    stream = JpegStream()
    bare = [picture[:-2] for picture in PICTURES]
    whole = b"".join(part(b"Content-Length: LENGTH")(one) for one in bare)
    stream.feed(b"\r\n" + whole + part()(PICTURES[0]))
    assert [stream.take() for _ in range(6)] == [*PICTURES, PICTURES[0]]
    cut = part(b"Content-Length: LENGTH")(bare[0]).replace(bare[0], bare[0][:-300])
    stream.feed(cut + part()(PICTURES[1]))
    assert [stream.take(), stream.take()] == [b"", PICTURES[1]]
    stream.feed(part(b"Content-Length: LENGTH")(b"\xff\xd8" + PICTURES[2]) + part()(PICTURES[3]))
    assert [stream.take(), stream.take(), stream.take()] == [b"", PICTURES[2], PICTURES[3]]


def test_one_that_is_cut_is_broken_and_the_next_one_is_not() -> None:
    stream = JpegStream()
    stream.feed(PICTURES[0][:-300] + b"\r\n--b\r\n\r\n" + PICTURES[1] + b"\r\n--b")
    assert [stream.take(), stream.take(), stream.take()] == [b"", PICTURES[1], None]
    stream.feed(b"x" * 10_000_000)
    assert stream.take() is None
    assert stream.unused > 10_000_000


def test_what_a_phone_puts_behind_a_picture_is_left_out() -> None:
    film = b"\0\0\0\x18ftypmp42" + b"\xff\xd9 moov" * 50_000
    assert whole_jpeg(PICTURES[0] + film) == PICTURES[0]
    assert decode(PICTURES[0] + film) is not None
    assert decode(PICTURES[0][:-400] + film.replace(b"\xff\xd9", b"")) is None
    png = encoded(noise(48, 64), ".png")
    assert decode(png + film) is not None
    assert decode(png[:-20] + b"IEND" + film) is None


def test_an_answer_that_ends_after_a_picture_is_asked_for_again() -> None:
    def serve(client: socket.socket, _: str, number: int) -> None:
        kind = b"Content-Type: image/jpeg\r\n" if number % 2 else MULTIPART
        end = b"" if number % 2 else b"\r\n--b--\r\n"
        client.sendall(b"HTTP/1.0 200 OK\r\n" + kind + b"\r\n" + PICTURES[number % 5] + end)

    with camera(serve) as place:
        source = open_http(f"http://{place}/one", verify_tls=True)
        assert [source.wait_for_picture() for _ in range(6)] == [True] * 6


@pytest.mark.parametrize("hiccup", ["busy", "closed", "cut", "nonsense"])
def test_one_request_that_fails_is_not_the_end_of_a_camera(hiccup: str) -> None:
    def serve(client: socket.socket, _: str, number: int) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(PICTURES[0])}\r\n\r\n".encode()
        if number % 4:
            client.sendall(head + PICTURES[0])
        elif hiccup == "busy":
            client.sendall(b"HTTP/1.1 503 Device Busy\r\nContent-Length: 0\r\n\r\n")
        elif hiccup == "cut":
            client.sendall(head + PICTURES[0][:100])
        elif hiccup == "nonsense":
            client.sendall(b"\0\0\0\0")

    with camera(serve) as place:
        source = open_http(f"http://{place}/snapshot", verify_tls=True)
        assert isinstance(source, SnapshotCamera)
        assert [source.wait_for_picture() for _ in range(11)].count(True) in (8, 9)


@pytest.mark.parametrize(
    ("kind", "rate", "waits"), [("one", 0.25, True), ("stream", 0.25, True), ("stream", 10.0, False)]
)
def test_a_picture_may_take_as_long_as_the_rate_that_was_set(kind: str, rate: float, waits: bool) -> None:
    """As cameras take in the dark."""

    def serve(client: socket.socket, _: str, number: int) -> None:
        if kind == "one":
            time.sleep(3.3 if number > 1 else 0)
            client.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(PICTURES[0])
            )
            client.sendall(PICTURES[0])
            return
        client.sendall(b"HTTP/1.1 200 OK\r\n" + MULTIPART + b"\r\n" + part()(PICTURES[0]))
        time.sleep(3.3)
        client.sendall(part()(PICTURES[1]))

    with camera(serve) as place:
        source = open_camera(Job(f"http://{place}/slow", rate=rate))
        assert source.wait_for_picture()
        if waits:
            assert source.wait_for_picture()
        else:
            with pytest.raises(SourceUnavailable, match="gives no pictures"):
                source.wait_for_picture()
        source.close()


def test_a_camera_that_stays_busy_is_lost_with_its_reason_and_a_wrong_password_is_at_once() -> None:
    codes = iter([200, *[503] * 1000])

    def serve(client: socket.socket, request: str, _: int) -> None:
        code = 401 if "wrong" in request else next(codes)
        length = len(PICTURES[0]) if code == 200 else 0
        client.sendall(f"HTTP/1.1 {code} X\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n".encode())
        if code == 200:
            client.sendall(PICTURES[0])

    with camera(serve) as place:
        source = open_http(f"http://{place}/snapshot", verify_tls=True)
        begun = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"it answers 503$"):
            list(iter(source.wait_for_picture, None))
        assert 2 < time.monotonic() - begun < 4
        with pytest.raises(SourceUnavailable, match="it answers 401: user or password is wrong"):
            open_http(f"http://{place}/wrong", verify_tls=True)


REALM = 'Küche, "hinten"'
USER, PASSWORD = "wärter", 'gehe:im/ä"\\入'
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def _is_right(request: str, offered: list[str], nonce: str) -> bool:
    """Whether a request carries the answer to one of the challenges, reckoned here by RFC 7616."""
    header = next((line for line in request.split("\r\n") if line.lower().startswith("authorization: digest")), "")
    text = header.encode("latin-1").decode()
    fields = {
        name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', text)
    }
    algorithm = fields.get("algorithm", "MD5")
    if not fields or algorithm not in offered:
        return False

    def digest(value: str) -> str:
        return HASHES[algorithm.removesuffix("-sess")](value.encode()).hexdigest()

    first = digest(f"{USER}:{REALM}:{PASSWORD}")
    if algorithm.endswith("-sess"):
        first = digest(f"{first}:{nonce}:{fields['cnonce']}")
    body = f":{digest('')}" if fields.get("qop") == "auth-int" else ""
    second = digest(f"GET:{fields['uri']}{body}")
    middle = f"{fields['nc']}:{fields['cnonce']}:{fields['qop']}:" if "qop" in fields else ""
    if fields.get("opaque") != 'a\\"b,c=':
        return False
    return bool(fields["response"] == digest(f"{first}:{nonce}:{middle}{second}")) and fields["username"] == USER


@pytest.mark.parametrize(
    ("offered", "qop"),
    [
        (["MD5"], "auth"),
        (["MD5"], ""),
        (["MD5"], "auth-int, auth"),
        (["MD5"], "auth-int"),
        (["SHA-256-sess"], "auth-int"),
        (["MD5-sess"], "auth"),
        (["SHA-256"], "auth"),
        (["SHA-256", "MD5"], "auth"),
        (["SHA-512-256x", "MD5"], "auth"),
    ],
)
def test_digest_in_every_way_that_cameras_ask_for_it(offered: list[str], qop: str) -> None:
    def serve(client: socket.socket, request: str, _: int) -> None:
        if request.startswith("GET /moved"):
            client.sendall(b"HTTP/1.1 302 Found\r\nLocation: /live%20view?a=b c\r\nContent-Length: 0\r\n\r\n")
        elif _is_right(request, offered, "n0nce"):
            client.sendall(b"HTTP/1.1 200 OK\r\n" + MULTIPART + b"\r\n" + PICTURES[0] + PICTURES[1])
            time.sleep(0.5)
        else:
            more = f', qop="{qop}"' if qop else ""
            realm = REALM.replace('"', '\\"')
            ways = [
                f'Digest realm="{realm}", nonce="n0nce", opaque="a\\"b,c=", algorithm={one}{more}' for one in offered
            ]
            ways = [f'Basic realm="a, b", {", ".join(ways)}'] if offered[0] == "SHA-256" else [*ways, "Negotiate"]
            lines = "".join(f"WWW-Authenticate: {way}\r\n" for way in ways)
            client.sendall(f"HTTP/1.1 401 No\r\n{lines}Content-Length: 0\r\n\r\n".encode())

    name = "w%C3%A4rter:gehe%3Aim%2F%C3%A4%22%5C%E5%85%A5@"
    with camera(serve) as place:
        for path in ("/video?name=a b", "/moved"):
            source = open_http(f"http://{name}{place}{path}", verify_tls=True)
            assert source.wait_for_picture()
            source.close()
        for wrong in ("", "admin:1234@"):
            with pytest.raises(SourceUnavailable, match="it answers 401: user or password is wrong"):
                open_http(f"http://{wrong}{place}/video", verify_tls=True)


def test_a_camera_that_sends_on_until_its_cookie_is_there_is_followed() -> None:
    def serve(client: socket.socket, request: str, _: int) -> None:
        if "cookie: session=abc" in request.lower():
            client.sendall(b"HTTP/1.1 200 OK\r\n" + MULTIPART + b"\r\n" + PICTURES[0] + PICTURES[1])
            time.sleep(0.5)
        else:
            head = b"HTTP/1.1 302 Found\r\nSet-Cookie: session=abc; Path=/; HttpOnly\r\nLocation: /video\r\n"
            client.sendall(head + b"Content-Length: 0\r\n\r\n")

    with camera(serve) as place:
        source = open_http(f"http://{place}/video", verify_tls=True)
        assert source.wait_for_picture()
        source.close()


def test_what_keeps_a_camera_from_being_opened_is_said() -> None:
    with camera(lambda *_: time.sleep(2)) as place:
        with pytest.raises(SourceUnavailable, match=r": it does not answer$"):
            open_http(f"http://{place}/video", verify_tls=True, timeout_s=0.3)
        with pytest.raises(SourceUnavailable, match=r": it does not answer$|: it does not speak TLS$"):
            open_http(f"https://{place}/video", verify_tls=True, timeout_s=0.3)
    with pytest.raises(SourceUnavailable, match=r": nothing listens at that port$"):
        open_http(f"http://{place}/video", verify_tls=True)
    with pytest.raises(SourceUnavailable, match=r": there is no host of that name$"):
        open_http("http://no-camera.invalid/video", verify_tls=True)
