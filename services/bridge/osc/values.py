"""What is sent of one camera, and of the player, as OSC messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pythonosc.osc_message_builder import OscMessageBuilder

from moodstream.contracts.events import Event, FacesRead, MoodChanged, PlaybackChanged
from moodstream.contracts.moods import MOODS, Mood, expectation
from services.bridge.osc.glide import Glide

NUMBERS = {mood: number for number, mood in enumerate((*MOODS, Mood.UNSURE, Mood.NOBODY))}
"""For receivers that know no text: angry 0, happy 1, sad 2, calm 3, unsure 4, nobody 5."""

MAX_FACES = 16

Value = str | float | int


def message(address: str, *values: Value) -> bytes:
    """One OSC message."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


@dataclass
class CameraValues:
    """One camera as OSC messages: numbers glide, all else is sent as it is."""

    camera_id: str
    glide: Glide
    root: str = ""
    """before every address"""
    mood: Mood = Mood.NOBODY
    people: int = 0
    faces: tuple[str, ...] = ()
    """mood of each face that is seen, from left to right"""
    sources: dict[str, tuple[Mood, float]] = field(default_factory=dict)
    """mood and weight of each source that was ever told beside others; weight 0 where it says nothing now"""

    def __post_init__(self) -> None:
        for name in ("/valence", "/arousal", "/confidence", *(f"/probability/{mood}" for mood in MOODS)):
            self.glide.aim(name, 0.0)

    def apply_event(self, event: Event) -> bool:
        """Take in an event; True when the mood is another one now."""
        if isinstance(event, FacesRead) and event.camera_id == self.camera_id:
            self._apply_faces(event)
        if not isinstance(event, MoodChanged) or event.camera_id != self.camera_id:
            return False
        before, self.mood, self.people = self.mood, event.mood, event.faces
        self.glide.aim("/valence", event.valence)
        self.glide.aim("/arousal", event.arousal)
        self.glide.aim("/confidence", event.confidence if event.mood is not Mood.NOBODY else 0.0)
        self.sources = dict.fromkeys(self.sources, (Mood.NOBODY, 0.0))
        self.sources |= {source.kind: (source.mood, source.weight) for source in event.sources}
        shares = event.probabilities.in_order() if event.probabilities else (0.0,) * 4
        for mood, share in zip(MOODS, shares, strict=True):
            self.glide.aim(f"/probability/{mood}", share)
        return self.mood != before

    def _apply_faces(self, event: FacesRead) -> None:
        faces = sorted((face for face in event.faces if face.refused is None), key=lambda face: face.box[0])
        faces = faces[:MAX_FACES]
        for gone in range(len(faces), len(self.faces)):
            self.glide.drop(f"/faces/{gone + 1}/")
        self.faces = tuple(face.mood for face in faces)
        for number, face in enumerate(faces, 1):
            valence, arousal = expectation(face.probabilities.in_order())
            values = {"valence": valence, "arousal": arousal, "confidence": face.confidence}
            values |= _shares_of(face.box, event.size) if event.size else {}
            for name, value in values.items():
                self.glide.aim(f"/faces/{number}/{name}", value)

    def mood_messages(self) -> Iterator[bytes]:
        yield message(f"{self.root}/mood", self.mood.value)
        yield message(f"{self.root}/mood/number", NUMBERS[self.mood])

    def messages(self) -> Iterator[bytes]:
        """All values as they are now."""
        yield message(f"{self.root}/people", self.people)
        yield message(f"{self.root}/faces/count", len(self.faces))
        for number, mood in enumerate(self.faces, 1):
            yield message(f"{self.root}/faces/{number}/mood", mood)
        for kind, (said, weight) in self.sources.items():
            yield message(f"{self.root}/source/{kind}/mood", said.value)
            yield message(f"{self.root}/source/{kind}/weight", weight)
        for name, value in self.glide.now.items():
            yield message(self.root + name, value)


@dataclass
class SongValues:
    """The player as OSC messages, all of them text."""

    title: str = ""
    artist: str = ""
    state: str = ""

    def apply_event(self, event: PlaybackChanged) -> bool:
        """Take in an event; True when something is different now."""
        before = self.title, self.artist, self.state
        self.title, self.artist = (event.song.title, event.song.artist) if event.song else ("", "")
        self.state = event.state
        return before != (self.title, self.artist, self.state)

    def messages(self) -> Iterator[bytes]:
        yield message("/song/title", self.title)
        yield message("/song/artist", self.artist)
        yield message("/song/state", self.state)


def _shares_of(box: tuple[int, int, int, int], size: tuple[int, int]) -> dict[str, float]:
    """A box in shares of the frame, 0 to 1 from its upper left corner, whatever the camera's resolution."""
    (x, y, width, height), (whole_width, whole_height) = box, size
    shares = {
        "x": x / whole_width,
        "y": y / whole_height,
        "width": width / whole_width,
        "height": height / whole_height,
    }
    return {name: min(1.0, max(0.0, share)) for name, share in shares.items()}
