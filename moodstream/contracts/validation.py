"""What is wrong with a value, in one line for people."""

from collections.abc import Sequence

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """The first of the faults: ``songs.0.title: Field required``; without the place where there is none."""
    fault = error.errors(include_url=False, include_context=False)[0]
    return describe_fault(fault["loc"], fault["msg"])


def describe_fault(place: Sequence[int | str], text: str) -> str:
    """``place`` leads to the value, ``text`` is pydantic's message."""
    text = text.removeprefix("Value error, ")  # what pydantic puts before a message of our own
    return f"{'.'.join(map(str, place))}: {text}" if place else text
