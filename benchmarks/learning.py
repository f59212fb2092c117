"""Does it help that a site learns? ``python -m benchmarks.learning [--visits 2000] [--catalogue FILE] [--hours]``.

Simulated visitors go through the real recommender over a real Redis, twice: learning and not, with the same visitors
and the same moods. A site's people like some music more than other: each visitor likes a song the better, the nearer it
lies to one of the site's few favourite songs. They call songs wrong that the crowd hears as another mood. Others like
at random. Reported: the share of offers in which a song is liked well enough to be picked, skips a visit, songs offered
that the crowd hears as wrong. Those who like at random like nothing better or worse, whatever they are offered, so for
them it is told, too, how well the songs fit the mood, and how many different ones there are.

With ``--hours`` two crowds of unrelated or opposed tastes share the site: one alone in the mornings of working days,
the other in company in the evenings of weekends. It is told, too, how it would be if a site did not go by these.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.events import NAMESPACE, FeedbackGiven, SongPicked, SongsOffered, SongsRanked, expiry
from moodstream.contracts.moods import MOODS, Mood
from services.cli.run.embedded_redis import embedded_redis
from services.recommender.catalogue.sample import take_sample
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.library import Library
from services.recommender.models.vectors import Floats
from tests.support.recommenders import Site, mood_changed, recommender

E = TypeVar("E", SongsOffered, SongsRanked)

FAVOURITES = 6
PICKY = 0.7
"""Quantile of liking from which on a song is picked."""
SKIPS_BELOW = 0.3
DISPUTED = 0.15
"""Share of the songs that the crowd hears as another mood than the model."""
PATIENCE_S = 20.0


@dataclass
class Crowd:
    """What the visitors of one site like, [n] from 0 to 1 by song, and which songs they hear as wrong."""

    library: Library
    seed: int
    fickle: bool
    liking: Floats = field(init=False)
    wrong: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        points = self.library.points
        favourites = points[random.choice(len(points), FAVOURITES, replace=False)]
        near = (0.5 ** (((points[:, None] - favourites[None]) ** 2).sum(axis=2) / self.library.typical)).max(axis=1)
        self.liking = np.argsort(np.argsort(near)) / len(near)
        self.wrong = random.random(len(points)) < DISPUTED


@dataclass
class Seen:
    """Counts over all visits."""

    visits: int = 0
    picked: int = 0
    skips: int = 0
    wrong: int = 0
    offered: int = 0
    fit: float = 0.0
    songs: set[str] = field(default_factory=set)
    later: list[tuple[bool, int]] = field(default_factory=list)


MOMENTS = (datetime(2026, 11, 27, 9, tzinfo=UTC), 1), (datetime(2026, 11, 28, 20, tzinfo=UTC), 3)
"""When the two crowds of ``--hours`` come, and in what number."""


async def one_visit(
    site: Site, crowds: Sequence[Crowd], number: int, seen: Seen, moments: Sequence[tuple[datetime, int]]
) -> None:
    which = number % len(crowds)
    crowd, (when, faces) = crowds[which], moments[which]
    random = np.random.default_rng((crowd.seed, number))
    site.session = str(uuid5(NAMESPACE, f"{crowd.seed} {number}"))
    mood = MOODS[int(random.integers(len(MOODS)))]
    told = {"at": when, "faces": faces} if len(crowds) > 1 else {}
    event = mood_changed(mood, site.session, phase="start", id=str(uuid5(UUID(site.session), "mood")), **told)
    await site.bus.publish(event)
    offer = await _following(site, SongsOffered, site.session)
    at = [crowd.library.catalogue.position(song.id) for song in offer.songs]
    liking = random.random(len(at)) if crowd.fickle else crowd.liking[at]
    wrong = np.zeros(len(at), bool) if crowd.fickle else crowd.wrong[at]
    best = int(np.argmax(np.where(wrong, -1, liking)))
    picks = liking[best] >= PICKY and not wrong[best]
    seen.visits, seen.offered, seen.wrong = seen.visits + 1, seen.offered + len(at), seen.wrong + int(wrong.sum())
    seen.picked += picks
    seen.fit += float(crowd.library.moods.memberships[at, MOODS.index(mood)].sum())
    seen.songs |= {song.id for song in offer.songs}
    for song in np.flatnonzero(wrong).tolist():
        await _say(site, "wrong_mood", offer.songs[song].id, mood)
    skips = 0
    if picks:
        await _pick(site, offer, best)
        ranking = await _following(site, SongsRanked, site.session)
        played = [crowd.library.catalogue.position(song.id) for song in ranking.play[:3]]
        for heard, place in zip(ranking.play[:3], played, strict=True):
            like = random.random() if crowd.fickle else crowd.liking[place]
            if like < SKIPS_BELOW:
                skips += 1
                await _say(site, "skip", heard.id, mood)
            elif like > PICKY:
                await _say(site, "like", heard.id, mood)
    seen.skips += skips
    seen.later.append((bool(picks), skips))
    await site.mood(Mood.NOBODY, phase="end")


async def _say(site: Site, kind: str, song_id: str, mood: Mood) -> None:
    said = {"kind": kind, "song_id": song_id, "session_id": site.session, "mood": mood}
    await site.publish_and_wait(FeedbackGiven.model_validate(said))


async def _pick(site: Site, offer: SongsOffered, place: int) -> None:
    pick = {"offer_id": offer.id, "song_id": offer.songs[place].id, "mood": offer.mood, "by": "visitor"}
    await site.bus.publish(
        SongPicked.model_validate(pick | {"session_id": site.session, "expires_at": expiry(SongPicked)})
    )


async def _following(site: Site, kind: type[E], session: str) -> E:
    """The newest event of a kind in this visit."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            entries = await site.bus.redis.xrevrange(site.bus.stream(kind), count=1)
            if entries:
                event = kind.model_validate_json(entries[0][1][b"__data__"])
                if event.session_id == session:
                    return event
            await asyncio.sleep(0.002)


