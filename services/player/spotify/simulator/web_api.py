"""Stands for api.spotify.com/v1: the calls that the player makes."""

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.player.spotify.simulator.account import Account
from services.player.spotify.simulator.faults import refusal

SONG_MS = 180_000


class WebApi:
    """``is_valid`` says whether an access token is good."""

    def __init__(self, account: Account, is_valid: Callable[[str], bool]) -> None:
        self._account, self._is_valid = account, is_valid

    def routes(self, path: str) -> list[Route]:
        player = f"{path}/me/player"
        return [
            Route(player, self._checked(self._state)),
            Route(player, self._checked(self._transfer), methods=["PUT"]),
            Route(f"{player}/devices", self._checked(self._devices)),
            Route(f"{player}/play", self._checked(self._play), methods=["PUT"]),
            Route(f"{player}/pause", self._checked(self._pause), methods=["PUT"]),
            Route(f"{player}/volume", self._checked(self._volume), methods=["PUT"]),
            Route(f"{path}/search", self._checked(self._search)),
            Route(f"{path}/tracks/{{id}}", self._checked(self._one_track)),
        ]

    def _checked(self, serve: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not self._is_valid(token):
                return _refused(401, "The access token expired" if token else "No token provided")
            if not self._account.registered:
                return _refused(403, "User not registered in the Developer Dashboard")
            if request.method != "GET" and not self._account.premium:
                return _refused(403, "Player command failed: Premium required", "PREMIUM_REQUIRED")
            body = await request.body()
            return serve(request, json.loads(body) if body else {})

        return answer

    def _state(self, _: Request, __: Any) -> Response:
        now = self._account.active
        if now is None:
            return Response(status_code=204)
        uris, position = self._account.uris, self._account.position
        item = self._track(uris[position]) if position < len(uris) else None
        return JSONResponse(
            {
                "device": now,
                "repeat_state": "off",
                "shuffle_state": False,
                "timestamp": int(time.time() * 1000),
                "progress_ms": 1000,
                "is_playing": self._account.playing,
                "currently_playing_type": "track" if item else "unknown",
                "actions": {"disallows": {}},
                **({"item": item} if item else {}),
            }
        )

    def _devices(self, _: Request, __: Any) -> Response:
        return JSONResponse({"devices": self._account.devices})

    def _activate(self, device_id: str | None) -> Response | None:
        """Make the named device the active one; without a name one must be active already."""
        if device_id is None:
            active = self._account.active
            return (
                None if active else _refused(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
            )
        found = next((one for one in self._account.devices if one["id"] == device_id), None)
        if found is None:
            return _refused(404, "Device not found")
        if found["is_restricted"]:
            return _refused(403, "Player command failed: Restricted device", "DEVICE_NOT_CONTROLLABLE")
        for one in self._account.devices:
            one["is_active"] = one is found
        return None

    def _transfer(self, _: Request, body: Any) -> Response:
        if len(body.get("device_ids", ())) != 1:
            return _refused(400, "device_ids must be one")
        error = self._activate(body["device_ids"][0])
        if error is None and body.get("play"):
            self._account.playing = True
        if error is None and self._account.refuses == "until_transfer":
            self._account.refuses = "nothing"
        return error or Response(status_code=204)

    def _play(self, request: Request, body: Any) -> Response:
        if error := self._activate(request.query_params.get("device_id")):
            return error
        if self._account.refuses != "nothing":
            return _refused(403, "Player command failed: Restriction violated", "UNKNOWN")
        if uris := body.get("uris"):
            gone = [uri.rpartition(":")[2] in self._account.missing for uri in uris]
            if gone[0] and not (self._account.passes_over_missing and not all(gone)):
                return _refused(403, "Player command failed: Restriction violated", "UNKNOWN")
            self._account.uris, self._account.position = list(uris), gone.index(False)
        self._account.playing = True
        return Response(status_code=204)

    def _pause(self, request: Request, _: Any) -> Response:
        if error := self._activate(request.query_params.get("device_id")):
            return error
        if not self._account.playing:
            return _refused(403, "Player command failed: Restriction violated", "ALREADY_PAUSED")
        self._account.playing = False
        return Response(status_code=204)

    def _volume(self, request: Request, _: Any) -> Response:
        if error := self._activate(request.query_params.get("device_id")):
            return error
        assert self._account.active is not None
        if not self._account.active["supports_volume"]:
            return _refused(403, "Player command failed: Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
        self._account.active["volume_percent"] = int(request.query_params["volume_percent"])
        return Response(status_code=204)

    def _search(self, request: Request, _: Any) -> Response:
        if int(limit := request.query_params.get("limit", "5")) > 10:
            return _refused(400, "Invalid limit")
        asked = request.query_params["q"].casefold()
        found = [one for one in self._account.catalogue if one[1].split(" (")[0].casefold() in asked]
        tracks = [self._track(f"spotify:track:{one[0]}") for one in found[: int(limit)]]
        about = {"href": str(request.url), "limit": int(limit), "next": None, "offset": 0, "previous": None}
        return JSONResponse({"tracks": about | {"total": len(tracks), "items": tracks}})

    def _one_track(self, request: Request, _: Any) -> Response:
        if not self._account.knows_tracks:
            return _refused(404, "Resource not found")
        return JSONResponse(self._track(f"spotify:track:{request.path_params['id']}"))

    def _track(self, uri: str) -> dict[str, Any]:
        track_id = uri.rpartition(":")[2]
        known = {one[0]: one for one in self._account.catalogue}
        _, title, artist = known.get(track_id, (track_id, f"Track {track_id}", "An artist"))
        person = {"id": "artist", "name": artist, "type": "artist", "uri": "spotify:artist:artist"}
        playable = track_id not in self._account.missing
        return {
            "artists": [person],
            "disc_number": 1,
            "duration_ms": SONG_MS,
            "explicit": False,
            "id": track_id,
            "is_local": False,
            "is_playable": playable,
            **({} if playable else {"restrictions": {"reason": "market"}}),
            "name": title,
            "track_number": 1,
            "type": "track",
            "uri": uri,
        }


def _refused(status: int, message: str, reason: str = "") -> Response:
    return refusal(status, message, reason).response
