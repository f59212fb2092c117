"""The error of a camera that may recover; wrong settings are MoodstreamError."""

from moodstream.contracts.status_codes import StatusCode


class SourceUnavailable(Exception):
    """A camera gives no pictures at the moment; it may recover. The text never contains a password."""

    def __init__(self, text: str, code: StatusCode = StatusCode.LOST) -> None:
        super().__init__(text)
        self.code = code
