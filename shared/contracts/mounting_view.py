"""The view for mounting a camera: the keys that it lives in, and what is in them. Pure.

The gateway says that an operator looks (``WANTED``, ``WATCHED``); the emotion service, which alone owns frames, draws
what the camera sees into ``PICTURE``. All three lie beside the frames, in memory, and none outlives the view:

    view:wanted    which camera, for two minutes at most; deleted when the operator stops
    view:watched   renewed with each look, so that the view ends by itself soon after the page is closed
    view:picture   the newest picture and its figures, for two seconds
"""

from typing import Literal

from moodstream.contracts.events import Model, Moment

WANTED, WATCHED, PICTURE = "view:wanted", "view:watched", "view:picture"
"""Names of keys, without the prefix of the site."""
VIEW_S, WATCHED_S, PICTURE_S = 120, 8, 2

Preview = Literal["outline", "picture", "off"]
PREVIEW_TEXT = (
    "What the operator's view for mounting a camera shows: an outline without detail (outline), the picture itself "
    "(picture), or nothing (off)."
)


class ViewWanted(Model):
    """An operator looks through a camera."""

    id: str
    """of this view; another one has another"""
    camera_id: str
    until: Moment
    """when it ends at the latest, UTC"""


class GateFigure(Model):
    """One gate that a face has to pass before it is read."""

    code: str
    """as one word, for pages that speak other languages"""
    what: str
    value: float
    least: float | None
    most: float | None
    ok: bool
    otherwise: str
    """what a face outside of the limits is called"""


class FaceInView(Model):
    """One face, in figures."""

    box: tuple[int, int, int, int]
    """x, y, width, height in pixels of the frame"""
    side_px: int
    distance_m: float
    """about how far away it is"""
    place: Literal["good", "too near", "too far"]
    """how its distance suits"""
    refused: str | None
    """why it is not read; None when it is"""
    gates: tuple[GateFigure, ...]


class ViewFigures(Model):
    """What a frame is like, in figures."""

    size: tuple[int, int]
    """width and height of the frame in pixels"""
    light: float
    """mean level, 0 to 255"""
    contrast: float
    """standard deviation of the level"""
    sharpness: float
    """variance of the Laplacian at 320 pixels across; below about 30 it is out of focus"""
    best_px: tuple[int, int]
    """sides of faces that suit"""
    best_m: tuple[float, float]
    """about the distances at which faces have those sides"""
    faces: tuple[FaceInView, ...]


class MountingPicture(Model):
    """One picture of the view."""

    camera_id: str
    captured_at: Moment
    preview: Literal["outline", "picture"]
    figures: ViewFigures
    png: str
    """the drawn picture, a PNG in base64"""
