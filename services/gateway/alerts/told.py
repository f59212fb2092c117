"""What was told of what is going on, and what still has to be: a file that outlives the gateway."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moodstream.contracts.events import Moment, new_id, utc_now
from services.gateway.state.alarm import Alert
from shared.files import write_private

MAX_BYTES = 256 * 1024


class Letter(BaseModel):
    """An alert on its way."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(default_factory=new_id)
    """stays the same however often it is sent, so that a receiver knows it again"""
    at: Moment = Field(default_factory=utc_now)
    problems: tuple[str, ...]
    notice: bool = False
    """of something that can wait, such as a newer version: nothing is wrong"""
    left: tuple[str, ...] | None = None
    """kinds of receivers that have not taken it; None: all that are set"""

    @property
    def title(self) -> str:
        return "Moodstream can be updated" if self.notice else Alert(self.problems).title

    @property
    def text(self) -> str:
        return Alert(self.problems).text

    @property
    def ok(self) -> bool:
        return self.notice or not self.problems


class Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    keys: tuple[str, ...] = ()
    """of problems that were told and have not ended"""
    letters: tuple[Letter, ...] = ()
    """on their way"""
    version: str | None = None
    """the newest that was told"""
    last: dict[str, Any] | None = None
    """the newest that was sent, and with what success"""

    def with_letter(self, letter: Letter) -> Self:
        return self.without(letter).model_copy(update={"letters": (*self.without(letter).letters, letter)})

    def without(self, letter: Letter) -> Self:
        return self.model_copy(update={"letters": tuple(one for one in self.letters if one.id != letter.id)})


class ToldFile:
    """Blocking, so to be called in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Told:
        """Nothing where there is no file, or none that can be read: then what goes on is told once more."""
        try:
            return Told.model_validate_json(self.path.read_bytes()[:MAX_BYTES])
        except (OSError, ValidationError):
            return Told()

    def write(self, told: Told) -> None:
        """Raises OSError."""
        write_private(self.path, told.model_dump_json())
