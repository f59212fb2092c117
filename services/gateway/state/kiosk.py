"""What the operator sets for the page; every page receives it in the snapshot. Pure."""

from typing import Literal

from moodstream.contracts.events import Model

Consent = Literal["touch", "stay"]
Law = Literal["eu", "other"]
Theme = Literal["dark", "light", "auto"]
HeardVoice = Literal["free", "research"]
Language = Literal["en", "de", "fr", "es", "ja", "ar"]


class Kiosk(Model):
    consent: Consent = "touch"
    """a visitor agrees by a touch, or by staying once the notice was shown"""
    stay_s: float = 8.0
    """seconds a visitor must stay for that"""
    idle_s: float = 60.0
    """seconds without a face or a touch before the page asks whether somebody is there"""
    still_there_s: float = 15.0
    """seconds without an answer before it starts over"""
    goodbye_s: float = 6.0
    spotify_embed: bool = False
    """whether the page may show Spotify's own player, which contacts Spotify"""
    auto: bool = False
    """songs are picked automatically"""
    pictures_on_disk: bool = False
    """the operator has accepted a server that may write pictures to a disk, which the notice then says"""
    words: bool = True
    """visitors may write how they feel"""
    voice: HeardVoice | None = None
    """the model with which voices are heard; None where they are not, so that no page asks for a microphone"""
    voice_commands: bool = False
    """visitors who are heard may say what the page shall do"""
    microphone: bool = False
    """a microphone of the site hears everybody, as its settings say"""
    language: Language | None = None
    """for a new visitor; None for the browser's"""
    name: str = ""
    """of the place, on the page and on the notice; empty where nobody has given one"""
    contact: str = ""
    """whom visitors may ask, on the notice"""
    law: Law | None = None
    """which holds here, as its owner has said; None where nobody has"""
    colour: str = ""
    """of the place, #rrggbb, for the page while nobody is there; empty for the page's own"""
    logo: str | None = None
    """another one for another picture at /look/logo.png; None where there is none"""
    theme: Theme = "dark"
    """light letters on a dark ground, the other way round, or as the browser prefers"""
    rest_after_s: float = 600.0
    """seconds without anybody before the page darkens and moves, so that nothing burns into the screen; 0 for never"""
