"""How the faces in front of a camera become one mood. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.face_tracks import Track
from services.emotion.visits.smoothing import Steadiness, leading_mood, still_leads

Policy = Literal["largest", "average", "majority"]

CLEARLY_LARGER = 1.3
"""Another face takes the lead when its area is this many times the leading one's, so that two people who stand side by
side do not take turns."""


class Verdict(NamedTuple):
    mood: Mood
    probabilities: tuple[float, ...]
    still_leads: bool = True
    """whether the newest readings agree"""


class MoodPolicy:
    """Decides on one mood for all faces, frame by frame."""

    def __init__(self, policy: Policy, steadiness: Steadiness) -> None:
        self.policy = policy
        self._steadiness = steadiness
        self._leading: int | None = None
        """number of the track that counted as the largest in the last frame"""

    def decide(self, faces: Sequence[Track]) -> Verdict | None:
        """The mood of the readable faces; None without any."""
        if not faces:
            return None
        if self.policy == "majority":
            return self._majority(faces)
        chosen = [self._largest(faces)] if self.policy == "largest" else list(faces)
        shares = mean([track.face.probabilities for track in chosen])
        mood = leading_mood(shares, self._steadiness)
        return Verdict(mood, shares, still_leads(mood, mean([track.face.recent for track in chosen])))

    def _largest(self, faces: Sequence[Track]) -> Track:
        best = max(faces, key=lambda track: track.area)
        leading = next((track for track in faces if track.number == self._leading), best)
        if best.area > CLEARLY_LARGER * leading.area:
            leading = best
        self._leading = leading.number
        return leading

    def _majority(self, faces: Sequence[Track]) -> Verdict:
        """One vote per face; unsure faces abstain, and a tie is unsure."""
        shares = mean([track.face.probabilities for track in faces])
        votes = Counter(track.face.mood for track in faces if track.face.mood in MOODS)
        ranked = votes.most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return Verdict(Mood.UNSURE, shares)
        mood = ranked[0][0] or Mood.UNSURE
        return Verdict(mood, mean([track.face.probabilities for track in faces if track.face.mood == mood]))


def mean(shares: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """The mean of several tuples of probabilities, place by place."""
    return tuple(sum(values) / len(shares) for values in zip(*shares, strict=True))
