"""What a visitor may do: pick, choose a mood, end the visit, give feedback, steer the player, agree or decline."""

import io
import logging
from typing import Annotated
from uuid import uuid5

import segno
from fastapi import APIRouter, Body, Query
from redis.exceptions import RedisError
from starlette.background import BackgroundTasks
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from moodstream.contracts.events import FeedbackGiven, Song, SongPicked, SongsRanked, expiry, utc_now, uuid_of
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import (
    MAX_HISTORY,
    MAX_SONGS,
    AskPlayer,
    ChooseMood,
    ClearFeedback,
    CommandPlayer,
    EndSession,
    FindMood,
    FindNext,
    FindPath,
    FindSimilar,
    FourMoods,
    Goal,
    ListFeedback,
    OfferSongs,
    RenewOffer,
    SearchSongs,
)
from moodstream.errors import MoodstreamError, NoAnswer
from services.gateway.bodies import (
    CameraName,
    ChosenMood,
    Consent,
    EndSessionBody,
    Feedback,
    NextResult,
    OfferResult,
    Pick,
    PlayerCommand,
    Published,
    Result,
    SearchResult,
    ShortText,
    SimilarResult,
    WantedOffer,
)
from services.gateway.calls import ask, ask_service, publish
from services.gateway.context import Context
from services.gateway.guard import address_of
from services.gateway.openapi import SVG
from services.gateway.routes.places import place_of
from shared.web.rate_limit import Limits

log = logging.getLogger("moodstream.gateway")

PAUSE_AFTER_STOP_S = 20.0
SEARCH_S = 5.0
"""The first search in a catalogue makes its index."""
MOODS_PER_S, MOODS_BURST = 0.5, 30
"""Of one address."""


