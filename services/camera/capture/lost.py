"""The one error of sources that is no fault of the settings."""

from moodstream.contracts.status_codes import StatusCode


class SourceLost(Exception):
    """A camera gives no pictures at the moment; it may come back. The text never holds a password."""

    def __init__(self, text: str, code: StatusCode = StatusCode.LOST) -> None:
        super().__init__(text)
        self.code = code
