"""What Spotify's refusals mean for the player."""

from datetime import datetime, timedelta

import spotipy

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.player.outputs import Outcome
from services.player.spotify.session import NotNow

PREMIUM, NO_DEVICE = "PREMIUM_REQUIRED", "NO_ACTIVE_DEVICE"
"""Spotify's codes for what its player refuses; they stand beside its sentences, which are never looked at."""


class DeviceRefuses(MoodstreamError):
    """A device takes no song at all, though it could play this one; the text is its name."""


def outcome_of_wait(later: NotNow) -> Outcome:
    until = datetime.now().astimezone() + timedelta(seconds=later.wait_s)
    if later.reason == "rate_limited":
        return Outcome(
            "rate_limited", f"Spotify asks to wait until {until:%H:%M:%S}.", until=until, wait_s=later.wait_s
        )
    if later.reason == "quota_exceeded":
        text = f"The app's quota at Spotify is used up; it is tried again at {until:%H:%M}."
        return Outcome("quota_exceeded", text, until=until, wait_s=later.wait_s)
    return Outcome("unavailable", "Spotify does not answer; it is tried again.", wait_s=later.wait_s)


def outcome_of_refusal(error: spotipy.SpotifyException, song: Song | None, login_page: str) -> Outcome:
    """``song`` is the one that was to play, if any."""
    status = error.http_status
    if status == 401:
        return Outcome("needs_reauthorization", f"Spotify refuses the sign-in; sign in again at {login_page}")
    if is_permanent(error):
        if error.reason == PREMIUM:
            return Outcome("premium_required", "Playing through Spotify needs a Premium account.")
        text = "This account is not listed for the app: add it in Spotify's developer dashboard."
        return Outcome("premium_required", text)
    if status in (400, 403, 404) and song is not None:
        return Outcome("unavailable", f"{song.title} cannot be played on Spotify here.", skip=True)
    return Outcome("unavailable", f"Spotify answers {status}; it is tried again.")


def lacks_device(error: spotipy.SpotifyException) -> bool:
    """Whether none is active, or the named one is gone, for which Spotify has no code."""
    return error.http_status == 404 and (not error.reason or error.reason == NO_DEVICE)


def is_permanent(error: spotipy.SpotifyException) -> bool:
    """Whether no other song and no other moment would help.

    What the player refuses has a code. Without one the account itself is refused: the app does not list it.
    """
    return error.http_status == 403 and (not error.reason or error.reason == PREMIUM)


def is_restriction(error: spotipy.SpotifyException) -> bool:
    """Whether the player refuses just this now: the song, the device, or what it does already."""
    return error.http_status == 403 and not is_permanent(error)


def is_already_so(error: spotipy.SpotifyException) -> bool:
    """Whether there is nothing to do: what is paused was asked to pause, or the like."""
    return is_restriction(error)
