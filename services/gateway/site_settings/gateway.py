"""The settings of the gateway, and what follows from them."""

from datetime import tzinfo
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from moodstream.contracts.ids import CameraId
from services.gateway.look.folder import LookFolder
from services.gateway.origins import parse_origins
from services.gateway.pictures.guest_frames import MAX_FRAMES_PER_S
from services.gateway.state.kiosk import Consent, HeardVoice, Kiosk, Language, Law, Theme
from services.gateway.state.opening_hours import OpeningHours, parse_opening_hours
from services.gateway.uploads.storage import Uploads
from shared.contracts.mounting_view import PREVIEW_TEXT, Preview
from shared.contracts.sounds import COMMANDS_TEXT, MICROPHONE_TEXT, VOICE_TEXT, Voice
from shared.settings import AUTO_TEXT, CAMERA_ID, CAMERA_ID_TEXT
from shared.site_file import LIVE
from shared.time_zones import TIME_ZONE_TEXT, time_zone_of
from shared.web.operator import OperatorSettings


class GatewaySettings(OperatorSettings):
    """Settings of the gateway."""

    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 lets the system choose one.")
    camera_id: CameraId = Field(CAMERA_ID, description=CAMERA_ID_TEXT)
    browser_camera: bool = Field(True, description="Let visitors use the camera of their own device.")
    browser_cameras_max: int = Field(
        4, ge=1, description="Maximum number of browsers that send pictures at the same time."
    )
    browser_frame_rate: float = Field(
        10, gt=0, le=MAX_FRAMES_PER_S, description="Pictures per second that a browser is asked to send."
    )
    words: bool = Field(True, description="Let visitors write how they feel; the text is read once and not kept.")
    voice: Voice = Field("off", description=VOICE_TEXT)
    voice_commands: bool = Field(False, description=COMMANDS_TEXT)
    microphone: str = Field("", description=MICROPHONE_TEXT)
    music: Path | None = Field(
        None,
        json_schema_extra=LIVE,
        description="Folder of sound files that the page may play: songs with the address file:PATH, relative to it. "
        "Default: the files that were uploaded, in `music` beside the file of the site's settings.",
    )
    spotify_embed: bool = Field(
        False,
        description="Let the page show Spotify's own player for songs that Spotify has (player browser); visitors' "
        "browsers then contact Spotify.",
    )
    consent: Consent | None = Field(
        None,
        description="How visitors consent before their mood is shown: by a touch (`touch`) or by staying after the "
        "notice (`stay`). Default: stay where songs are picked automatically, otherwise touch.",
    )
    consent_stay_s: float = Field(8, ge=3, le=120, description="Seconds a visitor must stay to agree by staying.")
    idle_s: float = Field(60, ge=5, description="Seconds without a face or a touch before the page asks who is there.")
    still_there_s: float = Field(15, ge=3, description="Seconds without an answer before the page starts over.")
    goodbye_s: float = Field(6, ge=0, le=60, description="Seconds that the goodbye stays on the page.")
    language: Language | None = Field(
        None,
        json_schema_extra=LIVE,
        description="Language of the page for a new visitor: en, de, fr, es, ja or ar; when not set: the browser's.",
    )
    theme: Theme = Field(
        "dark", description="Colours of the page: dark, light, or auto, which goes by the browser's preference."
    )
    rest_after_s: float = Field(
        600,
        ge=0,
        description="Seconds without a visitor before the page darkens and moves, to protect the screen; 0: never.",
    )
    auto: bool = Field(False, description=AUTO_TEXT)
    preview: Preview = Field("outline", description=PREVIEW_TEXT)
    site_name: str = Field(
        "",
        max_length=80,
        json_schema_extra=LIVE,
        description="Name of the place or of who runs it, on the page and on the notice to print.",
    )
    site_contact: str = Field(
        "",
        max_length=160,
        json_schema_extra=LIVE,
        description="Whom visitors may ask or object to, on the notice to print: a name, an e-mail or postal address.",
    )
    site_law: Law | None = Field(
        None,
        json_schema_extra=LIVE,
        description="Which law holds here: eu (European Union, EEA) or other; the notice to print and the report go by "
        "it. When not set: the same notice as with other.",
    )
    site_colour: str = Field(
        "",
        pattern="^(#[0-9a-fA-F]{6})?$",
        json_schema_extra=LIVE,
        description="Colour of the page while nobody is there, #rrggbb; as light or dark as the page needs it.",
    )
    opening_hours: str = Field(
        "",
        json_schema_extra=LIVE,
        description="When the site is open: mo-fr 09:00-18:00; sa 10:00-14:00; 2026-12-25 closed. Empty: always.",
    )
    time_zone: str = Field("", json_schema_extra=LIVE, description=TIME_ZONE_TEXT)
    listeners_per_address: int = Field(
        400, ge=1, description="Maximum number of listeners to the events from one address."
    )

    update_private: bool = Field(
        False,
        description="Whether the address of MOODSTREAM_UPDATE_URL may be one of your own network, and begin with http://.",
    )
    update_url: str = Field(
        "",
        max_length=500,
        json_schema_extra=LIVE,
        description="Address that is asked once a day for the newest version, such as "
        "https://pypi.org/pypi/moodstream/json. Empty: nobody is asked.",
    )
    origins: str = Field(
        "",
        description="Other web sites whose pages may listen to events, send choices and embed the page, such as "
        "http://homeassistant.local:8123, separated by spaces; empty: none.",
    )

    @field_validator("update_url")
    @classmethod
    def _update_url(cls, address: str, made: ValidationInfo) -> str:
        parts = urlsplit(address)
        schemes = ("https", "http") if made.data.get("update_private") else ("https",)
        wrong = parts.scheme not in schemes or not parts.hostname or bool(parts.username)
        if address and (wrong or any(ord(letter) <= 32 for letter in address)):
            raise ValueError("an address begins with https:// and has no name and password")
        return address

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: str) -> str:
        parse_origins(origins)
        return origins

    def kiosk(self) -> Kiosk:
        return Kiosk(
            consent=self.consent or ("stay" if self.auto else "touch"),
            stay_s=self.consent_stay_s,
            idle_s=self.idle_s,
            still_there_s=self.still_there_s,
            goodbye_s=self.goodbye_s,
            auto=self.auto,
            spotify_embed=self.spotify_embed,
            language=self.language,
            name=self.site_name,
            contact=self.site_contact,
            law=self.site_law,
            colour=self.site_colour,
            theme=self.theme,
            rest_after_s=self.rest_after_s,
            pictures_on_disk=self.frames_on_disk,
            words=self.words,
            voice=self.heard_voice,
            voice_commands=self.voice_commands and self.heard_voice is not None,
            microphone=bool(self.microphone) and self.heard_voice is not None,
        )

    @property
    def heard_voice(self) -> HeardVoice | None:
        return None if self.voice == "off" else self.voice

    @property
    def music_folder(self) -> Path:
        """Of the songs that the page plays."""
        return self.music or self.uploads.music

    @property
    def uploads(self) -> Uploads:
        """Beside the file of the site's settings."""
        return Uploads(self.site_settings.parent)

    @property
    def look(self) -> LookFolder:
        """Beside the file of the site's settings."""
        return LookFolder(self.site_settings.parent / "look")

    def hours(self) -> tuple[OpeningHours | None, tzinfo]:
        """Raises SettingError."""
        zone = time_zone_of(self.time_zone)
        return parse_opening_hours(self.opening_hours, zone), zone