async def one_site(path: Path, crowds: Sequence[Crowd], visits: int, *, learn: bool, blind: bool = False) -> Seen:
    """``blind``: the crowds differ as ever, but all visits are told to be at the same hour and alone."""
    seen = Seen()
    with embedded_redis() as url:
        async with recommender(url, path, learn=learn, heard_minutes=0, time_zone="UTC") as site:
            for number in range(visits):
                await one_visit(site, crowds, number, seen, MOMENTS[:1] * 2 if blind else MOMENTS)
    return seen


def report(name: str, seen: Seen) -> None:
    picked, skips = np.mean(seen.later[len(seen.later) // 2 :], axis=0)
    print(
        f"{name:<45} picked {seen.picked / seen.visits:.3f}, in the second half {picked:.3f};  "
        f"skips a visit {seen.skips / seen.visits:.3f}, in the second half {skips:.3f};  "
        f"wrong songs offered {seen.wrong / seen.offered:.3f};  "
        f"membership in the mood {seen.fit / seen.offered:.3f}, {len(seen.songs)} different songs",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=2000)
    parser.add_argument("--who", choices=("taste", "random"), help="these visitors alone")
    tastes = ("unrelated", "opposed")
    parser.add_argument("--hours", choices=tastes, help="two crowds of such tastes, by the hour and the day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalogue", type=Path, help="default: the sample catalogue")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = given.catalogue or Path(folder) / "catalogue.parquet"
        if given.catalogue is None:
            take_sample(path)
        library = Library.build(Catalogue.load(path))
        print(f"{len(library.catalogue)} songs, {given.visits} visits each, seed {given.seed}")
        for fickle in (False, True):
            if given.who == ("taste" if fickle else "random"):
                continue
            crowds = [Crowd(library, given.seed + number, fickle) for number in range(2 if given.hours else 1)]
            if given.hours == "opposed":
                crowds[1].liking = 1 - crowds[0].liking
            ways = {"not learning": (False, False), "learning": (True, False)}
            if given.hours:
                ways["learning, all hours alike"] = (True, True)
            for name, (learn, blind) in ways.items():
                seen = asyncio.run(one_site(path, crowds, given.visits, learn=learn, blind=blind))
                report(f"{'who like at random' if fickle else 'with a taste'}, {name}", seen)


if __name__ == "__main__":
    main()
