"""What the operator sets for the page; it goes to every page with the snapshot. Pure."""

from typing import Literal

from moodstream.contracts.events import Model

Consent = Literal["touch", "stay"]
Language = Literal["en", "de", "fr", "es", "ja", "ar"]


class Kiosk(Model):
    consent: Consent = "touch"
    """a visitor agrees by a touch, or by staying after having been told"""
    stay_s: float = 8.0
    """how long one must stay for that"""
    idle_s: float = 60.0
    """without a face and a touch for so long, the page asks whether somebody is there"""
    still_there_s: float = 15.0
    """and without an answer for so long, it begins anew"""
    goodbye_s: float = 6.0
    auto: bool = False
    """the songs are picked by themselves"""
    language: Language | None = None
    """for a new visitor; None is the browser's"""
