"""Settings that every service has; each reads ``MOODSTREAM_*`` from the environment or from ``.env``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import MoodstreamError

S = TypeVar("S", bound="Settings")


class Settings(BaseSettings):
    """Common settings. A service adds its own in a subclass in its ``main.py``."""

    model_config = SettingsConfigDict(
        env_prefix="MOODSTREAM_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis or Valkey server. `moodstream run` starts its own when this is not set.",
    )
    frames_redis_url: str | None = Field(
        None, description="Another server for the frames alone, one that writes nothing to a disk; else the same."
    )
    prefix: str = Field("mood:", description="Begins the name of every stream and key; one prefix is one site.")
    host: str = Field("127.0.0.1", description="Address to listen on for the page and the health checks.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    tls_certificate: Path | None = Field(None, description="PEM file of the certificate, for HTTPS instead of HTTP.")
    tls_key: Path | None = Field(None, description="PEM file of its private key.")
    proxies: str = Field(
        "",
        description="Addresses or networks of proxies before the page, with commas; what they say of visitors' "
        "addresses is believed.",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    frames_kept: int = Field(4, ge=1, description="Frames that wait at most: 2 x (cameras + emotion workers).")

    @property
    def scheme(self) -> str:
        return "https" if self.tls_certificate else "http"


class RunSettings(Settings):
    """Settings of ``moodstream run`` and of the commands that look at it."""

    redis_url: str | None = Field(None, description="Redis or Valkey server; without one `run` starts its own.")  # type: ignore[assignment]
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")


def load(kind: type[S], **given: Any) -> S:
    """Settings of one service; what is given as argument wins over the environment. Raises MoodstreamError."""
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise MoodstreamError(f"MOODSTREAM_{name}: {first['msg']}") from None


def example(parts: Mapping[str, type[Settings]]) -> str:
    """Every setting with its default and meaning, as the text of a ``.env`` file; each stands under its first part."""
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
