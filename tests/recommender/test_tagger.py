"""The network that hears music, against what Keras computes with the same weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.sound_features import sound_features
from services.recommender.catalogue.spectra import Spectra
from services.recommender.models import ears, tagger
from services.recommender.models.ears import EARS, EARS_ALONE, SOUND_FEATURES, Ears, best_ears
from services.recommender.models.tagger import BANDS, FRAMES, FROM_RATE, HIDDEN, RATE, TAGGED, TAGGER, Tagger, log_mel

HIDDEN_BY_KERAS = [0.128684, -0.127029, -0.284826, 3.442613, -0.353151, 4.311320]
MEANS_BY_KERAS = [0.000002, 0.000002, 9.280098, -0.082218, 0.000368, 2.455086]


@pytest.fixture(scope="module")
def network() -> Tagger:
    return Tagger.load()


def test_it_computes_what_keras_computes(network: Tagger) -> None:
    """The expected numbers are those of a Keras model of the same layers, filled from the checkpoint by TensorFlow."""
    frames = (4 * np.random.default_rng(19).random((FRAMES, BANDS))).astype(np.float32)
    heard = network.hear(frames)
    assert heard[:6] == pytest.approx(HIDDEN_BY_KERAS, abs=1e-4)
    assert heard[HIDDEN:][[0, 250, 420, 470, 600, 700]] == pytest.approx(MEANS_BY_KERAS, abs=1e-4)


def test_a_tone_is_loudest_in_its_band() -> None:
    seconds = np.arange(4 * FROM_RATE) / FROM_RATE
    frames = log_mel(np.sin(2 * np.pi * 1_000 * seconds).astype(np.float32))
    assert frames.shape == (4 * RATE // 256 + 1, BANDS)
    # Up to 1 kHz mel bands are even; 8 kHz is 15 + 27 ln 8 / ln 6.4 of them, and 97 edges lie between.
    top = 15 + 27 * np.log(8) / np.log(6.4)
    assert abs(int(frames.mean(axis=0).argmax()) - (15 / top * (BANDS + 1) - 1)) <= 1


def test_of_any_music_it_tells_as_many_numbers(network: Tagger) -> None:
    random = np.random.default_rng(1)
    for seconds in (3.0, 3.1, 22, 30):
        features = network.features((0.1 * random.normal(size=int(seconds * FROM_RATE))).astype(np.float32))
        assert features.shape == (TAGGED,)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
    still = network.features(np.zeros(5 * FROM_RATE, np.float32))
    assert np.isfinite(still).all()


def test_the_models_know_how_many_numbers_they_are_told(network: Tagger) -> None:
    sound = (0.1 * np.random.default_rng(2).normal(size=5 * FROM_RATE)).astype(np.float32)
    assert len(sound_features(Spectra(sound))) == SOUND_FEATURES
    both, alone = Ears.load(EARS), Ears.load(EARS_ALONE)
    assert (len(both.means), len(alone.means)) == (SOUND_FEATURES + TAGGED, SOUND_FEATURES)
    assert both.tagger is not None
    assert alone.tagger is None
    assert both.version != alone.version


def test_the_best_model_is_the_one_that_has_all_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert best_ears() == EARS
    not_there = replace(TAGGER, package="nobody_has_it", name="nobody-has-it.bin")
    for module in (ears, tagger):
        monkeypatch.setattr(module, "TAGGER", not_there)
    assert best_ears() == EARS_ALONE
    with pytest.raises(MoodstreamError, match=r"is not installed \(`moodstream setup` fetches it\)"):
        Ears.load(EARS)
    monkeypatch.setattr(ears, "EARS_ALONE", tmp_path / "removed.npz")
    assert best_ears() is None


def test_weights_that_were_cut_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    TAGGER.place.parent.mkdir(parents=True)
    TAGGER.place.write_bytes(b"cut")
    with pytest.raises(MoodstreamError, match=r"was cut or changed since it was fetched: .*musicnn\.bin"):
        Tagger.load()
    TAGGER.place.unlink()
    TAGGER.place.mkdir()
    assert Tagger.load()  # from the package
