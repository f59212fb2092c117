"""Asks the service in this container whether it is ready; exit code 1 says no. Started as a file, without ``site``.

It runs every few seconds all day long, beside services that have work to do, so it imports next to nothing: a client
for HTTP would cost four times as much. Where the machine is busy an answer takes its time; only silence is bad.
"""

import os
import socket
import sys

TIMEOUT_S = 8.0
"""Below the time-out of the Dockerfile, with which Python itself has to start."""
REQUEST = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def main(timeout_s: float = TIMEOUT_S) -> int:
    """Exit code 0 when the answer is 200. The time limit holds for connecting and for each wait for bytes."""
    try:
        with _connected(("127.0.0.1", int(os.environ.get("MOODSTREAM_PORT") or 8000)), timeout_s) as service:
            service.sendall(REQUEST)
            with service.makefile("rb") as answer:
                return int(answer.readline(64).split()[1:2] != [b"200"])
    except OSError:
        return 1


def _connected(address: tuple[str, int], timeout_s: float) -> socket.socket:
    plain = socket.create_connection(address, timeout_s)
    if not os.environ.get("MOODSTREAM_TLS_CERTIFICATE"):
        return plain
    import ssl

    # its certificate is for the name that visitors use, not for this one
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)


if __name__ == "__main__":
    sys.exit(main())
