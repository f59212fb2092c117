"""Certificates for tests of TLS, made by openssl."""

import shutil
import subprocess
from pathlib import Path

from tests.support.needs import missing


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Files of a key and of a self-signed certificate for 127.0.0.1, in a folder that is there."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not (openssl := shutil.which("openssl")):
        missing("openssl")
    command = [openssl, "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate
