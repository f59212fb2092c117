"""The one error of sources that is no fault of the settings."""


class SourceLost(Exception):
    """A camera gives no pictures at the moment; it may come back. The text never holds a password."""
