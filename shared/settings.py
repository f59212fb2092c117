"""Settings that every service has; each reads ``MOODSTREAM_*`` from the environment, from ``.env`` or from a file.

A file is how containers get secrets: ``/run/secrets/moodstream_redis_url`` holds what ``MOODSTREAM_REDIS_URL`` would.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from moodstream import cluster
from moodstream.contracts.validation import place_and_text
from moodstream.errors import MoodstreamError, SettingError
from shared.host_names import parse_host_names
from shared.logs import Form
from shared.networks import parse_networks
from shared.secret_files import SecretFiles
from shared.site_file import SiteFile, default_site_file

S = TypeVar("S", bound="Settings")

DEFAULT_PREFIX = "MOODSTREAM_DEFAULT_"
"""Of variables that say what a setting is where nobody, neither the environment nor an operator, has set it."""

# What several services read has one meaning and one default; `tests/deploy/test_settings.py` compares them.
CAMERA_ID = "camera-1"
CAMERA_ID_TEXT = (
    "Name of the camera: in all events, of the mood that the page shows first, and of OSC without /camera/ID before it."
)
AUTO_TEXT = "Pick one of the offered songs automatically, for sites where nobody picks."


class Settings(BaseSettings):
    """Common settings. A service adds its own in a subclass in its ``main.py``."""

    model_config = SettingsConfigDict(
        env_prefix="MOODSTREAM_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="Address of Redis, Valkey, Sentinels or a cluster; `moodstream run` starts its own when not set.",
    )
    frames_redis_url: str | None = Field(
        None,
        repr=False,
        description="Address of a second server for frames only, which writes nothing to disk; default: the same.",
    )
    frames_on_disk: bool = Field(
        False,
        description="Allow the server of the frames to write pictures to a disk (otherwise nothing starts); the page "
        "and the status say so.",
    )
    redis_password: str | None = Field(
        None,
        repr=False,
        description="Password of both servers, unless their addresses contain one: redis://USER@HOST:6379/0.",
    )
    redis_ca: Path | None = Field(
        None, description="PEM file of the certificate authority of rediss:// servers; default: those of the system."
    )
    redis_certificate: Path | None = Field(
        None, description="PEM file of a client certificate, if servers ask for one."
    )
    redis_key: Path | None = Field(None, description="PEM file of the client certificate's private key.")
    prefix: str = Field(
        "mood:",
        description="Prefix of every stream and key; one prefix is one site. On a cluster with a hash tag: {north}:",
    )
    host: str = Field("127.0.0.1", description="Address to listen on for the page and the health checks.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    tls_certificate: Path | None = Field(None, description="PEM file of a certificate, for HTTPS instead of HTTP.")
    tls_key: Path | None = Field(None, description="PEM file of that certificate's private key.")
    host_names: str = Field(
        "",
        description="Names by which browsers reach this machine, separated by commas, such as mood.example.org; IP "
        "addresses, localhost and its own host name always work.",
    )
    proxies: str = Field(
        "",
        description="Addresses or networks of trusted reverse proxies, separated by commas; their headers are "
        "believed about a visitor's address.",
    )
    requests_per_s: float = Field(
        20, ge=0, description="Requests allowed from one address per second, ten times as many in a burst; 0: no limit."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Minimum level that is logged.")
    events_kept_days: float = Field(
        30, gt=0, le=3650, description="Days after which events are deleted; earlier when a stream is full."
    )
    log_format: Form = Field("text", description="Log lines for people (text) or for programs (json).")
    traces_url: str | None = Field(
        None,
        description="OTLP/HTTP address for traces, such as http://127.0.0.1:4318/v1/traces; default: no traces.",
    )
    traces_fraction: float = Field(1.0, ge=0, le=1, description="Fraction of traces to export, 0 to 1.")
    frames_kept: int = Field(4, ge=1, description="Maximum number of waiting frames: 2 x (cameras + emotion workers).")

    site_settings: Path = Field(
        default_factory=default_site_file,
        description="TOML file of the settings that operators change on their page; the environment overrides it. "
        "Default: settings.toml in the user's data folder.",
    )

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: str) -> str:
        parse_networks(proxies, "MOODSTREAM_PROXIES")
        return proxies

    @field_validator("host_names")
    @classmethod
    def _names(cls, names: str) -> str:
        parse_host_names(names)
        return names

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = SecretFiles(settings_cls, env_settings, dotenv_settings)
        given = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        site = SiteFile(settings_cls, given, env_settings, dotenv_settings)
        # what a deployment has as defaults, which operators may overrule on their page
        defaults = EnvSettingsSource(settings_cls, env_prefix=DEFAULT_PREFIX)
        return init_settings, env_settings, dotenv_settings, files, site, defaults

    def address(self, url: str) -> str:
        """The whole address of a Redis server: with the password and the files that TLS needs. Not to be shown."""
        parts = urlsplit(url)
        name, _, host = parts.netloc.rpartition("@")
        if self.redis_password and ":" not in name and (parts.scheme != "unix" or name):
            name = f"{name}:{quote(self.redis_password, safe='')}"
        query = parts.query
        if parts.scheme in ("rediss", "rediss+sentinel", "rediss+cluster"):
            files = {
                "ssl_ca_certs": self.redis_ca,
                "ssl_certfile": self.redis_certificate,
                "ssl_keyfile": self.redis_key,
            }
            needed = {what: str(file) for what, file in files.items() if file is not None and f"{what}=" not in query}
            query = "&".join(filter(None, (query, urlencode(needed))))
        place = f"{name}@{host}" if name else host
        whole = f"{parts.scheme}://{place}{parts.path}" + (f"?{query}" if query else "")
        return cluster.with_prefix(whole, self.prefix)

    @property
    def scheme(self) -> str:
        return "https" if self.tls_certificate else "http"


class RunSettings(Settings):
    """Settings of ``moodstream run`` and of the commands that use a running one."""

    redis_url: str | None = Field(  # type: ignore[assignment]
        None,
        repr=False,
        description="Address of Redis, Valkey, Sentinels or a cluster (docs/scaling.md); `run` starts its own when not "
        "set.",
    )
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")


def load(kind: type[S], **given: Any) -> S:
    """Settings of one service; what is given as argument wins over the environment. Raises SettingError."""
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except UnicodeDecodeError as error:
        raise MoodstreamError(f"the file .env is not in UTF-8 (byte {error.start}); save it as UTF-8") from None
    except ValidationError as error:
        place, text = place_and_text(error)
        raise SettingError(f"MOODSTREAM_{'_'.join(map(str, place)).upper()}", text) from None


def set_by_environment(kind: type[Settings]) -> frozenset[str]:
    """The settings that the environment or ``.env`` sets."""
    return frozenset({**DotEnvSettingsSource(kind)(), **EnvSettingsSource(kind)()})


def example(parts: Mapping[str, type[Settings]]) -> str:
    """Every setting with its default and meaning, as the text of a ``.env`` file, under the first part that has it."""
    lines = ["# Copy to .env and change what you need. What is commented out is the default."]
    seen: set[str] = set()
    for part, kind in parts.items():
        lines += ["", f"## {part}"]
        for name, field in kind.model_fields.items():
            if name in seen:
                continue
            seen.add(name)
            default = "" if field.default_factory or field.default is None else field.default
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            lines += [f"# {field.description}", f"# MOODSTREAM_{name.upper()}={shown}"]
    return "\n".join(lines)
