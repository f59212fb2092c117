"""Tables as people have them: each untidy one becomes the songs that it means, and what is refused says what to do."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.import_report import ImportReport
from services.recommender.catalogue.importers import ImportOptions, import_songs
from services.recommender.catalogue.refusals import UnknownColumns
from services.recommender.catalogue.table import NUMBERS, Catalogue
from services.recommender.catalogue.tables.files import read_table
from tests.support.random_songs import table

TITLES = ("Café «Ça ira», take 2", 'The "Küche" song', "22", "None", "Señor; adiós", "No. 5 – slow")
PLAIN = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    """Two dozen songs in the columns of a catalogue; some titles have signs of their own."""
    made = table(24)
    made["title"] = [*TITLES, *made["title"][len(TITLES) :]]
    made["artist"] = [f"Band {row};Guest {row}" if row % 3 == 0 else f"Band {row}" for row in range(24)]
    return made.assign(genre="pop", explicit=[row % 2 for row in range(24)], year=1990)


def kaggle(songs: pd.DataFrame) -> pd.DataFrame:
    names = {"id": "track_id", "title": "track_name", "artist": "artists", "genre": "track_genre"}
    return songs.rename(columns=names).drop(columns="uri")


def csv(songs: pd.DataFrame, **options: Any) -> bytes:
    text: str = songs.to_csv(index=False, **options)
    return text.encode()


def comma(songs: pd.DataFrame) -> pd.DataFrame:
    """As Excel writes numbers in most of Europe."""
    return songs.assign(**{name: songs[name].astype("str").str.replace(".", ",") for name in NUMBERS})


def capital(songs: pd.DataFrame) -> bytes:
    wide = kaggle(songs)
    return csv(wide.rename(columns={name: f" {str(name).replace('_', ' ').title()} " for name in wide}))


def exportify(songs: pd.DataFrame, **own: str) -> bytes:
    """Today's Exportify: an address instead of an id, artists with commas, a date."""
    names = {
        "uri": "Track URI", "title": "Track Name", "artist": "Artist Name(s)", "duration_ms": "Track Duration (ms)",
        "year": "Album Release Date", "genre": "Artist Genres", "explicit": "Explicit",
    } | {name: name.title() for name in NUMBERS if name != "duration_ms"}  # fmt: skip
    said = songs.assign(
        artist=songs["artist"].str.replace(";", ", "),
        genre=songs["genre"] + ",rock",
        year="1990-02-11",
        explicit=songs["explicit"].map({0: "false", 1: "true"}),
    )
    more = {"Album Name": "An album", "Album Artist Name(s)": "Nobody", "Added By": "", "Added At": ""}
    return csv(said.drop(columns="id").rename(columns=names | own).assign(**more), quoting=1)


def german_exportify(songs: pd.DataFrame) -> bytes:
    words = (
        "Tanzbarkeit Energie Tonart Lautstärke Modus Sprachanteil Akustik Instrumentalität Lebendigkeit Valenz Tempo"
    )
    features = ("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness")
    named = dict(zip((*features, "instrumentalness", "liveness", "valence", "tempo"), words.split(), strict=True))
    rest = {
        "uri": "Track-URI", "title": "Track-Name", "artist": "Künstlername(n)", "duration_ms": "Track-Dauer (ms)",
        "year": "Veröffentlichungsdatum des Albums", "genre": "Künstler-Genres", "explicit": "Explizit",
    }  # fmt: skip
    return exportify(songs, **named, **rest)


def old_exportify(songs: pd.DataFrame) -> bytes:
    names = {"id": "Spotify ID", "title": "Track Name", "artist": "Artist Name(s)", "duration_ms": "Duration (ms)"}
    names |= {"year": "Release Date", "genre": "Genres"} | {one: one.title() for one in NUMBERS if one != "duration_ms"}
    said = songs.assign(artist=songs["artist"].str.replace(";", ","), **{"Artist IDs": "", "Album Name": "An album"})
    return csv(said.drop(columns=["uri"]).rename(columns=names))


def percent(songs: pd.DataFrame) -> bytes:
    return csv(kaggle(songs.assign(**{name: (100 * songs[name]).round(6).astype("str") + " %" for name in PLAIN})))


