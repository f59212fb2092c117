"""Playlists are read and kept apart, measures are right, and each way learns what can be learnt."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.needs import missing
from tests.support.random_songs import table

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from services.recommender.models.session import Happened, SessionModel
        from training.data import DataError
        from training.session import by_id, encoders, names
        from training.session.__main__ import WAYS, main
        from training.session.measures import evaluate, mean, measure
        from training.session.playlists import MIN_SONGS, Playlists, read, split
        from training.songs import similarity
except ImportError:
    missing("tensorflow (make setup-train)")


def playlists(folder: Path, count: int = 900, name: str = "lists") -> Path:
    """Eighty playlists: those of even number have slow songs, those of odd number quick ones."""
    songs = table(count, seed=3).rename(columns={"id": "track_id"})
    random = np.random.default_rng(2)
    halves = [songs[songs["tempo"] < 130], songs[songs["tempo"] >= 130]]
    rows = [
        halves[number % 2].sample(20, random_state=int(random.integers(1 << 30))).assign(playlist_id=f"list {number}")
        for number in range(80)
    ]
    pd.concat(rows).to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Playlists:
    return read([playlists(tmp_path_factory.mktemp("playlists"))])


def test_playlists_are_apart_and_when_cold_so_are_their_works(data: Playlists) -> None:
    assert len(data.members) == 80
    rest, aside = split(data)
    assert len(aside.members) == 16
    assert not np.isin(rest.works(), aside.works()).any()
    warm, same = split(data, cold=False)
    assert [one.tolist() for one in same.members] == [one.tolist() for one in aside.members]
    assert len(warm.members) == 64
    assert np.isin(warm.works(), aside.works()).any()


def test_playlists_of_other_tables_know_their_order_and_find_features_elsewhere(tmp_path: Path) -> None:
    songs = table(30, seed=4).rename(columns={"id": "track_id"})
    songs.to_csv(tmp_path / "features.csv", index=False)
    order = np.random.default_rng(1).permutation(30)
    own = pd.DataFrame({"playlist": "mine", "pos": range(30), "joined_track_id": songs["track_id"].to_numpy()[order]})
    short = pd.DataFrame({"playlist": "short", "pos": range(3), "joined_track_id": songs["track_id"][:3]})
    pd.concat([own, short]).sample(frac=1, random_state=1).to_csv(tmp_path / "lists.csv", index=False)
    found = read([tmp_path / "lists.csv"], [tmp_path / "features.csv"])
    (members,) = found.members
    assert found.numbers[members][:, 10].tolist() == songs["tempo"].to_numpy()[order].tolist()
    with pytest.raises(DataError, match="no table has the features"):
        read([tmp_path / "lists.csv"])
    with pytest.raises(DataError, match="has no column of playlists"):
        read([tmp_path / "features.csv"])


def test_songs_of_one_title_and_artist_are_one_work(tmp_path: Path) -> None:
    songs = table(MIN_SONGS, seed=4).rename(columns={"id": "track_id"}).assign(playlist="one")
    songs.loc[1, ["title", "artist"]] = ["Song, a (Live)", "Somebody"]
    songs.loc[2, ["title", "artist"]] = ["SONG, A - 2009 Remaster", "Somebody feat. Another"]
    songs.to_csv(tmp_path / "lists.csv", index=False)
    assert len(read([tmp_path / "lists.csv"]).works()) == MIN_SONGS - 1


def test_measures_are_those_counted_by_hand() -> None:
    scores = np.array([9.0, 8, 7, 6, 5, 5])
    found = measure(scores, follows=np.array([1, 4]), others=np.array([0, 2, 3, 5]))
    assert found.auc == pytest.approx((3 / 4 + 0.5 / 4) / 2)
    assert found.mrr == pytest.approx(1 / 2)
    assert found.recall_100 == found.recall_500 == 1
    assert found.first_of_five == pytest.approx(((3 / 4) ** 4 + (0.5 / 4) ** 4) / 2)
    ideal = 1 / np.log2(2) + 1 / np.log2(3)
    assert found.ndcg_100 == pytest.approx((1 / np.log2(3) + 1 / np.log2(4.5 + 2)) / ideal, abs=0.02)
    constant = measure(np.zeros(6), np.array([1, 4]), np.array([0, 2, 3, 5]))
    assert constant.auc == 0.5


def test_strangers_are_songs_whose_artist_was_neither_fitted_on_nor_heard(data: Playlists) -> None:
    rest, aside = split(data)
    fitted = {data.artists[at] for members in rest.members for at in members}
    strange = aside.strangers(rest)
    assert strange.tolist() == [artist not in fitted for artist in data.artists]

    one = data.chosen(np.arange(len(data.members)) == 0)
    (members,) = one.members
    wanted = next(at for at in members if (data.artist[members] == data.artist[at]).sum() == 1)
    counted = np.arange(len(data.work)) == wanted
    scores = np.random.default_rng(1).random(len(data.work))
    found = evaluate(lambda heard: scores, one, heard=1, draws=40, counted=counted)
    others = np.setdiff1d(one.tables["lists"], members)
    assert mean(found).auc == pytest.approx((scores[others] < scores[wanted]).mean())
    counted[members] = data.artist[members] == data.artist[members[0]]
    album = replace(one, artist=np.zeros_like(one.artist))
    assert len(evaluate(lambda heard: scores, album, heard=1, counted=counted)) == 0


def test_names_that_tell_playlists_apart_become_numbers_that_do() -> None:
    titles = [f"Corazón {at}" if at % 2 else f"Winter {at}" for at in range(60)]
    lists = [np.arange(at, 60, 6) for at in range(6)]
    fitted = names.fit(titles, [""] * 60, lists)
    known, nothing = fitted.inputs(titles, [""] * 60)
    winter, heart = known[::2].mean(axis=0), known[1::2].mean(axis=0)
    for text, near, far in [("Mi corazon (Live)", heart, winter), ("MIDWINTER - Mono", winter, heart)]:
        (found,), _ = fitted.inputs([text], [""])
        assert ((found - near) ** 2).sum() < ((found - far) ** 2).sum()
    assert not nothing.any()


@pytest.mark.parametrize("name", list(encoders.POOLS))
def test_an_encoder_tells_songs_it_has_never_met(data: Playlists, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "WIDTH", 32)
    monkeypatch.setattr(encoders, "BATCH", 64)
    rest, aside = split(data)
    encoder = encoders.fit(name, rest, steps=120)
    assert mean(evaluate(encoders.scores_of(encoder), aside, heard=3)).auc > 0.65  # names tell nothing here
    if name != "attention":
        return
    model = encoders.frozen(encoder)
    vectors = model.vectors(data.numbers, data.titles, data.artists)
    heard = aside.members[0][:4]
    weights = model.weights(vectors[heard], [Happened(int(at)) for at in heard])
    ours = vectors @ (weights @ vectors[heard] + model.prior)
    assert ours == pytest.approx(encoders.scores_of(encoder)(heard), abs=1e-3)


@pytest.mark.parametrize("name", ["popularity", "neighbours", "rbm", "ncf", "last", "middle", "sound"])
def test_a_way_that_goes_by_ids_or_one_song_tells_songs_it_knows(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_id, "STEPS", 300)
    monkeypatch.setattr(similarity, "STEPS", 100)
    rest, aside = split(read([playlists(tmp_path, 200)]), cold=False)
    auc = mean(evaluate(WAYS[name](rest, 1), aside, heard=3)).auc
    assert auc > (0.3 if name == "popularity" else 0.65)


def test_the_command_prints_a_row_for_each_way_and_writes_what_ships(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "STEPS", 5)
    monkeypatch.setattr(similarity, "STEPS", 5)
    lists, out = playlists(tmp_path), tmp_path / "session.npz"
    assert main(["--playlists", str(lists), "--way", "popularity", "--out", str(out)]) == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()[2:]]
    parts = [("cold", "lists"), ("cold", "all"), ("strangers", "all"), ("warm", "lists"), ("warm", "all")]
    assert rows == [["popularity", *part] for part in parts]
    assert SessionModel.load(out).vectors(np.zeros((1, 12)), [""], [""]).shape == (1, encoders.DIMENSIONS)
    more = playlists(tmp_path, 1200, name="more")
    options = ["--way", "skips", "--split", "outside", "--seed", "2"]
    assert main(["--playlists", str(lists), str(more), *options]) == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [["skips", "outside", part] for part in ("lists", "more")]
    assert main(["--playlists", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
