"""The simulated account: its devices, its rights, and what it plays."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal


def device(name: str, *, active: bool = False, volume: int | None = 50, **more: Any) -> dict[str, Any]:
    """A device, in the form of the Web API."""
    return {
        "id": hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(),
        "is_active": active,
        "is_private_session": False,
        "is_restricted": False,
        "name": name,
        "type": "Speaker",
        "volume_percent": volume,
        "supports_volume": volume is not None,
    } | more


@dataclass
class Account:
    """What the simulated account has and does. Tests look at it and change it."""

    client_ids: set[str] = field(default_factory=lambda: {"moodstream-demo"})
    redirect_uris: set[str] | None = None
    """registered with the app; None: any on loopback"""
    devices: list[dict[str, Any]] = field(default_factory=lambda: [device("Simulated speaker")])
    premium: bool = True
    registered: bool = True
    missing: set[str] = field(default_factory=set)
    """ids of tracks that are not available in this market"""
    passes_over_missing: bool = False
    """a missing track is passed over without a word, instead of refused"""
    refuses: Literal["nothing", "until_transfer", "everything"] = "nothing"
    """what its devices refuse to play"""
    knows_tracks: bool = True
    """whether one track can be asked for"""
    catalogue: list[tuple[str, str, str]] = field(default_factory=list)
    """(id, title, artist) that a search finds"""
    rotates: bool = False
    """each refresh gives a new refresh token, and the old one is dead"""
    uris: list[str] = field(default_factory=list)
    position: int = 0
    """of the current track in ``uris``"""
    playing: bool = False

    @property
    def active(self) -> dict[str, Any] | None:
        return next((one for one in self.devices if one["is_active"]), None)

    @property
    def playing_uri(self) -> str | None:
        return self.uris[self.position] if self.playing and self.position < len(self.uris) else None