def whole_percent(songs: pd.DataFrame) -> bytes:
    return csv(
        kaggle(songs.assign(**{name: 100 * songs[name] for name in PLAIN})).rename(columns={"energy": "energy_%"})
    )


def units(songs: pd.DataFrame) -> bytes:
    said = {"loudness": songs["loudness"].astype("str") + " dB", "tempo": songs["tempo"].astype("str") + " BPM"}
    return csv(kaggle(songs.assign(**said)).rename(columns={"tempo": "Beats.Per.Minute", "loudness": "Loudness..dB.."}))


def clock(songs: pd.DataFrame) -> bytes:
    text = [f"{ms // 60_000}:{ms // 1000 % 60:02}" for ms in songs["duration_ms"]]
    return csv(kaggle(songs.assign(duration_ms=text)).rename(columns={"duration_ms": "Time"}))


def seconds(songs: pd.DataFrame) -> bytes:
    return csv(
        kaggle(songs.assign(duration_ms=songs["duration_ms"] / 1000)).rename(columns={"duration_ms": "Duration (s)"})
    )


def minutes(songs: pd.DataFrame) -> bytes:
    return csv(
        kaggle(songs.assign(duration_ms=songs["duration_ms"] / 60_000)).rename(columns={"duration_ms": "length"})
    )


def thousands(songs: pd.DataFrame, mark: str = ",") -> bytes:
    return csv(kaggle(songs.assign(duration_ms=[f"{one:,}".replace(",", mark) for one in songs["duration_ms"]])))


def lengths(songs: pd.DataFrame, form: str) -> bytes:
    """Minutes and seconds."""
    text = [form.format(ms // 60_000, ms // 1000 % 60) for ms in songs["duration_ms"]]
    return csv(kaggle(songs.assign(duration_ms=text)).rename(columns={"duration_ms": "Time"}))


def named_keys(songs: pd.DataFrame) -> bytes:
    names = ["C", "C#/Db", "D", "D#", "E", "F", "F♯", "G", "Ab", "A", "Bb", "B"]
    modes = {0: "Minor", 1: "Major"}
    return csv(kaggle(songs.assign(key=[names[key] for key in songs["key"]], mode=songs["mode"].map(modes))))


def camelot(songs: pd.DataFrame) -> bytes:
    """One column for key and mode: 8B is C major, 8A A minor."""
    majors = {(7 * (hour - 8)) % 12: hour for hour in range(1, 13)}
    cells = [
        f"{majors[key]}B" if mode else f"{majors[(key + 3) % 12]}A"
        for key, mode in zip(songs["key"], songs["mode"], strict=True)
    ]
    return csv(kaggle(songs.assign(key=cells)).drop(columns="mode").rename(columns={"key": "Camelot"}))


def python_lists(songs: pd.DataFrame) -> bytes:
    return csv(kaggle(songs.assign(artist=[str(names.split(";")) for names in songs["artist"]])))


def json_lines(songs: pd.DataFrame) -> bytes:
    return songs.to_json(orient="records", lines=True).encode()


def data_dump(songs: pd.DataFrame) -> bytes:
    """As Spotify's Web API answers: a song and its features, one within the other."""
    items = [
        {
            "track": {
                "id": row["id"], "name": row["title"], "uri": row["uri"], "explicit": bool(row["explicit"]),
                "artists": [{"name": name, "type": "artist"} for name in row["artist"].split(";")],
                "album": {"name": "An album", "release_date": "1990-01"},
            },
            "audio_features": {name: row[name] for name in NUMBERS} | {"type": "audio_features"},
            "genre": "pop",
        }
        for row in songs.to_dict("records")
    ]  # fmt: skip
    return json.dumps({"href": "x", "items": items}).encode()


def above(songs: pd.DataFrame) -> bytes:
    return b"My songs of the summer;;;\r\n;;;\r\n" + csv(comma(songs), sep=";", lineterminator="\r\n")


def row_names(songs: pd.DataFrame) -> bytes:
    """R's ``write.table``: the names of the rows have no heading."""
    lines = csv(kaggle(songs), sep="\t").decode().splitlines()
    return "\n".join([lines[0], *(f'"{at}"\t{line}' for at, line in enumerate(lines[1:], 1))]).encode()


def trailing(songs: pd.DataFrame) -> bytes:
    lines = csv(kaggle(songs), sep="|").decode().splitlines()
    return "\n".join([lines[0], *(f"{line}|" for line in lines[1:])]).encode()


def workbook(songs: pd.DataFrame) -> bytes:
    """The least that is an Excel workbook: a sheet of notes, and a sheet with a title above the songs."""

    def cell(value: object) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    def sheet(rows: list[list[object]]) -> str:
        lines = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in rows)
        return f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'

    MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    PACKAGE = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    wide = kaggle(songs).rename(columns={"duration_ms": "Duration"})
    wide["track_name"] = [int(name) if name.isdigit() else name for name in wide["track_name"]]
    body: list[list[object]] = [["Songs of the house"], list(wide.columns), *wide.astype("object").to_numpy().tolist()]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        f'ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Notes" sheetId="1" '
        'r:id="r1"/><sheet name="Songs" sheetId="2" r:id="r2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at in (1, 2)
        )
        + "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet([["Nothing here"]]),
        "xl/worksheets/sheet2.xml": sheet(body),
    }
    return zipped(**{name: text.encode() for name, text in parts.items()})


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def playlists(songs: pd.DataFrame) -> bytes:
    """Exportify's archive of all playlists."""
    return zipped(**{"one.csv": exportify(songs[:10]), "two.csv": exportify(songs[8:]), "__MACOSX/._one.csv": b"\0"})


