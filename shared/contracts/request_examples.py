"""A request of each kind with its reply, for the pages and for tests; the songs are invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, JsonValue

from moodstream.contracts.events import Because, RankedSong, ReplyGiven, RequestMade, Song
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import (
    AskCamera,
    AskImport,
    AskPlayer,
    CameraPaused,
    CameraStatus,
    CancelImport,
    CheckMoodSettings,
    CheckPlayerSettings,
    CheckSongSettings,
    ChooseMood,
    ClearFeedback,
    CommandPlayer,
    Device,
    Devices,
    EndSession,
    FeedbackCleared,
    FeedbackList,
    FindMood,
    FindNext,
    FindPath,
    FindSimilar,
    ForgetLearned,
    FoundSong,
    LearnedForgotten,
    LearnedSong,
    LearnedSongs,
    ListDevices,
    ListFeedback,
    ListLearned,
    MoodOfSong,
    NextSong,
    NextSongs,
    OfferRenewed,
    OfferSongs,
    PauseCamera,
    PlayerState,
    PlayerStatus,
    RenewOffer,
    Request,
    SearchSongs,
    Session,
    SimilarSongs,
    SiteSetting,
    SiteSettings,
    SongPath,
    SongsFound,
    SongsImport,
    SongsOfMood,
    StartImport,
)

HARBOUR = Song(
    id="simulated-7",
    title="Harbour Kite",
    artist="Ola Verano",
    genre="pop",
    valence=0.41,
    arousal=-0.37,
    duration_ms=214_000,
)
LANTERN = Song(id="simulated-12", title="Lantern River", artist="Plum Radio", genre="pop")
VISIT = "00000000-0000-4000-8000-000000000003"
GOAL = SiteSetting(
    name="goal",
    variable="MOODSTREAM_GOAL",
    value="match",
    default="match",
    set_by="default",
    control="choice",
    choices=("match", "lift", "calm"),
    live=True,
    meaning="Where the music leads.",
)
QUIETEST = SiteSetting(
    name="volume_min",
    variable="MOODSTREAM_VOLUME_MIN",
    value=20,
    default=0,
    set_by="file",
    control="number",
    minimum=0,
    maximum=100,
    live=True,
    meaning="Minimum volume, percent.",
)
START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Example:
    request: Request[Any]
    reply: BaseModel

    def made(self) -> dict[str, JsonValue]:
        """What a program writes to ask; it may leave out all other fields of ``RequestMade``."""
        return {"id": "asked-1", "kind": self.request.KIND, "body": self.request.made().body}

    def given(self) -> ReplyGiven:
        """What the service answers."""
        made = RequestMade(id="asked-1", kind=self.request.KIND, expires_at=START, trace_id=VISIT)
        result = self.reply.model_dump(mode="json")
        return ReplyGiven.following(made, at=START, request_id=made.id, result=result)


EXAMPLES: Sequence[Example] = (
    Example(OfferSongs(mood="calm"), SongsOfMood(mood=Mood.CALM, songs=(HARBOUR, LANTERN))),
    Example(
        RenewOffer(session_id=VISIT, camera_id="camera-1", mood="calm", songs=(HARBOUR.id, LANTERN.id)),
        OfferRenewed(offer_id="00000000-0000-4000-8000-000000000004"),
    ),
    Example(
        FindSimilar(id=HARBOUR.id, n=1),
        SimilarSongs(
            id=HARBOUR.id,
            ranking=(RankedSong(song=LANTERN, similarity=0.93, reason="Same tempo, a little softer."),),
        ),
    ),
    Example(
        FindNext(ids=(HARBOUR.id,), n=1),
        NextSongs(
            ids=(HARBOUR.id,),
            ranking=(NextSong(song=LANTERN, score=1.4, because=(Because(song=HARBOUR, kind="picked", weight=1.1),)),),
        ),
    ),
    Example(FindPath(id=HARBOUR.id, goal="lift", n=1), SongPath(id=HARBOUR.id, goal="lift", songs=(LANTERN,))),
    Example(
        FindMood(id=HARBOUR.id),
        MoodOfSong(
            id=HARBOUR.id,
            mood=Mood.CALM,
            valence=0.41,
            arousal=-0.37,
            memberships={"angry": 0.05, "happy": 0.2, "sad": 0.15, "calm": 0.6},
            margin=0.4,
            song=HARBOUR,
        ),
    ),
    Example(
        SearchSongs(text="harbor kite", n=1),
        SongsFound(text="harbor kite", found=(FoundSong(song=HARBOUR, mood=Mood.CALM, exact=False),)),
    ),
    Example(
        ListFeedback(session_id=VISIT),
        FeedbackList(feedback=({"kind": "like", "song_id": HARBOUR.id, "mood": "calm", "at": START.timestamp()},)),
    ),
    Example(ClearFeedback(session_id=VISIT), FeedbackCleared(cleared=1)),
    Example(
        ListLearned(),
        LearnedSongs(
            learns=True,
            songs=(
                LearnedSong(
                    id=HARBOUR.id, mood=Mood.CALM, song=HARBOUR, taken=3.5, heard=1, refused=0, wrong=2, kept_out=False
                ),
            ),
        ),
    ),
    Example(ForgetLearned(id=HARBOUR.id), LearnedForgotten(forgotten=1)),
    Example(ChooseMood(camera_id="camera-1", mood="calm"), Session(session_id=VISIT)),
    Example(EndSession(camera_id="camera-1"), Session(session_id=VISIT)),
    Example(PauseCamera(camera_id="camera-1", seconds=60), CameraPaused(camera_id="camera-1")),
    Example(AskCamera(camera_id="camera-1"), CameraStatus(camera_id="camera-1", state="online", frames=4711)),
    Example(
        CommandPlayer(command="volume", percent=40),
        PlayerState(state="playing", output="mpd", song=HARBOUR, volume=40),
    ),
    Example(
        AskPlayer(),
        PlayerStatus(state="playing", output="mpd", song=HARBOUR, volume=40, coming=(LANTERN,), missing=()),
    ),
    Example(ListDevices(), Devices((Device(id="1", name="Kitchen", active=True),))),
    Example(CheckSongSettings(values={"goal": "lift"}), SiteSettings(settings=(GOAL,))),
    Example(CheckPlayerSettings(), SiteSettings(settings=(QUIETEST,))),
    Example(CheckMoodSettings(), SiteSettings(settings=())),
    Example(AskImport(), SongsImport(state="none", songs=5_512)),
    Example(
        StartImport(source="folder", path="/srv/music", name="music"),
        SongsImport(state="running", source="folder", name="music", done=7, total=20, songs=5_512),
    ),
    Example(CancelImport(), SongsImport(state="cancelled", source="folder", name="music", songs=5_512)),
)
