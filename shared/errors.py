"""What a person is told when the work fails: one sentence, no traceback."""


class MoodstreamError(Exception):
    """The work failed for a reason a person can act on; the command ends with exit code 1."""


class NeedsRestart(Exception):
    """The process is no longer able to do its work and must be started anew; exit code 70."""


EXIT_FAILED = 1
EXIT_RESTART = 70
