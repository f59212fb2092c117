"""The place that a visitor is at: a camera of the site, or a place of a page that stands before none."""

from starlette.exceptions import HTTPException

from moodstream.contracts.ids import is_place_by_hand
from shared.contracts.site_state import SiteState

MAX_BY_HAND = 32
"""Visits without a camera at the same time; those at cameras must keep their places."""


def place_of(state: SiteState, camera_id: str | None) -> str:
    """The camera that is meant. Raises HTTPException where there is none of that name."""
    if camera_id is not None and not state.knows(camera_id):
        if not is_place_by_hand(camera_id):
            raise HTTPException(404, "there is no camera of that name")
        if sum(map(is_place_by_hand, state.cameras)) >= MAX_BY_HAND:
            raise HTTPException(429, "too many choose by hand; try again in a moment", {"Retry-After": "10"})
    return camera_id or state.camera_id
