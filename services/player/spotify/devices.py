"""The devices of the account: which one to play on, and what to do where there is none."""

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Any

import spotipy

from moodstream.errors import MoodstreamError
from services.player.outputs import Outcome
from services.player.spotify.json_file import JsonFile

REOPEN_S = 60.0

Device = dict[str, Any]
"""as the Web API has it"""


class Devices:
    """Remembers in ``file`` which device was chosen. Its methods block: call them in a thread."""

    def __init__(self, api: spotipy.Spotify, file: JsonFile, app: Sequence[str]) -> None:
        """``app`` is the command that opens Spotify on this machine; it may be empty or missing."""
        self._api, self._file = api, file
        self._app, self._opened_s = tuple(app), float("-inf")

    @property
    def chosen_id(self) -> str | None:
        return self._chosen.get("id")

    def list_usable(self) -> list[Device]:
        found = self._api.devices()["devices"]
        return [one for one in found if one and one.get("id") and one.get("name") and not one.get("is_restricted")]

    def find_best(self) -> Device | None:
        """The chosen one, by id or by name, else the active one, else any."""
        devices, chosen = self.list_usable(), self._chosen
        order = (
            lambda one: one["id"] == chosen.get("id"),
            lambda one: one["name"] == chosen.get("name"),
            lambda one: bool(one.get("is_active")),
            lambda one: True,
        )
        return next((one for fits in order for one in devices if fits(one)), None)

    def transfer(self, wanted: str, *, play: bool) -> Device:
        """Choose a device by name or id, and go on there. Raises MoodstreamError when there is none."""
        devices = self.list_usable()
        found = [one for one in devices if wanted in (one["id"], one["name"])]
        found = found or [one for one in devices if wanted.casefold() == one["name"].casefold()]
        if not found:
            names = ", ".join(one["name"] for one in devices) or "none at all"
            raise MoodstreamError(f"there is no device {wanted[:80]!r}; there is {names}")
        device = found[0]
        self._api.transfer_playback(device["id"], force_play=play)
        with contextlib.suppress(OSError):
            self._file.update(device={"id": device["id"], "name": device["name"]})
        return device

    def open_app(self) -> Outcome:
        """There is no device: where Spotify's own app is on this machine, it is opened, at most once a minute."""
        program = shutil.which(self._app[0]) if self._app else None
        if program is None:
            return Outcome("no_device", "Open Spotify on a device of this account.", wait_s=5.0)
        if time.monotonic() - self._opened_s > REOPEN_S:
            self._opened_s = time.monotonic()
            silent = subprocess.DEVNULL
            command = [program, *self._app[1:]]
            app = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
            threading.Thread(target=app.wait, daemon=True).start()
        return Outcome("no_device", "Spotify is being opened on this machine.", wait_s=2.0)

    @property
    def _chosen(self) -> dict[str, Any]:
        chosen: dict[str, Any] = self._file.load().get("device", {})
        return chosen
