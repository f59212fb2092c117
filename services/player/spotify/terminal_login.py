"""Signing in to Spotify from a terminal: a QR code to open anywhere, and the last address to paste back.

On the machine with the browser nothing has to be pasted: the last address is caught here, where its port is free.
"""

import http.server
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO
from urllib.parse import urlsplit

import segno

from moodstream.errors import MoodstreamError
from services.player.spotify.login import SpotifyLogin
from shared.plain_text import raw

PATIENCE_S = 600.0
END = ""


def sign_in(login: SpotifyLogin, lines: TextIO, out: TextIO, patience_s: float = PATIENCE_S) -> None:
    """Until there is a token. Raises MoodstreamError when it is refused, or nothing comes in time."""
    address = login.begin()
    answers: queue.Queue[str] = queue.Queue()
    with _catching_callback(login.redirect_uri, answers) as catches:
        if out.isatty():
            segno.make(address, error="l").terminal(out=raw(out), compact=True, border=2)
        print(f"Open this address, on any device:\n\n  {address}\n", file=out)
        if catches:
            print("In a browser on this machine, that is all.", file=out)
        else:
            print(f"Where Moodstream runs already, {login.page} is simpler.", file=out)
        print(f"Elsewhere the browser ends at an address that begins with {login.redirect_uri}", file=out)
        print("and shows no page: copy all of it, and paste it here:", file=out, flush=True)
        threading.Thread(target=_read_lines, args=(lines, answers), daemon=True).start()
        login.finish_pasted(_wait_for_answer(answers, catches, patience_s))
    print("Signed in to Spotify.", file=out)


def _wait_for_answer(answers: "queue.Queue[str]", catches: bool, patience_s: float) -> str:
    try:
        answer = answers.get(timeout=patience_s)
        if answer == END and catches:  # nobody is at the terminal
            answer = answers.get(timeout=patience_s)
    except queue.Empty:
        raise MoodstreamError("nobody has signed in; try again") from None
    if answer == END:
        raise MoodstreamError("no address was pasted")
    return answer


def _read_lines(lines: TextIO, answers: "queue.Queue[str]") -> None:
    for line in lines:
        if line.strip():
            answers.put(line)
            return
    answers.put(END)


@contextmanager
def _catching_callback(redirect_uri: str, answers: "queue.Queue[str]") -> Iterator[bool]:
    """Catch the last address; False where its port is taken or on another machine."""
    parts = urlsplit(redirect_uri)

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fits = urlsplit(self.path).path == parts.path
            self.send_response(200 if fits else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"Look at the terminal. You can close this page." if fits else b"Nothing is here.")
            if fits:
                answers.put(self.path)

        def log_message(self, format: str, *args: object) -> None:
            """The address holds the code; it is not for a log."""

    if parts.scheme != "http" or parts.hostname is None:
        yield False
        return
    try:
        server = http.server.ThreadingHTTPServer((parts.hostname, parts.port or 80), Callback)
    except OSError:
        yield False
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield True
    finally:
        server.shutdown()
        server.server_close()
