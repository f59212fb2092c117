"""How the faces before a camera become one mood. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.face_tracks import Track
from services.emotion.visits.smoothing import Steadiness, lasts, leader

Policy = Literal["largest", "average", "majority"]

CLEARLY_LARGER = 1.3
"""Another face takes the lead when its area is so many times that of the leading one: two people side by side do not
take turns."""


class Verdict(NamedTuple):
    mood: Mood
    probabilities: tuple[float, ...]
    lasts: bool = True
    """whether the newest readings still say so"""


class Group:
    """The mood of all faces together, frame by frame."""

    def __init__(self, policy: Policy, steadiness: Steadiness) -> None:
        self.policy = policy
        self._steadiness = steadiness
        self._lead: int | None = None

    def verdict(self, faces: Sequence[Track]) -> Verdict | None:
        """The leading mood of the readable faces, None where there are none."""
        if not faces:
            return None
        if self.policy == "majority":
            return self._majority(faces)
        chosen = [self._largest(faces)] if self.policy == "largest" else list(faces)
        shares = mean([track.face.probabilities for track in chosen])
        mood = leader(shares, self._steadiness)
        return Verdict(mood, shares, lasts(mood, mean([track.face.recent for track in chosen])))

    def _largest(self, faces: Sequence[Track]) -> Track:
        best = max(faces, key=lambda track: track.area)
        leading = next((track for track in faces if track.number == self._lead), best)
        if best.area > CLEARLY_LARGER * leading.area:
            leading = best
        self._lead = leading.number
        return leading

    def _majority(self, faces: Sequence[Track]) -> Verdict:
        """One face, one vote; those who are unsure abstain. A tie is nobody's majority."""
        shares = mean([track.face.probabilities for track in faces])
        votes = Counter(track.face.mood for track in faces if track.face.mood in MOODS)
        ranked = votes.most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return Verdict(Mood.UNSURE, shares)
        mood = ranked[0][0] or Mood.UNSURE
        return Verdict(mood, mean([track.face.probabilities for track in faces if track.face.mood == mood]))


def mean(shares: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(values) / len(shares) for values in zip(*shares, strict=True))
