"""What is wrong with a value, in one line for people."""

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """The first of the faults: ``songs.0.title: Field required``; without the place where there is none."""
    fault = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    text = fault["msg"].removeprefix("Value error, ")  # what pydantic puts before a message of our own
    return f"{place}: {text}" if place else text
