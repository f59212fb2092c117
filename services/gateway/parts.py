"""What the routes of the gateway share, made once in ``main``."""

from dataclasses import dataclass

from services.gateway.board import Board
from services.gateway.browser_camera import BrowserCameras
from services.gateway.consents import Consents
from services.gateway.doors import Doors
from services.gateway.feed import Feed
from services.gateway.health import Doctor
from services.gateway.history import History
from services.gateway.pushed_frames import PushedFrames
from services.gateway.self_test import SelfTest
from shared.bus import Bus
from shared.limits import Limits
from shared.operator import Operator


@dataclass(frozen=True)
class Parts:
    bus: Bus
    board: Board
    feed: Feed
    browsers: BrowserCameras
    pushed: PushedFrames
    doors: Doors
    history: History
    consents: Consents
    doctor: Doctor
    self_test: SelfTest
    limits: Limits
    operator: Operator
    listeners_most: int
    """of one address"""
