"""What is wrong with a value, in one line for people."""

from collections.abc import Sequence

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """The first of the faults: ``songs.0.title: Field required``; without the place where there is none."""
    return describe_fault(*place_and_text(error))


def place_and_text(error: ValidationError) -> tuple[tuple[int | str, ...], str]:
    """The first of the faults as its place, ``("songs", 0, "title")``, and pydantic's message."""
    fault = error.errors(include_url=False, include_context=False)[0]
    return fault["loc"], own_words(fault["msg"])


def describe_fault(place: Sequence[int | str], text: str) -> str:
    """``place`` leads to the value, ``text`` is pydantic's message."""
    text = own_words(text)
    return f"{'.'.join(map(str, place))}: {text}" if place else text


def own_words(text: str) -> str:
    """A message without what pydantic puts before one of our own."""
    return text.removeprefix("Value error, ")
