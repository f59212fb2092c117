"""Signatures of webhooks.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook


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
