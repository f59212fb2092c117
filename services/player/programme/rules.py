"""What the operator has set."""

from dataclasses import dataclass

from services.player.programme.quiet_hours import QuietHours


@dataclass(frozen=True)
class Rules:
    """How the player may behave; volumes in percent."""

    song_min_s: float = 0.0
    """a song is not cut by another mood before it has played for so long"""
    volume: int | None = None
    """at the start; None leaves it as it is"""
    volume_min: int = 0
    volume_max: int = 100
    quiet: QuietHours | None = None
    quiet_volume: int = 0
    """at most in the quiet hours; 0 is silence"""
    music_after_s: float = 0.0
    """how long a visitor's music plays on when nobody is there; 0 for no end"""
    check_every_s: float | None = None
    """how often the output is checked; None where there is nothing to see"""
