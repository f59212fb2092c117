"""Secrets that webhooks are signed with. No package is needed, so that one can be made before any is installed.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
import secrets

PREFIX = "whsec_"


def new_secret() -> str:
    """A signing secret as the specification asks for it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def checked_secret(text: str) -> str:
    """Raises ValueError."""
    try:
        length = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except binascii.Error:
        length = 0
    if not text.startswith(PREFIX) or not 24 <= length <= 64:
        raise ValueError("a secret is made by: moodstream webhooks secret")
    return text
