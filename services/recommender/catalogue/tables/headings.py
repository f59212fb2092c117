"""What the headings of tables mean: names of columns as Spotify, Exportify, Kaggle and people write them.

A heading is compared without case, accents, spaces and signs, and without its unit: "Track Duration (ms)",
"Duration_ms" and "trackDuration" are all ``duration_ms``. Exportify writes its headings in the language of the browser.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

_KNOWN = {
    "id": "track_id spotify_track_id spotify_id song_id trackid songid id tid",
    "uri": """track_uri spotify_track_uri spotify_uri uri url_spotify spotify_url track_url song_url spotify_link
        track_href external_urls_spotify external_url url link href
        uri_du_titre uri_de_la_cancion uri_della_traccia uri_da_faixa nummer_uri parca_uri latens_uri トラックuri""",
    "title": """track_name song_name song_title track_title master_metadata_track_name track song title name titel
        titelname songtitel liedtitel musiktitel lied nom_du_titre titre chanson morceau nombre_de_la_cancion cancion
        titulo nome_della_traccia titolo brano canzone nome_da_faixa faixa musica nummernaam nummer latens_namn lat
        parca_adi sarki sarki_adi トラック名 曲名 歌名 歌曲 标题""",
    "artist": """artist_name artist_names artists artist track_artist track_artists track_artist_name artists_name
        artist_s_name all_artists master_metadata_album_artist_name performer performers band singer interpret
        interpreten kunstler kunstlername kunstlernamen musiker nom_de_l_artiste nom_s_de_l_artiste artiste artistes
        nombre_del_artista nombre_s_del_artista artista artistas nome_dell_artista nome_do_artista nome_s_do_artista
        naam_van_artiest artiest artiesten artistens_namn sanatci sanatci_adi アーティスト名 アーティスト 歌手 艺人""",
    "genre": """genre track_genre playlist_genre top_genre main_genre music_genre genres artist_genres genre_s
        parent_genres musikrichtung kunstler_genres genres_de_l_artiste genero generos generos_del_artista
        generos_do_artista generi generi_dell_artista genres_van_de_artiest artistens_genrer tur sanatci_turleri
        アーティストジャンル ジャンル 流派""",
    "danceability": """danceability dance dnce dancability tanzbarkeit danseabilite bailabilidad ballabilita
        dancabilidade dansbaarheid dansbarhet dans_edilebilirlik ダンサビリティ""",
    "energy": "energy nrgy energie energia energi enerji エネルギー",
    "key": "key pitch_class musical_key tonart tonalite tonalidad tonalidade chiave toonsoort ton キー camelot",
    "loudness": """loudness loud db overall_loudness lautstarke volume_sonore volumen volume luidheid ljudstyrka
        ses_seviyesi ラウドネス""",
    "mode": "mode modality major_minor modus modo modalita lage mod モード",
    "speechiness": """speechiness speech spch speechness sprachanteil parlabilite hablado linguaggio_parlato oralidade
        spraakzaamheid talighet konusma_orani スピーチ性""",
    "acousticness": """acousticness acoustic acous acousticity akustik akustizitat acoustique acustica akoestiek
        akustiklik アコースティック性""",
    "instrumentalness": """instrumentalness instrumental instrum instrumentality instrumentalitat instrumentalidad
        instrumentalidade strumentalita instrumentaliteit instrumentalhet enstrumantalite インストゥルメンタル性""",
    "liveness": """liveness live livness lebendigkeit vivacite vivacidad vivacidade vivacita levendigheid livlighet
        canlilik ライブ感""",
    "valence": """valence val happiness happy positivity positiveness valenz valencia valenza valentie valens
        duygusallik 感情値""",
    "tempo": "tempo bpm beats_per_minute track_bpm テンポ",
    "duration_ms": """duration_ms track_duration_ms duration track_duration song_duration length song_length
        track_length dur playtime runtime laufzeit lange spieldauer dauer track_dauer duree duree_du_titre duracion
        duracion_de_la_cancion durata durata_della_traccia duracao duracao_da_faixa nummerduur duur latlangd sure
        parca_suresi トラックの長さ 時長 时长 time zeit""",
    "explicit": """explicit is_explicit track_explicit explizit explicite explicito explicita esplicito expliciet
        acik_icerik 明示的な内容""",
    "year": """year release_year released_year year_released release_date album_release_date track_album_release_date
        album_date released date_released jahr erscheinungsjahr veroffentlichungsdatum
        veroffentlichungsdatum_des_albums annee date_de_sortie date_de_sortie_de_l_album ano fecha_de_lanzamiento
        fecha_de_lanzamiento_del_album data_de_lancamento data_de_lancamento_do_album anno data_di_rilascio
        data_di_rilascio_dell_album releasedatum releasedatum_van_het_album albumets_releasedatum yil
        album_cikis_tarihi アルバム発売日""",
}
SYNONYMS: Mapping[str, tuple[str, ...]] = {field: tuple(words.split()) for field, words in _KNOWN.items()}
"""by our name of a column, the headings that mean it; where a table has several, the first counts first"""

_MEANING = {word: field for field, words in SYNONYMS.items() for word in words}
_RANK = {word: rank for words in SYNONYMS.values() for rank, word in enumerate(words)}
_WRAPPED = {"track", "song", "audio", "feature", "features", "analysis", "spotify", "item", "data", "avg", "mean"}
_UNITS = {
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "millisekunden": "ms", "ミリ秒": "ms",
    "s": "s", "sec": "s", "secs": "s", "seconds": "s", "sekunden": "s",
    "min": "min", "mins": "min", "minutes": "min", "minuten": "min", "mm_ss": "min",
    "percent": "%", "pct": "%", "percentage": "%", "prozent": "%", "db": "db", "bpm": "bpm",
}  # fmt: skip


def plain(heading: object) -> str:
    """Small letters and digits joined by ``_``: "Künstlername(n)" is ``kunstlername``, "trackName" ``track_name``."""
    text = unicodedata.normalize("NFKC", str(heading)).strip().lstrip("\ufeff").replace("ı", "i").replace("İ", "I")
    text = re.sub(r"\((?:s|n|en|e|es|er)\)", "", text, flags=re.IGNORECASE)  # the plural of "Artist Name(s)"
    text = text.replace("%", " percent ")
    text = re.sub(r"(?<=[a-z0-9][a-z0-9])(?=[A-Z])", "_", text)
    signs = unicodedata.normalize("NFKD", text.casefold())
    # The marks of Japanese letters make other letters, those of Latin ones only accents.
    bare = "".join(sign for sign in signs if not unicodedata.combining(sign) or sign in "\u3099\u309a")
    return "_".join(re.findall(r"\w+", unicodedata.normalize("NFC", bare).replace("_", " ")))


def unit(heading: object) -> str | None:
    """ms, s, min, %, db or bpm, where the heading says it."""
    words = plain(heading).split("_")
    return next((_UNITS[word] for word in reversed(words[1:]) if word in _UNITS), None)


def meaning(heading: object) -> str | None:
    """Our name of the column with this heading; None when it is not known."""
    word = _word(plain(heading))
    return _MEANING[word] if word else None


def _word(name: str) -> str | None:
    """The synonym that a name is, perhaps with a unit behind it or "track" before it."""
    if name in _MEANING:
        return name
    words = name.split("_")
    while len(words) > 1 and words[-1] in _UNITS:
        words.pop()
        if "_".join(words) in _MEANING:
            return "_".join(words)
    while len(words) > 1 and words[0] in _WRAPPED:
        words.pop(0)
        if "_".join(words) in _MEANING:
            return "_".join(words)
    return None


def known(headings: Sequence[object]) -> int:
    """How many of our columns these headings name."""
    return len({field for heading in headings if (field := meaning(heading))})


def match(headings: Sequence[str]) -> dict[str, list[str]]:
    """By our name, the columns that mean it, the best known heading first."""
    found: dict[str, list[str]] = {}
    for heading in headings:
        if field := meaning(heading):
            found.setdefault(field, []).append(heading)
    for columns in found.values():
        columns.sort(key=lambda heading: _RANK[_word(plain(heading)) or ""])
    return found
