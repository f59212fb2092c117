"""Redis behind TLS, with certificates made by openssl: believed only with the right authority, name and client."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged
from moodstream.errors import MoodstreamError
from services.cli.redis_client import check_redis
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.support.needs import missing
from tests.support.secured_services import PLAIN, ROOT, redis_server, services


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@dataclass
class Secured:
    """A server that speaks TLS alone and asks for a certificate of the client."""

    folder: Path
    port: int

    def settings(self, **more: str) -> dict[str, str]:
        ours = {"redis_certificate": str(self.folder / "client.crt"), "redis_key": str(self.folder / "client.key")}
        return {"redis_url": self.url(), "redis_ca": str(self.folder / "ca.crt"), **ours} | more

    def url(self, host: str = "127.0.0.1") -> str:
        return f"rediss://someone@{host}:{self.port}/0"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    if not shutil.which("openssl"):
        missing("openssl")
    folder = tmp_path_factory.mktemp("tls")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for authority in ("ca", "other"):
        names = ("-keyout", f"{authority}.key", "-out", f"{authority}.crt", "-subj", f"/CN={authority}")
        openssl(folder, "req", "-x509", *key, *names)
    for name, subject in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        names = ("-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}")
        openssl(folder, "req", "-x509", "-CA", "ca.crt", "-CAkey", "ca.key", *key, *names, "-addext", subject)
    (folder / "password").write_text("p@ss:w/ord\n")
    (folder / "password").chmod(0o600)
    acl = folder / "users.acl"
    acl.write_text("user default off\nuser someone on >p@ss:w/ord ~* &* +@all\n")
    files = [f"--tls-{kind}-file={folder / name}" for kind, name in (("cert", "server.crt"), ("key", "server.key"))]
    tls = [word for one in (*files, f"--tls-ca-cert-file={folder / 'ca.crt'}") for word in one.split("=")]
    with redis_server(folder, *tls, "--tls-auth-clients", "yes", "--aclfile", str(acl), tls=True) as server:
        yield Secured(folder, server.port)


async def published(settings: Settings) -> int:
    """How many statuses lie there, after one more."""
    bus = create_bus(settings)
    await bus.connect()
    try:
        await bus.servers.ping()
        await bus.publish(StatusChanged(service="test", state="online"))
        return int(await bus.redis.xlen("mood:status"))
    finally:
        await bus.close()


async def test_settings_and_addresses_both_say_how(secured: Secured) -> None:
    password = {"redis_password": "p@ss:w/ord"}
    by_settings = load(Settings, **secured.settings(**password))
    first = await published(by_settings)
    by_address = load(Settings, redis_url=by_settings.address(by_settings.redis_url))
    assert "ssl_keyfile=" in by_address.redis_url
    assert await published(by_address) == first + 1
    assert "p@ss" not in repr(by_settings)
    assert "p%40ss" not in repr(by_address)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"redis_ca": "other.crt"}, "certificate verify failed"),
        ({"redis_ca": None}, "certificate verify failed"),
        ({"redis_certificate": None, "redis_key": None}, "."),
        ({"redis_certificate": "other.crt", "redis_key": "other.key"}, "."),
        ({"redis_password": "wrong"}, "invalid username-password"),
        ({"redis_url": "localhost"}, "doesn't match|not valid for|mismatch"),
    ],
    ids=["another authority", "the system's authorities", "no client", "another client", "password", "name"],
)
async def test_anything_wrong_is_refused(secured: Secured, change: dict[str, str | None], reason: str) -> None:
    given: dict[str, str | None] = {**secured.settings(redis_password="p@ss:w/ord")}
    for name, value in change.items():
        given[name] = secured.url(value) if name == "redis_url" and value else value
        if value and value.endswith((".crt", ".key")):
            given[name] = str(secured.folder / value)
    settings = load(Settings, **given)
    with pytest.raises((RedisError, OSError), match=reason):
        await published(settings)
    with pytest.raises(MoodstreamError) as refused:
        check_redis(settings.address(settings.redis_url))
    assert "p%40ss" not in str(refused.value)
    assert "p@ss" not in str(refused.value)


def test_a_service_and_a_command_with_everything_by_files(secured: Secured, tmp_path: Path) -> None:
    given = secured.settings(redis_password_file=str(secured.folder / "password"))
    with services(tmp_path) as running:
        running.start("player", **given, player="log")
        running.wait_until_ready()
        assert running.end() == {"player": 0}
        assert "p@ss" not in running.said("player")
    environment = PLAIN | {f"MOODSTREAM_{name.upper()}": value for name, value in given.items()}
    command = [sys.executable, "-m", "services", "dead", "list"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_frames_go_the_same_way(secured: Secured) -> None:
    settings = load(
        Settings,
        redis_url="redis://127.0.0.1:9/0",
        frames_redis_url=secured.url(),
        **{name: value for name, value in secured.settings(redis_password="p@ss:w/ord").items() if name != "redis_url"},
    )
    bus = create_bus(settings)
    await bus.connect()
    try:
        assert await bus.holder("mood:frames").ping()
    finally:
        await bus.close()
    assert all("p%40ss" not in address and "ssl_" not in address for address in bus.servers.addresses)
