"""What is wrong with a value, in one line for people."""

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """The first of the faults: ``songs.0.title: Field required``; without the place where there is none."""
    place, text = place_and_text(error)
    return f"{'.'.join(place)}: {text}" if place else text


def place_and_text(error: ValidationError) -> tuple[tuple[str, ...], str]:
    """The first of the faults as its place, ``("songs", "0", "title")``, and what is wrong there."""
    fault = error.errors(include_url=False, include_context=False)[0]
    text = fault["msg"].removeprefix("Value error, ")  # what pydantic puts before a message of our own
    return tuple(str(part) for part in fault["loc"]), text
