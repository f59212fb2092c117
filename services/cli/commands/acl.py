"""``moodstream acl``."""

import argparse
import os
import secrets
from hashlib import sha256
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.cli.connection import prefix
from services.cli.options import Commands, add_command


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "Print an ACL file for Redis: one user per service, each with the least rights it needs."
    one = add_command(commands, "acl", acl, text)
    one.add_argument(
        "--secrets",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the password files; missing ones are created",
    )
    one.add_argument(
        "--server",
        choices=["both", "events", "frames"],
        default="both",
        help="which streams the server holds (default: both)",
    )


def acl(given: argparse.Namespace) -> int:
    """The file goes to standard output; passwords go nowhere but into their files, ``redis_USER``."""
    from shared.contracts.access import USERS, acl_file

    hashes = {user: sha256(_password(given.secrets / f"redis_{user}").encode()).hexdigest() for user in USERS}
    print(acl_file(prefix(), given.server, hashes), end="")
    return 0


def _password(file: Path) -> str:
    """What the file holds; a new password, which its owner alone can read, where there is none."""
    from shared.secret_files import read_secret

    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}") from None
    return read_secret(file, str(file))
