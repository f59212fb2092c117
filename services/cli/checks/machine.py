"""This machine and its settings: disk, memory, port, proxy, names of settings."""

import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.cli import runtime_file
from services.cli.all_settings import unknown_settings
from services.cli.checks import Finding
from services.cli.installed import SERVICES, is_image, is_installed
from shared.app.listening import listen
from shared.paths import data_home
from shared.settings import RunSettings, load

MIN_DISK_MB = 200
MIN_MEMORY_MB = 600
"""What everything in one process needs; a container of one service needs less."""
MIN_CONTAINER_MEMORY_MB = 100
MEMINFO = Path("/proc/meminfo")


def check_settings() -> Iterator[Finding]:
    """Names that nothing reads; most of them are typing errors."""
    unknown = unknown_settings() if not is_image() else []  # a container is given more than its own
    for one in unknown:
        cure = f"unset {one.name}" if one.name in os.environ else f"sed -i /^{one.name}=/d .env"
        yield Finding("settings", "careful", one.as_text(), cure)
    if not unknown:
        yield Finding("settings", "ok")


def check_disk(min_mb: int = MIN_DISK_MB) -> Iterator[Finding]:
    folder = data_home()
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb >= min_mb:
        yield Finding("disk", "ok")
        return
    cure = "docker system prune" if shutil.which("docker") else "sudo journalctl --vacuum-size=100M"
    yield Finding("disk", "missing", f"{free_mb} MB are free in {folder}; {min_mb} MB are needed", cure)


def check_memory(meminfo: Path = MEMINFO) -> Iterator[Finding]:
    if not meminfo.exists():  # not Linux
        return
    lines = (line.split() for line in meminfo.read_text().splitlines())
    free_mb = next(int(line[1]) >> 10 for line in lines if line[0] == "MemAvailable:")
    min_mb = MIN_CONTAINER_MEMORY_MB if is_image() else MIN_MEMORY_MB
    if free_mb >= min_mb or runtime_file.find_running() is not None:
        yield Finding("memory", "ok")
    else:
        hint = f"{free_mb} MB are free; {min_mb} MB are needed"
        yield Finding("memory", "careful", hint, "sudo apt-get install zram-tools")


def check_port() -> Iterator[Finding]:
    """Whether the page's port is free; what answers there may be Moodstream itself."""
    settings = load(RunSettings)
    if is_image() or runtime_file.find_running() is not None or settings.port == 0:
        return
    try:
        listen(settings.host, settings.port).close()
    except MoodstreamError as error:
        if _is_moodstream(settings.port):
            yield Finding("port", "ok", f"Moodstream answers at {settings.port}")
        else:
            yield Finding("port", "missing", str(error), f"moodstream run --port {settings.port + 1}")
    else:
        yield Finding("port", "ok")


def _is_moodstream(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=2) as answer:
            return b'"alive"' in answer.read(100)
    except OSError:
        return False


def check_proxy() -> Iterator[Finding]:
    """A proxy without exceptions would also get the connections to cameras and players of this network."""
    proxies = urllib.request.getproxies()
    if proxies.get("http") or proxies.get("https"):
        if urllib.request.proxy_bypass("127.0.0.1"):
            yield Finding("proxy", "ok")
        else:
            hint = "connections to this machine's own addresses go through the proxy, too"
            yield Finding("proxy", "careful", hint, "export no_proxy=localhost,127.0.0.1,::1")


def check_parts() -> Iterator[Finding]:
    """What an image of one service holds."""
    if is_image():
        yield Finding("image", "ok", f"of {', '.join(name for name in SERVICES if is_installed(name)) or 'nothing'}")
