"""The error of a camera that may recover; wrong settings are MoodstreamError."""


class SourceUnavailable(Exception):
    """A camera gives no pictures at the moment; it may recover. The text never contains a password."""
