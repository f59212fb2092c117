"""Sends one letter to one receiver. Blocking, so to be called in a thread."""

import http.client
import json
import smtplib
import ssl
from base64 import b64encode
from email.message import EmailMessage
from urllib.parse import urlsplit

from moodstream.contracts.events import utc_now
from services.gateway.alerts.receivers import Mail, Receivers
from services.gateway.alerts.told import Letter
from shared.web.webhook_signature import signed_headers

TIMEOUT_S = 10.0
TLS_AT_ONCE = 465


class SendFailed(Exception):
    """One line."""


def send(kind: str, receivers: Receivers, letter: Letter, site: str) -> None:
    """``kind`` is a field of ``Receivers`` that is set; ``site`` is the name of the place. Raises SendFailed."""
    try:
        if kind == "mail" and receivers.mail is not None:
            _mail(receivers.mail, letter, site)
        elif kind == "ntfy" and receivers.ntfy is not None:
            headers = {"Title": _header(_title(letter, site)), "Priority": "default" if letter.ok else "high"}
            _post(receivers.ntfy, letter.text.encode(), headers)
        elif kind == "webhook" and receivers.webhook is not None:
            body = _webhook_body(letter, site)
            secrets = [receivers.webhook_secret] if receivers.webhook_secret else []
            headers = {str(name): str(value) for name, value in signed_headers(secrets, letter.id, body, utc_now())}
            _post(receivers.webhook, body.encode(), headers)
    except (OSError, http.client.HTTPException, smtplib.SMTPException) as error:
        raise SendFailed(_reason(error)) from None


def _webhook_body(letter: Letter, site: str) -> str:
    """In the form that the Standard Webhooks recommend."""
    data = {"site": site, "ok": letter.ok, "problems": [] if letter.ok else list(letter.problems)}
    data["text"] = f"{_title(letter, site)}: {letter.text}"
    return json.dumps({"type": "Alert", "timestamp": letter.at.isoformat(), "data": data})


def _title(letter: Letter, site: str) -> str:
    return f"{letter.title} ({site})" if site else letter.title


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    """Redirects are not followed: they could lead anywhere."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    if parts.username is not None:
        named = f"{parts.username}:{parts.password or ''}".encode()
        headers = {**headers, "Authorization": f"Basic {b64encode(named).decode()}"}
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise SendFailed(f"{parts.hostname} answered {status}")


def _mail(mail: Mail, letter: Letter, site: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = _title(letter, site), mail.sender, mail.to
    message.set_content(f"{letter.text}\n")
    context = ssl.create_default_context()
    if mail.port == TLS_AT_ONCE:
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.server, mail.port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(mail.server, mail.port, timeout=TIMEOUT_S)
    with server:
        server.ehlo()
        if mail.port != TLS_AT_ONCE and (mail.password or server.has_extn("starttls")):
            server.starttls(context=context)
        if mail.password:
            server.login(mail.user, mail.password)
        server.send_message(message)


def _header(text: str) -> str:
    """RFC 2047, which ntfy reads, where a header cannot hold the letters."""
    return text if text.isascii() else f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server knows no STARTTLS or no log-in, so no password is sent to it"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server does not take the user or the password"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"it did not answer within {TIMEOUT_S:.0f} s"
    return getattr(error, "strerror", None) or type(error).__name__
