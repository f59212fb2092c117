"""How long the tracker waits before it believes. Pure."""

from dataclasses import dataclass, field

from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Steadiness


@dataclass(frozen=True)
class Patience:
    """Times by the camera's clock, save for silence and for moods by hand, which are by the process's."""

    steadiness: Steadiness = field(default_factory=Steadiness)
    arrival_s: float = 0.5
    """somebody must be seen for so long"""
    miss_s: float = 0.35
    """a face on its way in may be missed for so long"""
    lost_s: float = 1.0
    """one of several faces that is not seen for so long has left"""
    unread_s: float = 1.0
    """a face that cannot be read for so long makes the mood unsure"""
    nobody_s: float = 2.0
    """nobody must be seen for so long"""
    silence_s: float = 5.0
    """a camera that sends nothing for so long sees nobody"""
    heartbeat_s: float = 5.0
    forced_s: float = 60.0
    """a mood chosen by hand stands for so long"""
    policy: Policy = "largest"
