"""Titles and artists count by their letters and by the artist's other songs, and nothing of them is kept."""

import numpy as np
import pytest

from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.library import Library
from services.recommender.models.artists import CAUTION, OtherSongs
from services.recommender.models.names import MAX, count_runs, first_of, start_of
from services.recommender.models.session import SESSION, SessionModel
from tests.support.random_songs import catalogue, table


@pytest.fixture(scope="module")
def model() -> SessionModel:
    return SessionModel.load()


def test_runs_fall_into_the_same_buckets_everywhere() -> None:
    runs = count_runs(["Öl öl", ""])
    assert runs[[0]].indices.tolist() == [1352, 3214, 3709, 7480, 7785, 7853]
    assert runs[[0]].data == pytest.approx(1 + np.log(2))
    assert runs[[1]].nnz == 0


def test_which_recording_who_else_sings_case_and_accents_make_no_difference(model: SessionModel) -> None:
    assert start_of("Halo (Live) - Remastered 2009") == "halo"
    assert start_of("(Sittin' On) The Dock - Mono") == "(sittin' on) the dock"
    assert first_of("Beyoncé;JAY-Z") == first_of("Beyoncé feat. JAY-Z") == first_of("BEYONCÉ & JAY-Z") == "beyoncé"
    one, same = model.names.inputs(["Déjà Vu (feat. JAY-Z)"], ["Beyoncé;JAY-Z"])
    other, like = model.names.inputs(["DEJA VU - Remix"], ["Beyonce"])
    assert one == pytest.approx(other)
    assert same == pytest.approx(like)
    assert 0 < np.abs(np.hstack([one, same])).max() <= MAX


def test_what_has_no_name_tells_nothing(model: SessionModel) -> None:
    titles, artists = model.names.inputs(["", "Halo"], ["", ""])
    assert not titles[0].any()
    assert titles[1].any()
    assert not artists.any()


def test_other_songs_are_those_of_the_artist_and_few_count_less() -> None:
    sound = np.array([[1.0], [2], [4], [8], [16], [32]], np.float32)
    artists = ["A", "a;B", "A feat. C", "D", "", ""]
    found = OtherSongs(sound, artists)
    assert found.of(slice(None))[:, 0] == pytest.approx(
        [6 / (2 + CAUTION), 5 / (2 + CAUTION), 3 / (2 + CAUTION), 0, 0, 0]
    )
    assert found.of(slice(2, 4))[:, 0] == pytest.approx([3 / (2 + CAUTION), 0])
    assert not OtherSongs(sound, [""] * 6).of(slice(None)).any()


def test_a_song_is_the_same_whatever_stands_beside_it_but_for_its_artist_s_songs(model: SessionModel) -> None:
    whole = catalogue(300)
    vectors = model.vectors(whole.inputs, *whole.names)
    of_artist = whole.frame["artist"] == whole.frame["artist"].mode()[0]
    rest = Catalogue(whole.frame[of_artist | (whole.frame.index < 100)])
    kept = [whole.position(song) for song in rest.frame["id"]]
    again = model.vectors(rest.inputs, *rest.names)
    own = of_artist.to_numpy()[kept]
    assert own.sum() > 1
    assert again[own] == pytest.approx(vectors[kept][own], abs=1e-5)


def test_without_titles_and_artists_songs_are_told_apart_by_sound(model: SessionModel) -> None:
    bare = table(50).assign(title="", artist="")
    library = Library.build(Catalogue(bare))
    ranking = library.after(bare["id"].tolist()[:3], 0)
    assert len(ranking) == 47
    assert len({one.score for one in ranking}) > 40


def test_the_model_holds_numbers_alone_and_is_small() -> None:
    assert SESSION.stat().st_size < 2_000_000
    with np.load(SESSION) as file:
        kinds = {name: file[name].dtype.kind for name in file.files}
    assert {name for name, kind in kinds.items() if kind not in "fiu"} == {"version"}
