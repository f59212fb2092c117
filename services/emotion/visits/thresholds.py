"""How long things must last before the visit machine believes them. Pure."""

from dataclasses import dataclass, field

from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Steadiness


@dataclass(frozen=True)
class Thresholds:
    """Seconds of the camera's clock, except for ``silence_s`` and ``forced_s``, which are of the process's."""

    steadiness: Steadiness = field(default_factory=Steadiness)
    arrival_s: float = 0.5
    """a face must be seen for this long before a session opens"""
    miss_s: float = 0.35
    """a face that is arriving may be missed for this long"""
    lost_s: float = 1.0
    """one of several faces has left after not being seen for this long"""
    unread_s: float = 1.0
    """the mood becomes unsure after a face could not be read for this long"""
    nobody_s: float = 2.0
    """a session ends after this long without a face"""
    silence_s: float = 5.0
    """a session ends when the camera has sent nothing for this long"""
    heartbeat_s: float = 5.0
    """time between two events while nothing changes"""
    forced_s: float = 60.0
    """how long a mood chosen by hand stands"""
    still_s: float = 180.0
    """a face that has not moved for this long is taken for a picture; 0 never does"""
    policy: Policy = "largest"
