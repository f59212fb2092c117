"""``moodstream acl``."""

import argparse
import secrets
from hashlib import sha256
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.cli.connection import prefix
from services.cli.options import Commands, add_command
from shared.contracts.access import USERS, acl_file
from shared.files import create_private
from shared.secret_files import read_secret


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    one = add_command(commands, "acl", acl)
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
    """Print the file; passwords are written to their own files, ``redis_USER``, and nowhere else."""
    hashes = {user: sha256(_password(given.secrets / f"redis_{user}").encode()).hexdigest() for user in USERS}
    print(acl_file(prefix(), given.server, hashes), end="")
    return 0


def _password(file: Path) -> str:
    """The password in a file, which is made when it is missing."""
    try:
        create_private(file, secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}") from None
    return read_secret(file, str(file))
