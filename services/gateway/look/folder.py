"""The folder with the look of a place: ``logo.png`` and ``texts/LANGUAGE.json``, which may be put there by hand, too.

What is read from it is checked as what is sent: a file that is no good counts for nothing, and is named in the log.
Blocking, so to be called in a thread.
"""

import json
import logging
from hashlib import sha256
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.gateway.look.png import MAX_BYTES, NoPicture, rebuild
from services.gateway.look.texts import MAX_BYTES as MAX_TEXT_BYTES
from services.gateway.look.texts import checked
from shared.files import replacing

log = logging.getLogger("moodstream.gateway")


class LookFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def logo(self) -> bytes | None:
        """The picture, ready to be sent."""
        file = self.path / "logo.png"
        try:
            with file.open("rb") as opened:
                return rebuild(opened.read(MAX_BYTES + 1))
        except FileNotFoundError:
            return None
        except (NoPicture, OSError) as error:
            log.warning("%s is not shown: %s", file, error)
            return None

    def logo_version(self) -> str | None:
        """Another one for another picture; None where there is none."""
        logo = self.logo()
        return sha256(logo).hexdigest()[:12] if logo is not None else None

    def set_logo(self, data: bytes | None) -> None:
        """None takes it away. Raises NoPicture or OSError: then the one before stays."""
        if data is None:
            (self.path / "logo.png").unlink(missing_ok=True)
            return
        rebuilt = rebuild(data)
        with replacing(self.path / "logo.png") as file:
            file.write(rebuilt)

    def texts(self, language: str) -> dict[str, str]:
        """The texts of this place in a language."""
        file = self.path / "texts" / f"{language}.json"
        try:
            with file.open("rb") as opened:
                given = json.loads(opened.read(MAX_TEXT_BYTES))
            return checked(language, {str(key): str(text) for key, text in dict(given).items()})
        except FileNotFoundError:
            return {}
        except (MoodstreamError, OSError, ValueError, TypeError) as error:
            log.warning("%s is not used: %s", file, error)
            return {}

    def set_texts(self, language: str, given: dict[str, str]) -> None:
        """Those of a language; empty ones are the page's again. Raises MoodstreamError or OSError."""
        texts = checked(language, given)
        with replacing(self.path / "texts" / f"{language}.json") as file:
            file.write(json.dumps(texts, ensure_ascii=False, indent=2).encode())
