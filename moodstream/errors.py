"""What a person is told when the work fails: one sentence, no traceback."""


class MoodstreamError(Exception):
    """The work failed for a reason a person can act on; a command then ends with exit code 1."""


class RequestRefused(MoodstreamError):
    """The service that was asked says why it does not do it."""


class SettingError(MoodstreamError):
    """A setting has a value that cannot be; ``setting`` is its name in the environment."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(f"{setting}: {text}")
        self.setting = setting


class NoAnswer(MoodstreamError):
    """No service answered a request in time."""

    def __init__(self, kind: str, timeout_s: float) -> None:
        super().__init__(f"nobody answered {kind} within {timeout_s:g} s")
