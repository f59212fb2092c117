"""The address of a Moodstream: that of its page (HTTP), or of its Redis."""

import re
from urllib.parse import urlsplit

from redis.connection import parse_url

from moodstream import cluster, sentinel
from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host

HTTP = ("http", "https")
REDIS = ("redis", "rediss", "unix")
API = "/api/v1"
DATABASE = re.compile(r"(/\d*)?", re.ASCII)


def is_http(url: str) -> bool:
    """Whether it is the address of a page, not of Redis. Raises MoodstreamError when it cannot be either."""
    scheme = url.partition("://")[0]
    if scheme not in (*HTTP, *REDIS, *sentinel.SCHEMES, *cluster.SCHEMES):
        raise MoodstreamError(
            f"{without_password(url)}: must begin with http://, https://, redis://, rediss:// or unix://"
        )
    if scheme in sentinel.SCHEMES:
        sentinel.parse(url)
        return False
    if scheme in cluster.SCHEMES:
        cluster.parse(url)
        return False
    try:
        if scheme in REDIS:
            parse_url(url)
        elif not can_be_host(urlsplit(url).hostname or "") or urlsplit(url).port == 0:
            raise ValueError("names no host")
    except ValueError as error:
        raise MoodstreamError(f"{without_password(url)}: this address cannot be right: {error}") from None
    if scheme in REDIS:
        return False
    try:
        import httpx  # noqa: F401 - the extra `http`
    except ImportError:
        raise MoodstreamError('over HTTP the client needs httpx: pip install "moodstream-client[http]"') from None
    return True


def without_password(url: str) -> str:
    """An address that may be shown: without its password and its parameters, one of which may be another password."""
    scheme, slashes, rest = url.rpartition("://")
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    if "@" in rest[end:]:  # a password that contains one of these signs: nobody knows where it ends
        return f"{scheme}{slashes}***"
    host, path = rest[:end], rest[end:]
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{path.partition('?')[0].partition('#')[0]}"


def check_redis(url: str) -> None:
    """Raises MoodstreamError, without the password, for an address at which no Redis can be."""
    scheme = url.partition("://")[0]
    if scheme in sentinel.SCHEMES:
        sentinel.parse(url)
        return
    if scheme in cluster.SCHEMES:
        cluster.parse(url)
        return
    try:
        parts = urlsplit(url)
        if scheme not in REDIS or "@" in parts.path + parts.query + parts.fragment or parts.port == 0:
            raise ValueError
        if parts.hostname and not can_be_host(parts.hostname):
            raise ValueError
        if scheme != "unix" and not DATABASE.fullmatch(parts.path):
            raise ValueError  # redis-py would take database 0 without a word
        parse_url(url)
    except ValueError:
        raise MoodstreamError(
            f"{without_password(url)} is no address of Redis: it looks like redis://:PASSWORD@HOST:6379/0, and in a "
            "password @ : / ? # are written %40 %3A %2F %3F %23"
        ) from None


def api(url: str) -> str:
    """The root of the HTTP API, from the address of the page, or of the API itself."""
    return url.rstrip("/").removesuffix(API) + API
