"""What a visitor may do: pick, choose a mood, end the visit, give feedback, steer the player, agree or decline."""

import io
from typing import Annotated

import segno
from fastapi import APIRouter, Body, Query
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import FeedbackGiven, SongPicked, expiry, utc_now
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import (
    MAX_SONGS,
    AskPlayer,
    ChooseMood,
    ClearFeedback,
    CommandPlayer,
    EndSession,
    FindMood,
    FindPath,
    FindSimilar,
    FourMoods,
    Goal,
    ListFeedback,
    OfferSongs,
)
from services.gateway.bodies import (
    ChosenMood,
    Consent,
    EndSessionBody,
    Feedback,
    OfferResult,
    Pick,
    PlayerCommand,
    Published,
    Result,
    ShortText,
    SimilarResult,
)
from services.gateway.calls import ask, publish
from services.gateway.context import Context
from services.gateway.openapi import SVG

PAUSE_AFTER_STOP_S = 20.0


class VisitorRoutes:
    """Answers of other services are passed on as they are, within a second."""

    def __init__(self, context: Context) -> None:
        self._bus, self._state, self._context = context.bus, context.state, context

    def router(self) -> APIRouter:
        router = APIRouter()
        add = router.add_api_route
        add("/picks", self.pick, methods=["POST"], status_code=202, response_model=Published, tags=["songs"])
        add("/moods", self.choose_mood, methods=["POST"], response_model=Result, tags=["moods"])
        add("/sessions/end", self.end_session, methods=["POST"], response_model=Result, tags=["sessions"])
        add(
            "/feedback",
            self.give_feedback,
            methods=["POST"],
            status_code=202,
            response_model=Published,
            tags=["feedback"],
        )
        add("/feedback", self.list_feedback, methods=["GET"], response_model=Result, tags=["feedback"])
        add("/feedback", self.clear_feedback, methods=["DELETE"], response_model=Result, tags=["feedback"])
        add("/songs/offer", self.offer, methods=["GET"], response_model=OfferResult, tags=["songs"])
        add("/songs/similar", self.similar, methods=["GET"], response_model=SimilarResult, tags=["songs"])
        add("/songs/mood", self.mood_of_song, methods=["GET"], response_model=Result, tags=["songs"])
        add("/songs/path", self.path, methods=["GET"], response_model=Result, tags=["songs"])
        add("/player", self.command_player, methods=["POST"], response_model=Result, tags=["player"])
        add("/player", self.player, methods=["GET"], response_model=Result, tags=["player"])
        add("/qr", self.code, methods=["GET"], response_class=Response, responses={200: SVG}, tags=["songs"])
        add("/consents", self.count_consent, methods=["POST"], status_code=204, tags=["sessions"])
        return router

    async def pick(self, body: Pick) -> JSONResponse:
        """A song of an open offer; the same pick again makes the same event."""
        offer = self._state.offers.get(body.offer_id)
        if offer is None or offer.event.expires_at < utc_now():
            raise HTTPException(404, "this offer is unknown or has expired")
        if body.song_id not in {song.id for song in offer.event.songs}:
            raise HTTPException(422, "song_id: not a song of this offer")
        if offer.picked not in (None, body.song_id):
            raise HTTPException(409, "another song of this offer was picked already")
        picked = SongPicked.following(
            offer.event,
            offer_id=offer.event.id,
            song_id=body.song_id,
            mood=offer.event.mood,
            by="visitor",
            expires_at=expiry(SongPicked),
        )
        with self._bus.traces.step("gateway pick", offer.event):
            answer = await publish(self._bus, picked)
        self._state.pick(picked.offer_id, picked.song_id)
        return answer

    async def choose_mood(self, body: ChosenMood) -> JSONResponse:
        """A mood chosen by hand, at a camera or with none."""
        return await ask(self._bus, ChooseMood(camera_id=self._camera(body.camera_id), mood=body.mood))

    async def end_session(self, body: Annotated[EndSessionBody | None, Body()] = None) -> JSONResponse:
        """The visit ends and is forgotten."""
        camera_id = self._camera(body.camera_id if body else None)
        answer = await ask(self._bus, EndSession(camera_id=camera_id))
        if camera_id == self._state.camera_id:  # whoever stops is still before the camera, and wants not to be seen
            answer.background = BackgroundTask(self._context.browser_cameras.pause_local, PAUSE_AFTER_STOP_S)
        return answer

    async def give_feedback(self, body: Feedback) -> JSONResponse:
        """Like, skip or wrong mood."""
        given = FeedbackGiven(
            kind=body.kind,
            song_id=body.song_id,
            mood=Mood(body.mood) if body.mood else None,
            session_id=self._state.session_of(self._camera(body.camera_id)),
            profile=body.profile,
        )
        return await publish(self._bus, given)

    async def list_feedback(self, camera_id: ShortText | None = None) -> JSONResponse:
        """What was said in the visit at a camera; profiles are for operators alone."""
        return await ask(self._bus, ListFeedback(session_id=self._visit(camera_id)))

    async def clear_feedback(self, camera_id: ShortText | None = None) -> JSONResponse:
        """Forget what was said in the visit at a camera."""
        return await ask(self._bus, ClearFeedback(session_id=self._visit(camera_id)))

    async def offer(self, mood: FourMoods) -> JSONResponse:
        """Five songs of a mood, others each time; no event comes of it."""
        return await ask(self._bus, OfferSongs(mood=mood))

    async def similar(
        self,
        id: ShortText,
        n: Annotated[int, Query(ge=1, le=MAX_SONGS)] = 10,
        mood: FourMoods | None = None,
    ) -> JSONResponse:
        """The songs nearest to one, best first, of one mood or of all."""
        return await ask(self._bus, FindSimilar(id=id, n=n, mood=mood))

    async def mood_of_song(self, id: ShortText) -> JSONResponse:
        """The mood of a song and its place on the circumplex."""
        return await ask(self._bus, FindMood(id=id))

    async def path(
        self,
        id: ShortText,
        goal: Goal,
        n: Annotated[int, Query(ge=1, le=MAX_SONGS)] = 10,
    ) -> JSONResponse:
        """Songs that lead from the mood of one to a goal."""
        return await ask(self._bus, FindPath(id=id, goal=goal, n=n))

    async def command_player(self, body: PlayerCommand) -> JSONResponse:
        """Pause, go on, next, volume, another device; `play` one of the ranked songs, which the queue follows.

        `ended` says that the page has played a song to its end.
        """
        if body.command == "play":
            return await self._play(body.song)
        return await ask(self._bus, CommandPlayer.of(body.model_dump(exclude_none=True)))

    async def _play(self, song_id: str | None) -> JSONResponse:
        """Next in the queue, and then now: what was to come still comes."""
        rankings = (view.ranking.ranking for view in self._state.cameras.values() if view.ranking)
        song = next((one.song for ranking in rankings for one in ranking if one.song.id == song_id), None)
        if song is None:
            raise HTTPException(404, "song: not one of the ranked songs")
        playing = self._state.playback is not None and self._state.playback.state in ("playing", "paused")
        answer = await ask(self._bus, CommandPlayer(command="queue", song=song))
        return await ask(self._bus, CommandPlayer(command="next")) if playing else answer

    async def player(self) -> JSONResponse:
        """What plays, what comes next, and what is needed."""
        return await ask(self._bus, AskPlayer())

    async def code(self, text: ShortText) -> Response:
        """A QR code of a short text as SVG: a song's address or names, for the camera of a phone."""
        picture = io.BytesIO()
        segno.make_qr(text, error="m").save(picture, kind="svg", border=2, dark="#000", light="#fff", xmldecl=False)
        return Response(picture.getvalue(), media_type="image/svg+xml")

    async def count_consent(self, body: Consent) -> Response:
        """One more visitor has agreed, declined or withdrawn; nothing else is kept."""
        now = self._context.opening_control.local_now()
        await self._context.consents.count(body.choice, body.by, now)
        return Response(status_code=204)

    def _camera(self, camera_id: str | None) -> str:
        return camera_id or self._state.camera_id

    def _visit(self, camera_id: str | None) -> str:
        session_id = self._state.session_of(self._camera(camera_id))
        if session_id is None:
            raise HTTPException(404, "nobody is visiting this camera")
        return session_id