UNTIDY: dict[str, tuple[Callable[[pd.DataFrame], bytes], set[str]]] = {
    "semicolons": (lambda songs: csv(kaggle(songs), sep=";", quoting=1), set()),
    "semicolons and decimal commas": (lambda songs: csv(comma(kaggle(songs)), sep=";"), set()),
    "tabs": (lambda songs: csv(kaggle(songs), sep="\t"), set()),
    "bars at the ends of rows, too": (trailing, set()),
    "a line that names the separator": (lambda songs: b"sep=;\r\n" + csv(kaggle(songs), sep=";"), set()),
    "UTF-8 with a mark": (lambda songs: b"\xef\xbb\xbf" + csv(songs), set()),
    "UTF-16 with a mark and tabs": (lambda songs: csv(songs, sep="\t").decode().encode("utf-16"), set()),
    "UTF-16 without a mark": (lambda songs: csv(songs).decode().encode("utf-16-be"), set()),
    "Windows-1252": (lambda songs: csv(songs).decode().encode("cp1252"), set()),
    "headings with capitals and spaces": (capital, set()),
    "Exportify": (exportify, set()),
    "Exportify in German": (german_exportify, set()),
    "Exportify, before": (old_exportify, set()),
    "Exportify, all playlists": (playlists, set()),
    "percent signs": (percent, set()),
    "percent in whole numbers": (whole_percent, set()),
    "units": (units, set()),
    "lengths as on a clock": (clock, {"duration_ms"}),
    "lengths in seconds": (seconds, set()),
    "lengths in minutes": (minutes, set()),
    "thousands apart": (thousands, set()),
    "thousands apart by apostrophes": (lambda songs: thousands(songs, "’"), set()),
    "thousands apart by thin spaces": (lambda songs: thousands(songs, "\u202f"), set()),
    "lengths as on a stopwatch": (lambda songs: lengths(songs, "{}'{:02}\""), {"duration_ms"}),
    "lengths with m": (lambda songs: lengths(songs, "{}m{:02}"), {"duration_ms"}),
    "lengths as pandas writes them": (lambda songs: lengths(songs, "0 days 00:{:02}:{:02}"), {"duration_ms"}),
    "lengths with a dot": (lambda songs: lengths(songs, "{}.{:02}"), {"duration_ms"}),
    "lengths with thousandths": (
        lambda songs: lengths(songs, "{}:{:02}.250"),
        {"duration_ms"},
    ),
    "ids kept from Excel": (lambda songs: csv(kaggle(songs.assign(id='="' + songs["id"] + '"'))), set()),
    "ids marked as text": (lambda songs: csv(kaggle(songs.assign(id="'" + songs["id"]))), set()),
    "a space before each quote": (lambda songs: csv(kaggle(songs), quoting=1).replace(b'","', b'", "'), set()),
    "quotes behind backslashes": (
        lambda songs: csv(kaggle(songs), quoting=1, doublequote=False, escapechar="\\"),
        set(),
    ),
    "single quotes": (lambda songs: csv(kaggle(songs), quoting=1, quotechar="'"), set()),
    "a mark, semicolons, commas": (lambda songs: b"\xef\xbb\xbf" + csv(comma(kaggle(songs)), sep=";"), set()),
    "carets": (lambda songs: csv(kaggle(songs), sep="^"), set()),
    "JSON with columns and data": (lambda songs: songs.to_json(orient="split").encode(), set()),
    "JSON by the names of rows": (lambda songs: songs.to_json(orient="index").encode(), set()),
    "an archive, columns in two orders": (
        lambda songs: zipped(**{"a.csv": csv(songs[:9]), "b.csv": csv(songs[9:][list(songs.columns[::-1])])}),
        set(),
    ),
    "keys by name": (named_keys, set()),
    "keys by hour": (camelot, set()),
    "artists as Python lists": (python_lists, set()),
    "JSON lines": (json_lines, set()),
    "a data dump": (data_dump, set()),
    "a title above the headings": (above, set()),
    "names of rows": (row_names, set()),
    "a workbook": (workbook, set()),
    "an archive": (lambda songs: zipped(**{"data/songs.csv": csv(songs), "README.txt": b"by nobody"}), set()),
    "packed twice": (lambda songs: gzip.compress(zipped(**{"songs.csv": csv(songs)})), set()),
}


