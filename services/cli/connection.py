"""Where the commands find what runs here."""

from moodstream.errors import MoodstreamError
from services.cli import runtime_file
from shared.settings import RunSettings, load


def redis_url() -> str:
    """The whole address of the server, with its password."""
    running = runtime_file.find_running()
    settings = load(RunSettings)
    url = settings.redis_url or (running.redis_url if running else None)
    if url is None:
        raise MoodstreamError("nothing runs here: start `moodstream run`, or set MOODSTREAM_REDIS_URL")
    return settings.address(url)


def prefix() -> str:
    return load(RunSettings).prefix
