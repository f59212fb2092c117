"""Songs by title and artist from the tables: they give the likely ones, ``SongSearch`` puts these in order."""

from functools import cached_property

from services.recommender.choice.search import SongSearch, Words, fold
from services.recommender.postgres.version import Version

LOOKED_AT = 2_000
"""Songs that are put in order."""

_EXACT = """
SELECT position, title, artist FROM {table} WHERE folded LIKE ALL(%(patterns)s)
ORDER BY NOT starts_with(folded, %(wanted)s), NOT words @> %(words)s, length(folded), position LIMIT %(limit)s
"""
_LIKE = """
SELECT position, title, artist FROM {table} WHERE words && %(any)s
ORDER BY cardinality(ARRAY(SELECT unnest(words) INTERSECT SELECT unnest(%(any)s::text[]))) DESC,
    length(folded), position
LIMIT %(limit)s
"""


class StoredSearch:
    """The interface ``TextSearch`` over one version."""

    def __init__(self, version: Version) -> None:
        self._version = version

    def find(self, text: str, count: int) -> list[tuple[int, bool]]:
        wanted = fold(text)
        if not wanted:
            return []
        words, limit = wanted.split(), max(count, LOOKED_AT)
        asked = {"patterns": [f"%{word}%" for word in words], "wanted": wanted, "words": words, "limit": limit}
        rows = self._version.ask(_EXACT, asked)
        if len(rows) < count:
            alike = [self._words.words[number] for word in words for number, _ in self._words.like(word)]
            rows += self._version.ask(_LIKE, {"any": alike, "limit": limit}) if alike else []
        songs = sorted(set(rows))
        if not songs:
            return []
        positions, titles, artists = zip(*songs, strict=True)
        found = SongSearch(titles, artists).find(text, count)
        return [(positions[at], exact) for at, exact in found]

    @cached_property
    def _words(self) -> Words:
        return Words([word for (word,) in self._version.ask("SELECT word FROM {vocabulary} ORDER BY word")])