def taken(tmp_path: Path, data: bytes, **options: Any) -> tuple[Catalogue, ImportReport]:
    path = tmp_path / "songs.csv"  # whatever it is: bytes decide, not the name
    path.write_bytes(data)
    return import_songs(path, ImportOptions(**options))


@pytest.mark.parametrize("kind", UNTIDY)
def test_an_untidy_table_becomes_the_songs_that_it_means(tmp_path: Path, songs: pd.DataFrame, kind: str) -> None:
    make, rounded = UNTIDY[kind]
    found, report = taken(tmp_path, make(songs), one_version=False)
    expected = Catalogue(songs).frame
    assert len(found) == len(expected), report.as_text()
    for name in rounded:
        assert (found.frame[name] - expected[name]).abs().max() < 1000, name
    columns = [name for name in expected if name not in rounded]
    pd.testing.assert_frame_equal(found.frame[columns], expected[columns], check_exact=False, rtol=1e-9)


def test_names_with_commas_stay_whole(tmp_path: Path, songs: pd.DataFrame) -> None:
    names = ["Tyler, The Creator", "Earth, Wind & Fire", "A\\, B, C", "One, Two"]
    few = songs[:4].assign(artist=names)
    found, _ = taken(tmp_path, exportify(few))
    by_id = dict(zip(found.frame["id"], found.frame["artist"], strict=True))
    right = ["Tyler, The Creator", "Earth, Wind & Fire", "A, B;C", "One;Two"]
    assert [by_id[song] for song in few["id"]] == right


def test_a_quote_that_is_never_closed_takes_no_rows_with_it(tmp_path: Path, songs: pd.DataFrame) -> None:
    lines = ["\t".join(map(str, row)) for row in [list(songs.columns), *songs.to_numpy().tolist()]]
    lines[9] = lines[9].replace("Song", '"Song')
    found, _ = taken(tmp_path, "\n".join(lines).encode())
    assert len(found) == 24
    assert sum(title.startswith('"Song') for title in found.frame["title"]) == 1


def test_without_ids_songs_get_them_from_their_names(tmp_path: Path, songs: pd.DataFrame) -> None:
    bare = songs.drop(columns=["id", "uri"])
    found, report = taken(tmp_path, csv(bare))
    again, _ = taken(tmp_path, csv(bare[::-1]))
    assert len(found) == 24
    pd.testing.assert_frame_equal(found.frame, again.frame)
    assert "24 songs had no id: theirs are made from title and artist" in report.notes


