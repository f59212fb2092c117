"""What the routes of the gateway share, made once in ``main``."""

from collections.abc import Callable
from dataclasses import dataclass

from services.gateway.alerts.watch import Alerts
from services.gateway.consents import Consents
from services.gateway.health import HealthReader
from services.gateway.look.folder import LookFolder
from services.gateway.mounting_view import MountingViews
from services.gateway.music import MusicFolder
from services.gateway.opening_control import OpeningControl
from services.gateway.pictures.browser_camera import BrowserCameras
from services.gateway.pictures.pushed_frames import PushedFrames
from services.gateway.self_test import SelfTest
from services.gateway.site_settings.control import SettingsControl
from services.gateway.state.feed import Feed
from services.gateway.state.history import History
from services.gateway.state.kiosk import HeardVoice, Kiosk, Law
from services.gateway.upkeep.restart import Upkeep
from services.gateway.upkeep.updates import Updates
from services.gateway.uploads.clearing import Clearing
from services.gateway.uploads.storage import Uploads
from shared.bus.connection import Bus
from shared.contracts.site_state import SiteState
from shared.delivery.frames_server import FramesServer
from shared.web.operator import Operator
from shared.words.reader import WordsReader


@dataclass(frozen=True)
class Context:
    bus: Bus
    state: SiteState
    snapshot: Callable[[], str]
    """the state as JSON"""
    feed: Feed
    history: History
    opening_control: OpeningControl
    browser_camera: bool
    """whether visitors may use the camera of their own browser"""
    pictures_on_disk: bool
    """whether the operator has accepted that pictures may be written to a disk"""
    browser_cameras: BrowserCameras
    pushed_frames: PushedFrames
    frames_server: FramesServer
    consents: Consents
    mounting_views: MountingViews
    health: HealthReader
    self_test: SelfTest
    operator: Operator
    settings: SettingsControl
    change_kiosk: Callable[[Kiosk], object]
    law: Callable[[], Law | None]
    """which holds here, as its owner has said"""
    """what every page is told of the site from now on"""
    alerts: Alerts
    upkeep: Upkeep
    updates: Updates
    look: LookFolder
    show_logo: Callable[[str | None], object]
    """with which logo every page goes on"""
    listens_on: str
    """the address of this machine on which the page is served"""
    uploads: Uploads
    clearing: Clearing
    music: MusicFolder
    music_fixed: bool
    """whether the environment says which folder that is"""
    max_listeners_per_address: int
    words: WordsReader | None
    """None where no words are read"""
    voice: HeardVoice | None
    """the model with which voices are heard; None where they are not"""