class VisitorRoutes:
    """Answers of other services are passed on as they are, within a second."""

    def __init__(self, context: Context) -> None:
        self._bus, self._state, self._context = context.bus, context.state, context
        self._by_hand = Limits(MOODS_PER_S, MOODS_BURST)

    def router(self) -> APIRouter:
        router = APIRouter()
        add = router.add_api_route
        add("/picks", self.pick, methods=["POST"], status_code=202, response_model=Published, tags=["songs"])
        add("/offers", self.renew_offer, methods=["POST"], response_model=Result, tags=["songs"])
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
        add("/songs/next", self.next_songs, methods=["GET"], response_model=NextResult, tags=["songs"])
        add("/songs/mood", self.mood_of_song, methods=["GET"], response_model=Result, tags=["songs"])
        add("/songs/search", self.search, methods=["GET"], response_model=SearchResult, tags=["songs"])
        add("/songs/path", self.path, methods=["GET"], response_model=Result, tags=["songs"])
        add("/player", self.command_player, methods=["POST"], response_model=Result, tags=["player"])
        add("/player", self.player, methods=["GET"], response_model=Result, tags=["player"])
        add("/qr", self.code, methods=["GET"], response_class=Response, responses={200: SVG}, tags=["songs"])
        add("/consents", self.count_consent, methods=["POST"], status_code=204, tags=["sessions"])
        return router

    async def pick(self, body: Pick) -> JSONResponse:
        """A song of an open offer or of the ranking after it; the same pick again makes the same event."""
        ranking = self._state.ranking_of(body.offer_id)
        if ranking is not None and body.song_id in {entry.song.id for entry in ranking.ranking}:
            return await self._pick_ranked(ranking, body.song_id)
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
        with self._bus.traces.step("gateway", "pick", offer.event):
            answer = await publish(self._bus, picked)
        self._state.pick(picked.offer_id, picked.song_id)
        return answer

    async def renew_offer(self, body: WantedOffer) -> JSONResponse:
        """A visit goes on choosing: among the songs that it is offered, for another 90 seconds, or among others."""
        camera_id = place_of(self._state, body.camera_id)
        view = self._state.cameras.get(camera_id)
        offer = view.offer if view is not None and view.offer is not None and view.offer.mood == body.mood else None
        wanted = RenewOffer(
            session_id=self._visit(body.camera_id),
            camera_id=camera_id,
            mood=body.mood,
            songs=tuple(song.id for song in offer.songs) if offer else (),
            other=body.other,
        )
        return await ask(self._bus, wanted)

    async def _pick_ranked(self, ranking: SongsRanked, song_id: str) -> JSONResponse:
        """Each song of a ranking may be picked; what follows is a ranking by that one."""
        picked = SongPicked.following(
            ranking,
            id=str(uuid5(uuid_of(ranking.id), f"{SongPicked.__name__}/{song_id}")),
            offer_id=ranking.offer_id,
            song_id=song_id,
            mood=ranking.mood,
            by="visitor",
            expires_at=expiry(SongPicked),
        )
        with self._bus.traces.step("gateway", "pick", ranking):
            return await publish(self._bus, picked)

    async def choose_mood(self, body: ChosenMood, request: HttpRequest) -> JSONResponse:
        """A mood chosen by hand, at a camera or with none."""
        if wait_s := self._by_hand.take(address_of(request)):
            # each is an event that is kept: nobody pushes the moods of a month out of their stream
            raise HTTPException(429, "too many moods; try again in a moment", {"Retry-After": f"{max(1, wait_s):.0f}"})
        return await ask(self._bus, ChooseMood(camera_id=place_of(self._state, body.camera_id), mood=body.mood))

    async def end_session(self, body: Annotated[EndSessionBody | None, Body()] = None) -> JSONResponse:
        """The visit ends and is forgotten; with its session id, the music that it brought fades out, too."""
        camera_id, session_id = (body.camera_id, body.session_id) if body else (None, None)
        if camera_id is None or not self._state.has_gone(camera_id):  # a browser's camera goes at the same moment
            camera_id = place_of(self._state, camera_id)
        answer = await ask(self._bus, EndSession(camera_id=camera_id))
        after = answer.background = BackgroundTasks()
        if camera_id == self._state.camera_id:  # whoever stops is still before the camera, and wants not to be seen
            after.add_task(self._context.browser_cameras.pause_local, PAUSE_AFTER_STOP_S)
        if session_id is not None:
            after.add_task(self._stop_music, session_id)
        return answer

    async def _stop_music(self, session_id: str) -> None:
        """Of this visit; others hear theirs."""
        try:
            await self._bus.ask(CommandPlayer(command="stop", session_id=session_id))
        except (RedisError, OSError, MoodstreamError) as error:
            log.warning("the music of a visit that ended was not stopped: %s", error)

    async def give_feedback(self, body: Feedback) -> JSONResponse:
        """Like, skip or wrong mood, of a song of the catalogue."""
        if body.song_id is not None:
            await self._refuse_unknown(body.song_id)
        given = FeedbackGiven(
            kind=body.kind,
            song_id=body.song_id,
            mood=Mood(body.mood) if body.mood else None,
            session_id=self._state.session_of(place_of(self._state, body.camera_id)),
            profile=body.profile,
        )
        return await publish(self._bus, given)

    async def _refuse_unknown(self, song_id: str) -> None:
        """Raises HTTPException for a song that is not in the catalogue; where nobody can tell, it is taken as known."""
        try:
            await self._bus.ask(FindMood(id=song_id))
        except NoAnswer:
            return
        except MoodstreamError as error:
            raise HTTPException(404, str(error)) from None

    async def list_feedback(self, camera_id: CameraName | None = None) -> JSONResponse:
        """What was said in the visit at a camera; profiles are for operators alone."""
        return await ask(self._bus, ListFeedback(session_id=self._visit(camera_id)))

    async def clear_feedback(self, camera_id: CameraName | None = None) -> JSONResponse:
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

    async def next_songs(
        self,
        id: Annotated[list[ShortText], Query(min_length=1, max_length=MAX_HISTORY)],
        n: Annotated[int, Query(ge=1, le=MAX_SONGS)] = 10,
        mood: FourMoods | None = None,
    ) -> JSONResponse:
        """What comes next after some songs that were heard, the oldest first; of one mood or of all."""
        return await ask(self._bus, FindNext(ids=tuple(id), n=n, mood=mood))

    async def mood_of_song(self, id: ShortText) -> JSONResponse:
        """The mood of a song and its place on the circumplex."""
        return await ask(self._bus, FindMood(id=id))

    async def search(self, text: ShortText, n: Annotated[int, Query(ge=1, le=MAX_SONGS)] = 10) -> JSONResponse:
        """Songs by title and artist; accents and small mistakes do not matter."""
        return await ask(self._bus, SearchSongs(text=text, n=n), SEARCH_S)

    async def path(
        self,
        id: ShortText,
        goal: Goal,
        n: Annotated[int, Query(ge=1, le=MAX_SONGS)] = 10,
    ) -> JSONResponse:
        """Songs that lead from the mood of one to a goal."""
        return await ask(self._bus, FindPath(id=id, goal=goal, n=n))

    async def command_player(self, body: PlayerCommand, request: HttpRequest) -> JSONResponse:
        """Play or queue a song of the catalogue, pause, go on, next, volume.

        After a ranked song that is played, those that were to come still come. `ended` says that the page has played a
        song to its end. Another device (`transfer`) is the operator's: where music plays is not a visitor's to choose.
        """
        if body.command == "transfer":
            self._context.operator.admit(request)
        fields = body.model_dump(exclude_none=True)
        if body.command in ("play", "queue"):
            if body.song is None:
                raise HTTPException(422, "song: the id of a song of the catalogue is needed")
            if body.command == "play" and (ranked := self._ranked(body.song)) is not None:
                return await self._play(ranked)
            # Only the id comes from outside: an address could name any file or host.
            known = await ask_service(self._bus, FindMood(id=body.song))
            fields["song"] = known.song.model_dump(mode="json") if known.song else None
        return await ask(self._bus, CommandPlayer.of(fields))

    def _ranked(self, song_id: str) -> Song | None:
        """The song, if it stands in a ranking that is open."""
        rankings = (view.ranking.ranking for view in self._state.cameras.values() if view.ranking)
        return next((one.song for ranking in rankings for one in ranking if one.song.id == song_id), None)

    async def _play(self, song: Song) -> JSONResponse:
        """Next in the queue, and then now: what was to come still comes."""
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
        """One more visitor has agreed, declined, stopped or withdrawn; nothing else is kept."""
        now = self._context.opening_control.local_now()
        if body.to == "voice":
            await self._context.consents.count_voice(body.choice, now)
        else:
            await self._context.consents.count(body.choice, body.by, now)
        return Response(status_code=204)

    def _visit(self, camera_id: str | None) -> str:
        session_id = self._state.session_of(place_of(self._state, camera_id))
        if session_id is None:
            raise HTTPException(404, "nobody is visiting this camera")
        return session_id
