"""Commands in English: a piece of speech in, one command out, or nothing. PocketSphinx, which is imported here alone.

A grammar hears a command in whatever is said. How well it fits the sound, how much of the piece its words take, and how
far it is ahead of all other commands decide whether that is believed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moodstream.contracts.events import SpokenCommand
from moodstream.errors import MoodstreamError
from services.voice.log_mel import RATE
from services.voice.speech import Speech

MIN_S, MAX_S = 0.3, 4.0
"""seconds of sound in which a command may be"""
FULL_SCALE = 32_767
MIN_SNR_DB = 12.0
"""level of the speech over that of the noise"""
ALL = "all"
"""the search for all commands; that for all but one has the name of the one"""
NOTHING = "(NULL)"
"""the decoder's word for a step of the grammar without sound"""


BIAS, FIT, SHARE = -0.28, 2.88, 10.19
SURE = 0.5
"""a command is believed from this certainty on"""
MIN_LEAD = 0.1
"""and only if it fits better than the likeliest other one by so much"""

SOUNDS: Mapping[str, tuple[str, ...]] = {
    "angry": ("AE NG G R IY",),
    "calm": ("K AA M", "K AA L M"),
    "fifth": ("F IH F TH", "F IH TH"),
    "first": ("F ER S T", "F AH S T"),
    "fourth": ("F AO R TH", "F AO TH"),
    "go": ("G OW",),
    "happy": ("HH AE P IY", "HH AA P IY"),
    "louder": ("L AW D ER", "L AW D AH"),
    "next": ("N EH K S T", "N EH K S"),
    "on": ("AA N", "AO N"),
    "one": ("W AH N",),
    "other": ("AH DH ER", "AH DH AH"),
    "pause": ("P AO Z",),
    "pick": ("P IH K",),
    "play": ("P L EY",),
    "quieter": ("K W AY AH T ER", "K W AY AH T AH"),
    "sad": ("S AE D",),
    "second": ("S EH K AH N D",),
    "something": ("S AH M TH IH NG",),
    "song": ("S AO NG", "S AA NG"),
    "songs": ("S AO NG Z", "S AA NG Z"),
    "stop": ("S T AA P", "S T AO P"),
    "the": ("DH AH", "DH IY"),
    "third": ("TH ER D", "TH AH D"),
}
"""How the words are spoken, in the phones of the acoustic model (ARPABET), in America and in Britain."""

PHRASES: Mapping[SpokenCommand, str] = {
    **{mood: f"play something {mood}" for mood in ("angry", "happy", "sad", "calm")},
    **{
        place: f"[ pick | play ] the {place} ( one | song )"
        for place in ("first", "second", "third", "fourth", "fifth")
    },
    "stop": "stop",
    "pause": "pause",
    "resume": "play | go on",
    "louder": "louder",
    "quieter": "quieter",
    "next": "next",
    "other": "other songs",
}
"""What is said for each command, in JSGF (https://www.w3.org/TR/jsgf/)."""


@dataclass(frozen=True)
class Heard:
    """What a search found in a piece of speech."""

    command: SpokenCommand
    fit: float
    """how well words and pauses fit: mean logarithm of their likelihood in 10 ms, against that of the likeliest
    sound there; times 1000, about -8 to -1"""
    share: float
    """of the piece that the words take"""

    @property
    def certainty(self) -> float:
        """Logarithm of the odds that it was a command, as fitted on half of the voices."""
        return BIAS + FIT * self.fit + SHARE * self.share


class CommandReader:
    """Hears one command, or nothing. The same sound always gives the same answer; for one thread at a time.

    Raises MoodstreamError where PocketSphinx is not installed.
    """

    def __init__(self) -> None:
        self._decoder = _decoder()

    def read(self, pieces: Sequence[Speech]) -> SpokenCommand | None:
        """What was said, if it was a command and nothing else: one piece of speech, well above the noise."""
        if len(pieces) != 1 or not MIN_S <= len(pieces[0].sound) / RATE <= MAX_S or pieces[0].snr_db < MIN_SNR_DB:
            return None
        samples = (np.clip(pieces[0].sound, -1, 1) * FULL_SCALE).astype("<i2").tobytes()
        best = self._search(ALL, samples)
        if best is None or best.certainty < SURE:
            return None
        second = self._search(best.command, samples)
        return best.command if second is None or best.fit - second.fit >= MIN_LEAD else None

    def _search(self, name: str, samples: bytes) -> Heard | None:
        self._decoder.activate_search(name)
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        return _heard(self._decoder.seg() or ())


def _heard(segments: Iterable[Any]) -> Heard | None:
    """From the segments of the decoder: words, and between them silence and noise in brackets."""
    parts = [one for one in segments if one.word != NOTHING]
    places = [place for place, one in enumerate(parts) if one.word[0].isalpha()]
    if not places:
        return None
    first, last, frames = parts[places[0]], parts[places[-1]], parts[-1].end_frame + 1
    command = _command([parts[place].word.partition("(")[0] for place in places])
    return Heard(command, _fit(parts) / frames, (last.end_frame + 1 - first.start_frame) / frames)


def _fit(segments: Iterable[Any]) -> float:
    return 1000 * sum(math.log(max(one.ascore, 1e-300)) for one in segments)


def _command(words: Sequence[str]) -> SpokenCommand:
    """The word that decides is the command itself, but for two."""
    if words[0] == "other":
        return "other"
    return next((command for command in PHRASES if command in words), "resume")


def _grammar(commands: Iterable[SpokenCommand]) -> str:
    phrases = " | ".join(PHRASES[command] for command in commands)
    return f"#JSGF V1.0;\ngrammar commands;\npublic <command> = {phrases};\n"


def _decoder() -> Any:
    """With a search for all commands, and one for each that leaves it out."""
    try:
        import pocketsphinx
    except ImportError:
        text = "commands by voice need pocketsphinx: pip install 'moodstream[commands]'"
        raise MoodstreamError(text) from None
    # Each piece is measured against itself (cmn), so that none depends on what was said before; nothing is logged.
    model = pocketsphinx.get_model_path("en-us/en-us")
    decoder = pocketsphinx.Decoder(hmm=model, dict=None, lm=None, cmn="batch", bestpath=False, loglevel="FATAL")
    for word, sounds in SOUNDS.items():
        for number, phones in enumerate(sounds, 1):
            decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
    decoder.add_jsgf_string(ALL, _grammar(PHRASES))
    for command in PHRASES:
        decoder.add_jsgf_string(command, _grammar(one for one in PHRASES if one != command))
    return decoder