def odd_names(songs: pd.DataFrame) -> pd.DataFrame:
    names = {
        "id": "Nr", "title": "Stück", "artist": "Wer", "danceability": "dancability_score", "valence": "valenz2",
        "tempo": "Schläge", "loudness": "laut", "duration_ms": "wie lang",
    }  # fmt: skip
    return songs.drop(columns=["uri", "genre", "explicit", "year"]).rename(columns=names)


def test_unknown_headings_are_proposed_by_name_and_by_range(tmp_path: Path, songs: pd.DataFrame) -> None:
    data = csv(odd_names(songs))
    with pytest.raises(UnknownColumns, match="if that is right, add --guess") as error:
        taken(tmp_path, data)
    proposal = error.value.proposal
    proposed = {guess.ours: guess.theirs for guess in proposal.guesses}
    assert proposed == {
        "id": "Nr", "title": "Stück", "artist": "Wer", "danceability": "dancability_score", "valence": "valenz2",
        "tempo": "Schläge", "loudness": "laut", "duration_ms": "wie lang",
    }  # fmt: skip
    assert len(proposal.rows) == 5
    assert proposal.rows[0]["title"] == TITLES[0]
    assert "Stück" in proposal.as_text()
    found, report = taken(tmp_path, data, guess=True)
    expected = Catalogue(songs.assign(genre="", explicit=-1, year=0)).frame
    pd.testing.assert_frame_equal(found.frame, expected)
    assert "guessed: title is “Stück”" in report.notes


def test_titles_under_an_unknown_heading_are_not_lost(tmp_path: Path, songs: pd.DataFrame) -> None:
    """Everything else would do for a table without names."""
    data = csv(songs[["title", *NUMBERS, "genre"]].rename(columns={"title": "Was läuft"}))
    with pytest.raises(UnknownColumns, match=r"known to mean .*perhaps title=Was läuft.*--without artist"):
        taken(tmp_path, data)


def test_what_is_missing_is_named_with_the_way_round_it(tmp_path: Path, songs: pd.DataFrame) -> None:
    short = csv(songs.drop(columns=["key", "liveness"]))
    with pytest.raises(UnknownColumns, match=r"it lacks the columns key, liveness.*--without key --without liveness"):
        taken(tmp_path, short)
    found, report = taken(tmp_path, short, without=("key", "liveness"))
    assert found.frame["liveness"].nunique() == 1
    assert "key and liveness are not in this table: all songs count as alike in them" in report.notes
    with pytest.raises(MoodstreamError, match="songs need energy: "):
        taken(tmp_path, short, without=("energy",))


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"\xff\xd8\xff\xe0 a picture", "it is a picture"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "it is a web page.*download the file itself"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"SQLite format 3\0", "write its table of songs as CSV"),
        (zipped(**{"a.csv": b"x,y\n1,2", "b.csv": b"z\n1"}), r"several tables \(a.csv, b.csv\): unpack it"),
        (zipped(**{"notes.md": b"x"}), "an archive without a table"),
        ("title\nпесня".encode("utf-16-le") * 3, "lacks the columns"),
        ("id,title\n1,ソングー\n".encode("shift_jis"), "name it with --encoding"),
        (
            b'[{"ts":"2024-01-01","ms_played":1000,"master_metadata_track_name":"T"}]',
            "what was heard.*--features TABLE",
        ),
        (b'{"tracks":[{"artist":"A","album":"B","track":"T","uri":"spotify:track:1"}]}', "--features TABLE"),
        (b"title,artist\nA,B\n", "a list of songs, without audio features"),
        (b'{"a": 1', "not JSON"),
    ],
)
def test_what_is_refused_says_what_to_do(tmp_path: Path, data: bytes, advice: str) -> None:
    with pytest.raises(MoodstreamError, match=advice) as error:
        taken(tmp_path, data)
    assert "\n" not in str(error.value)


