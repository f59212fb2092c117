"""``python -m shared.app.healthcheck`` asks the service in this container whether it is ready; exit code 1 says no.

It runs every few seconds all day long, so it imports next to nothing.
"""

import http.client
import os
import sys

TIMEOUT_S = 2


def main() -> int:
    address = "127.0.0.1", int(os.environ.get("MOODSTREAM_PORT") or 8000)
    service: http.client.HTTPConnection
    if os.environ.get("MOODSTREAM_TLS_CERTIFICATE"):
        import ssl

        # its certificate is for the name that visitors use, not for this one
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        service = http.client.HTTPSConnection(*address, timeout=TIMEOUT_S, context=context)
    else:
        service = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    try:
        service.request("GET", "/health/ready")
        return int(service.getresponse().status != 200)
    except (OSError, http.client.HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
