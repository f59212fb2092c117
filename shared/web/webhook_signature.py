"""Signatures of webhooks, and the secrets that they are made with.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

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


def signed_headers(
    secrets: Iterable[str], message_id: str, body: str, now: datetime
) -> list[tuple[bytes | str, bytes | str]]:
    """Signed with every secret, so that a receiver may know the old one or the new one."""
    signatures = " ".join(Webhook(secret).sign(message_id, now, body) for secret in secrets)
    return [
        ("content-type", "application/json"),
        ("user-agent", "moodstream"),
        ("webhook-id", message_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", signatures),
    ]