def test_an_encoding_that_cannot_be_told_is_named(tmp_path: Path, songs: pd.DataFrame) -> None:
    few = songs[6:10].assign(title=["ソング", "歌", "Песня", "B"])
    found, _ = taken(tmp_path, csv(few).decode().encode("shift_jis"), encoding="shift_jis")
    assert {"ソング", "歌"} <= set(found.frame["title"])
    with pytest.raises(MoodstreamError, match="no encoding 'nothing'"):
        taken(tmp_path, csv(few), encoding="nothing")


def test_what_somebody_heard_gets_its_features_from_another_table(tmp_path: Path, songs: pd.DataFrame) -> None:
    (tmp_path / "features.csv").write_bytes(csv(songs))
    heard = [
        {"endTime": "2024", "artistName": "BAND 0", "trackName": "Cafe  «ca ira» take 2", "msPlayed": 1},
        {"endTime": "2024", "artistName": "Nobody", "trackName": "Nothing", "msPlayed": 1},
        {"endTime": "2024", "artistName": "Band 0", "trackName": TITLES[0], "msPlayed": 1},
    ]
    found, report = taken(tmp_path, json.dumps(heard).encode(), features=tmp_path / "features.csv")
    assert found.frame["title"].tolist() == [TITLES[0]]
    assert report.dropped == {"not in features.csv": 1, "the song of an earlier row": 1}
    by_address = [{"ts": "x", "ms_played": 1, "spotify_track_uri": songs["uri"][9]}]
    found, _ = taken(tmp_path, json.dumps(by_address).encode(), features=tmp_path / "features.csv")
    assert found.frame["id"].tolist() == [songs["id"][9]]


def test_every_id_is_answered_for_where_it_must_be(tmp_path: Path, songs: pd.DataFrame) -> None:
    holes = songs.astype("object")
    holes.loc[:5, "mode"] = ""
    holes.loc[3:8, "duration_ms"] = ""
    holes.loc[7, "tempo"] = 0
    data = csv(holes)
    assert taken(tmp_path, data)[1].kept == 15
    assert taken(tmp_path, data, fill=True)[1].kept == 24


def test_a_catalogue_with_the_name_of_a_csv_is_one(tmp_path: Path, songs: pd.DataFrame) -> None:
    one = Catalogue(songs)
    one.save(tmp_path / "songs.csv")
    assert (tmp_path / "songs.csv").read_text(encoding="utf-8").startswith("id,title,artist")
    pd.testing.assert_frame_equal(Catalogue.load(tmp_path / "songs.csv").frame, one.frame)


def bomb(name: str) -> bytes:
    """Far more than it looks like."""
    much = b"a,b\n" + b"1,2\n" * 50_000
    packed: dict[str, Callable[[], bytes]] = {
        "gzip": lambda: gzip.compress(much),
        "bzip2": lambda: bz2.compress(much),
        "xz": lambda: lzma.compress(much),
        "zip": lambda: zipped(**{"songs.csv": much}),
        "a workbook": lambda: zipped(**{"[Content_Types].xml": b"", "xl/worksheets/sheet1.xml": much}),
        "a zip in gzip": lambda: gzip.compress(zipped(**{"songs.csv": much})),
        "parquet": lambda: pd.DataFrame({"a": ["x"] * 50_000}).to_parquet(),
    }
    return packed[name]()


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip", "a workbook", "a zip in gzip", "parquet"])
def test_what_would_not_fit_into_memory_is_not_unpacked(tmp_path: Path, name: str) -> None:
    file = tmp_path / "bomb"
    file.write_bytes(bomb(name))
    assert file.stat().st_size < 10_000
    with pytest.raises(MoodstreamError, match=r"^cannot read .*: unpacked it is more than 0 GB: unpack it and import"):
        read_table(file, max_bytes=20_000)


def test_an_archive_that_holds_archives_has_an_end(tmp_path: Path) -> None:
    data = b"a,b\n1,2\n"
    for _ in range(6):
        data = gzip.compress(data)
    (tmp_path / "many.gz").write_bytes(data)
    with pytest.raises(MoodstreamError, match="an archive in an archive in an archive"):
        read_table(tmp_path / "many.gz")
