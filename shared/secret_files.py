"""The passwords of a compose stack, made at its first start: ``python -m shared.secret_files /secrets --users ...``.

Each folder below ``/secrets`` is a volume of its own, which only the container of that name mounts. What is there is
kept, so every start may run this; ``--renew`` makes all of it anew.

    SERVER/users.acl                    Redis's users, with hashes of their passwords
    SERVER/health, SERVER/operator      passwords of the health check, and of people at ``redis-cli``
    USER/moodstream_redis_url           a setting as a file (``shared.settings``); so are the next two
    USER/moodstream_frames_redis_url
    USER/moodstream_operator_token
    OTHER/password                      of what is not ours, such as Grafana
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

from shared.errors import EXIT_FAILED

BYTES = 24
SERVER = "redis"
EVENTS, FRAMES = "redis:6379", "redis-frames:6379"
OF_ALL = "+@all -@admin -@dangerous +info"
"""What a service may do with the keys of its site."""


def create(
    root: Path,
    prefix: str,
    users: Sequence[str],
    frames: Sequence[str] = (),
    operators: Sequence[str] = (),
    others: Sequence[str] = (),
    renew: bool = False,
) -> None:
    """Make what is missing. Raises OSError when a folder cannot be written."""

    def kept(file: str) -> str | None:
        path = root / file
        return path.read_text().strip() or None if path.exists() and not renew else None

    def password(file: str) -> str:
        found = kept(file) or token_urlsafe(BYTES)
        _write(root / file, found)
        return found

    passwords = {name: password(f"{SERVER}/{name}") for name in ("health", "operator")}
    for user in users:
        url = kept(f"{user}/moodstream_redis_url")
        passwords[user] = (url and urlsplit(url).password) or token_urlsafe(BYTES)
        _write(root / user / "moodstream_redis_url", f"redis://{user}:{passwords[user]}@{EVENTS}/0")
        if user in frames:
            _write(root / user / "moodstream_frames_redis_url", f"redis://{user}:{passwords[user]}@{FRAMES}/0")
    # one token for all pages of the operator
    token = next((found for one in operators if (found := kept(f"{one}/moodstream_operator_token"))), None)
    token = token or token_urlsafe(BYTES)
    for one in operators:
        _write(root / one / "moodstream_operator_token", token)
    for other in others:
        password(f"{other}/password")
    _write(root / SERVER / "users.acl", "\n".join(acl(passwords, prefix)))


def acl(passwords: Mapping[str, str], prefix: str) -> list[str]:
    """Lines of Redis's file of users."""
    rights = {"health": "-@all +ping", "operator": "~* &* +@all"}
    lines = ["user default off"]
    for user, word in passwords.items():
        may = rights.get(user) or f"~{prefix}* {OF_ALL}"
        lines.append(f"user {user} on #{sha256(word.encode()).hexdigest()} {may}")
    return lines


def _write(path: Path, text: str) -> None:
    """Replaced as a whole, and only when it changes. Readable by all: the volume decides who sees it."""
    if path.exists() and path.read_text() == text + "\n":
        return
    new = path.with_suffix(".new")
    new.write_text(text + "\n")
    new.chmod(0o444)
    new.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.secret_files", description="Passwords of a compose stack.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--prefix", default="mood:", help="of the keys of this site")
    parser.add_argument("--users", nargs="+", default=[], help="services that use the Redis of the events")
    parser.add_argument("--frames", nargs="+", default=[], help="those of them that use the Redis of the frames too")
    parser.add_argument("--operators", nargs="+", default=[], help="services with pages for the operator")
    parser.add_argument("--others", nargs="+", default=[], help="folders that get a password alone")
    parser.add_argument("--renew", action="store_true", help="all passwords anew; then everything has to be restarted")
    given = vars(parser.parse_args(arguments))
    try:
        create(**given)
    except OSError as error:
        print(f"moodstream: the secrets cannot be written: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
