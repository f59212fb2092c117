"""What a site may offer, as a condition in SQL; the same songs that ``Filters.mask`` lets through."""

from typing import Any

from services.recommender.choice.filters import Filters

Condition = tuple[str, dict[str, Any]]


def condition(filters: Filters) -> Condition:
    """An expression over the columns of a table of songs, and the values it names."""
    parts: list[str] = ["(year = 0 OR year BETWEEN %(year_from)s AND %(year_to)s)"]
    values: dict[str, Any] = {"year_from": filters.year_from, "year_to": filters.year_to}
    if not filters.explicit:
        parts.append("explicit <> 1 AND NOT rude")
    if filters.genres:
        parts.append("folded_genre = ANY(%(genres)s)")
        values["genres"] = sorted(genre.casefold() for genre in filters.genres)
    for name, listed, negation in (("allowed", filters.allowed, ""), ("blocked", filters.blocked or None, "NOT ")):
        if listed is not None:
            parts.append(f"{negation}(id = ANY(%({name})s) OR artists && %({name}_artists)s)")
            values[name] = sorted(listed)
            values[f"{name}_artists"] = sorted({one.casefold() for one in listed})
    if filters.seasons is not None:
        parts.append("seasons <@ %(seasons)s")
        values["seasons"] = sorted(filters.seasons)
    if not filters.oddities:
        parts.append("NOT odd")
    return " AND ".join(parts), values
