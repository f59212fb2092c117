"""Two recommenders learn as one, and lose nothing when one of them is killed again and again. Real processes."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

from moodstream.contracts.events import FeedbackGiven, SongPicked, SongsOffered, SongsRanked, expiry
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import LearnedSongs
from services.cli.run.embedded_redis import embedded_redis
from services.recommender.catalogue.table import Catalogue
from tests.support.asking import ask
from tests.support.processes import Part, running
from tests.support.random_songs import saved
from tests.support.recommenders import mood_changed, site, until

VISITS = 60
KILL_EVERY = 15


async def test_what_sixty_visits_said_is_counted_once_though_a_recommender_is_killed(tmp_path: Path) -> None:
    path = saved(tmp_path, 200)
    wrong, taken = (str(one) for one in Catalogue.load(path).frame["id"][:2])
    with embedded_redis() as url:
        parts = [
            Part(name, "services.recommender.main", tmp_path, url, catalogue=str(path), learn="true")
            for name in ("one", "two")
        ]
        with running(*parts):
            async with site(url) as around:
                await around.bus.redis.ping()
                visits = [str(uuid4()) for _ in range(VISITS)]
                for number, visit in enumerate(visits):
                    await around.bus.publish(mood_changed(Mood.CALM, visit, phase="start"))
                    said = {"kind": "wrong_mood", "song_id": wrong, "session_id": visit, "mood": Mood.CALM}
                    await around.bus.publish(FeedbackGiven.model_validate(said))
                    pick = {"offer_id": visit, "song_id": taken, "mood": Mood.CALM, "by": "visitor"}
                    picked = SongPicked.model_validate(pick | {"session_id": visit, "expires_at": expiry(SongPicked)})
                    await around.bus.publish(picked)
                    await around.bus.publish(picked)
                    if number % KILL_EVERY == KILL_EVERY - 1:
                        parts[number // KILL_EVERY % 2].send(signal.SIGKILL)
                    await asyncio.sleep(0.02)

                async def all_said() -> bool:
                    reply = await ask(around.bus, "learned.list", {}, 20)
                    songs = {one.id: one for one in LearnedSongs.model_validate(reply.result).songs}
                    known = wrong in songs and taken in songs
                    return known and round(songs[wrong].wrong) == round(songs[taken].taken) == VISITS

                await until(all_said, 60)
                await asyncio.sleep(6)  # what a killed one had in hand is given to the other after five seconds
                assert await all_said(), "nothing is counted twice"

                second = {"offer_id": visits[0], "song_id": wrong, "mood": Mood.CALM, "by": "visitor"}
                again = SongPicked.model_validate(second | {"session_id": visits[0], "expires_at": expiry(SongPicked)})
                before = len(await around.all(SongsRanked))
                await around.bus.publish(again)

                async def one_more() -> bool:
                    return len(await around.all(SongsRanked)) > before

                await until(one_more, 30)
                ranking = (await around.all(SongsRanked))[-1]
                assert {one.song.id for entry in ranking.ranking for one in entry.because} == {wrong, taken}
                assert len(await around.all(SongsOffered)) >= VISITS
        assert [end.code for part in parts for end in part.ends].count(-signal.SIGKILL) >= VISITS // KILL_EVERY
