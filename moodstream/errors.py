"""What a person is told when the work fails: one sentence, no traceback."""


class MoodstreamError(Exception):
    """The work failed for a reason a person can act on; a command then ends with exit code 1."""
