"""What the routes of the gateway share, made once in ``main``."""

from dataclasses import dataclass

from services.gateway.browser_camera import BrowserCameras
from services.gateway.consents import Consents
from services.gateway.health import Doctor
from services.gateway.opening_control import Doors
from services.gateway.pushed_frames import PushedFrames
from services.gateway.self_test import SelfTest
from services.gateway.state.board import Board
from services.gateway.state.feed import Feed
from services.gateway.state.history import History
from shared.bus.connection import Bus
from shared.web.operator import Operator
from shared.web.rate_limit import Limits


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
