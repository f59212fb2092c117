"""What Spotify's refusals mean for the player."""

from datetime import datetime, timedelta

import spotipy

from moodstream.contracts.events import Song
from services.player.outputs import Outcome
from services.player.spotify.session import NotNow


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
        if "registered" in _reason(error):
            text = "This account is not listed for the app: add it in Spotify's developer dashboard."
        else:
            text = "Playing through Spotify needs a Premium account."
        return Outcome("premium_required", text)
    if status in (400, 403, 404) and song is not None:
        return Outcome("unavailable", f"{song.title} cannot be played on Spotify here.", skip=True)
    return Outcome("unavailable", f"Spotify answers {status}; it is tried again.")


def lacks_device(error: spotipy.SpotifyException) -> bool:
    return error.http_status == 404 and "device" in _reason(error)


def is_permanent(error: spotipy.SpotifyException) -> bool:
    """Whether no other song and no other moment would help."""
    return error.http_status == 403 and any(word in _reason(error) for word in ("premium", "registered", "scope"))


def is_already_so(error: spotipy.SpotifyException) -> bool:
    """Whether there is nothing to do: what is paused was asked to pause, or the like."""
    return error.http_status == 403 and not is_permanent(error)


def _reason(error: spotipy.SpotifyException) -> str:
    """Reason and message, without the address that spotipy puts before them."""
    return f"{error.reason or ''} {str(error.msg).partition(chr(10))[2]}".lower()
