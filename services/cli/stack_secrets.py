"""The passwords of a compose stack, made at its first start.

    python -m services.cli.stack_secrets /secrets --users ...

Each folder below ``/secrets`` is a volume of its own, which only the container of that name mounts. Existing
passwords are kept, so every start may run this; remove the volumes to get new ones.

    redis/events.acl, redis/frames.acl  Redis's users, hashes of their passwords, and what each may do (``access``)
    redis/health, redis/admin           passwords of the health check, and of an administrator
    redis/replica                       of the nodes of a cluster among each other
    redis/operator, redis/subscriber    for people at a terminal, and for your own software, which only reads
    USER/moodstream_redis_url           a setting as a file (``shared.settings``); so are the next three
    USER/moodstream_frames_redis_url
    USER/moodstream_operator_token, USER/moodstream_staff_token
    USER/moodstream_mqtt_url
    BROKER/passwords, BROKER/home       Mosquitto's users, and the password for home automation
    OTHER/password                      of third-party services, such as Grafana
"""

import argparse
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from urllib.parse import urlsplit

from moodstream.cluster import with_prefix
from moodstream.errors import MoodstreamError
from shared.contracts.access import USERS, Server, acl_file
from shared.exit_codes import EXIT_FAILED
from shared.files import replacing

BYTES = 24
SERVER = "redis"
EVENTS, FRAMES, MQTT = "redis:6379/0", "redis-frames:6379/0", "mosquitto:1883"
PEOPLE = ("operator", "subscriber")
OWN = {"health": "-@all +ping", "admin": "~* &* +@all", "replica": "-@all +ping +psync +replconf"}
"""Users of the stack itself, beside those of ``shared.contracts.access``."""

OURS, READABLE = 0o400, 0o444
"""Third-party programs run as another user; which container mounts a volume decides who sees its files."""


class Folders:
    """The folders below a root, and the files in them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read_file(self, file: str) -> str | None:
        path = self._root / file
        return path.read_text().strip() or None if path.exists() else None

    def password(self, file: str, mode: int = READABLE) -> str:
        """The password in a file, which is made when it is missing."""
        found = self.read_file(file) or token_urlsafe(BYTES)
        self.write_file(file, found, mode)
        return found

    def password_in(self, files: Sequence[str]) -> str:
        """The password that files share, as a word or in an address; a new one where none of them exists."""
        found = next((text for file in files if (text := self.read_file(file))), None)
        return (urlsplit(found).password or found) if found else token_urlsafe(BYTES)

    def write_file(self, file: str, text: str, mode: int = OURS) -> None:
        """Replace a file as a whole, only when it changes."""
        path = self._root / file
        if path.exists() and path.read_text() == text + "\n":
            return
        with replacing(path, mode, make_folders=False) as new:
            new.write(f"{text}\n".encode())


def create(
    root: Path,
    prefix: str,
    users: Mapping[str, str],
    frames: Sequence[str] = (),
    operators: Sequence[str] = (),
    broker: Sequence[str] = (),
    others: Sequence[str] = (),
    cluster: str = "",
) -> None:
    """Make what is missing; ``users`` of Redis by folder. Raises OSError or MoodstreamError.

    ``cluster`` names nodes, with commas between, that hold the events instead of the single server.
    """
    folders = Folders(root)
    scheme, place = ("redis+cluster", cluster) if cluster else ("redis", EVENTS)
    with_prefix(f"{scheme}://{place}", prefix)  # raises where a cluster could not hold this site
    passwords = {name: folders.password(f"{SERVER}/{name}") for name in (*OWN, *PEOPLE)}
    for user in dict.fromkeys(users.values()):
        names = [folder for folder in users if users[folder] == user]
        passwords[user] = folders.password_in([f"{folder}/moodstream_redis_url" for folder in names])
        for folder in names:
            folders.write_file(f"{folder}/moodstream_redis_url", f"{scheme}://{user}:{passwords[user]}@{place}")
            if folder in frames:
                folders.write_file(
                    f"{folder}/moodstream_frames_redis_url", f"redis://{user}:{passwords[user]}@{FRAMES}"
                )
    for server in ("events", "frames"):
        folders.write_file(f"{SERVER}/{server}.acl", acl(prefix, server, passwords), READABLE)
    for role in ("operator", "staff"):
        tokens = [f"{operator}/moodstream_{role}_token" for operator in operators]
        token = folders.password_in(tokens)
        for file in tokens:
            folders.write_file(file, token)
    if broker:
        _broker(folders, *broker)
    for other in others:
        folders.password(f"{other}/password")


def acl(prefix: str, server: Server, passwords: Mapping[str, str]) -> str:
    """Redis's file of users: those who have a password here, and nobody else."""
    hashes = {user: sha256(word.encode()).hexdigest() for user, word in passwords.items()}
    lines = acl_file(prefix, server, dict.fromkeys(USERS, "") | hashes).splitlines()
    ours = [line for line in lines if line.split()[1] in {"default", *passwords}]
    return "\n".join([*ours, *(f"user {user} on #{hashes[user]} {rights}" for user, rights in OWN.items())])


def _broker(folders: Folders, broker: str, client: str) -> None:
    """A user for the client, which is our bridge, and one for everything at home."""
    whole = all(
        folders.read_file(file) for file in (f"{client}/moodstream_mqtt_url", f"{broker}/home", f"{broker}/passwords")
    )
    ours = folders.password_in([f"{client}/moodstream_mqtt_url"])
    folders.write_file(f"{client}/moodstream_mqtt_url", f"mqtt://moodstream:{ours}@{MQTT}")
    home = folders.password(f"{broker}/home", OURS)
    if not whole:
        folders.write_file(f"{broker}/passwords", f"moodstream:{_mosquitto(ours)}\nhome:{_mosquitto(home)}")


def _mosquitto(word: str, iterations: int = 101) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with SHA-512. A random word needs no more rounds than its default."""
    salt = token_bytes(12)
    hashed = pbkdf2_hmac("sha512", word.encode(), salt, iterations)
    return f"$7${iterations}${b64encode(salt).decode()}${b64encode(hashed).decode()}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m services.cli.stack_secrets", description="The passwords of a compose stack."
    )
    add = parser.add_argument
    add("root", type=Path)
    add("--prefix", default="mood:", help="of the keys of this site")
    add("--users", nargs="+", default=[], metavar="FOLDER[=USER]", help="services that use the Redis of the events")
    add("--frames", nargs="+", default=[], metavar="FOLDER", help="those of them that use that of the frames too")
    add("--operators", nargs="+", default=[], metavar="FOLDER", help="services with pages for the operator")
    add("--broker", nargs=2, default=[], metavar=("FOLDER", "CLIENT"), help="Mosquitto, and the service that uses it")
    add(
        "--cluster", default="", metavar="HOST,HOST,...", help="nodes of the cluster that holds the events, if one does"
    )
    add("--others", nargs="+", default=[], metavar="FOLDER", help="services that need only a password")
    given = vars(parser.parse_args(arguments))
    pairs = (text.partition("=") for text in given.pop("users"))
    try:
        create(users={folder: user or folder for folder, _, user in pairs}, **given)
    except OSError as error:
        print(f"moodstream: the secrets cannot be written: {error}", file=sys.stderr)
        return EXIT_FAILED
    except MoodstreamError as error:
        print(f"moodstream: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
