"""What the songs issue promises, measured: ``python -m benchmarks.songs [--data FOLDER] [--large]``.

Prints, in one run: listening to music, the import, feedback replayed by synthetic listeners, the time of a ranking in
catalogues of 42 thousand, 1 million and, with ``--large``, 10 million synthetic songs, and agreement with playlists and
listeners on parts of the reference data that are kept aside (fitting each anew, which takes a few minutes).
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np

from moodstream.contracts.moods import MOODS
from services.recommender.catalogue.importers import import_songs
from services.recommender.catalogue.listening import listen
from services.recommender.catalogue.sound_file import RATE, read_excerpt
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.after_history import MAX_PER_ARTIST
from services.recommender.choice.library import Library
from services.recommender.choice.preferences import Preferences
from services.recommender.choice.ranking import Distance
from services.recommender.models.ears import Ears
from services.recommender.models.vectors import INPUTS, Embedding, Floats, Scales

LISTENERS = 200
ROUNDS = 12
OFTEN = 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "songs")
    parser.add_argument("--large", action="store_true", help="10 million songs, too: 6 GB of memory")
    parser.add_argument("--no-fitting", action="store_true", help="leave out what fits models anew")
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; times are of the processor unless said otherwise")
    listening(given.data.parent / "music")
    catalogue = imports(given.data / "catalogue.csv.gz")
    library = Library.build(catalogue)
    in_service(library)
    feedback(library)
    indices(catalogue, [42_000, 1_000_000] + ([10_000_000] if given.large else []))
    if not given.no_fitting:
        models(given.data)


def imports(path: Path) -> Catalogue:
    import_songs(path)  # once for what is loaded and compiled at first
    begun, wall = time.process_time(), time.perf_counter()
    catalogue, report = import_songs(path)
    took, waited = time.process_time() - begun, time.perf_counter() - wall
    print(f"\nimport of {report.rows:,} rows: {took:.2f} s (by the wall's clock {waited:.2f} s)")
    return catalogue


def listening(folder: Path, songs: int = 5, length_s: int = 210) -> None:
    """`songs scan`: MP3 files of three and a half minutes, stereo, 44.1 kHz, made of the clips there."""
    ears = Ears.load()
    with tempfile.TemporaryDirectory() as scratch:
        files = [
            _lengthened(clip, Path(scratch, f"{clip.stem}.mp3"), length_s) for clip in sorted(folder.iterdir())[:songs]
        ]
        listen(files[0], ears)
        begun = time.process_time()
        faults = [heard.fault for file in files if (heard := listen(file, ears)).fault]
        took = time.process_time() - begun
    print(
        f"\nscan: {60 * songs / took:.0f} songs a minute a core ({took / songs:.2f} s a song), {len(faults)} not heard"
    )


def _lengthened(clip: Path, target: Path, length_s: int) -> Path:
    """The clip over and over."""
    sound = read_excerpt(clip).sound
    sound = np.tile(sound, 1 + length_s * RATE // len(sound))[: length_s * RATE]
    with av.open(str(target), "w") as file:
        stream: Any = file.add_stream("libmp3lame", rate=44_100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([sound, sound]), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        for part in av.AudioResampler(format=stream.format, layout="stereo", rate=44_100).resample(frame):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return target


def in_service(library: Library) -> None:
    """As the service asks: ten songs of the mood with reasons, of each artist two at most; and five to offer."""
    random = np.random.default_rng(0)
    ids = library.catalogue.frame["id"].tolist()
    asked = [ids[at] for at in random.integers(0, len(ids), OFTEN)]
    moods = [library.moods.mood(library.catalogue.position(song)) for song in asked]
    for song, mood in zip(asked[:200], moods, strict=False):
        library.similar(song, 10, mood, per_artist=MAX_PER_ARTIST)
    gc.freeze()
    mixed = partial(library.similar, per_artist=MAX_PER_ARTIST)
    times = timed([partial(mixed, song, 10, mood) for song, mood in zip(asked, moods, strict=True)])
    print(f"\nranking of 10 with reasons, {len(ids):,} real songs, in their mood: {spread(times)}")
    causes = [str(UUID(int=number)) for number in range(len(asked))]
    times = timed([partial(library.offer, mood, cause) for mood, cause in zip(moods, causes, strict=True)])
    print(f"offer of 5 songs: {spread(times)}")


def indices(catalogue: Catalogue, sizes: Sequence[int]) -> None:
    """Synthetic songs: real ones with a little noise on every feature, so that they cluster as songs do."""
    embedding = Embedding.load()
    for size in sizes:
        points = embedding.points(synthetic(catalogue.inputs, size))
        before, begun = resident_mb(), time.process_time()
        ranking = Distance(points, embedding.typical, np.arange(size))
        built = time.process_time() - begun
        took = nearest_of(ranking, np.random.default_rng(1).integers(0, size, OFTEN).tolist())
        memory = points.nbytes / 2**20 + resident_mb() - before
        made = f"built in {built:.1f} s, {memory:.0f} MB for points and tree"
        print(f"ranking of 10 among {size:>10,} synthetic songs: {spread(took)}; {made}", flush=True)
        del points, ranking
        gc.collect()


def nearest_of(ranking: Distance, asked: Sequence[int]) -> Floats:
    for at in asked[:200]:
        ranking.nearest(at, 10)
    return timed([partial(ranking.nearest, at, 10) for at in asked])


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def synthetic(numbers: Floats, size: int) -> Floats:
    random = np.random.default_rng(0)
    scales = Scales.fit(numbers)
    rows = numbers[random.integers(0, len(numbers), size)]
    noisy = rows + 0.1 * scales.deviation * random.standard_normal(rows.shape)
    for whole in ("key", "mode"):
        noisy[:, INPUTS.index(whole)] = rows[:, INPUTS.index(whole)]
    return np.asarray(noisy.clip(numbers.min(axis=0), numbers.max(axis=0)))


def timed(calls: Sequence[Callable[[], object]]) -> Floats:
    """Milliseconds of the processor each call took: what others do on this machine does not count."""
    times = []
    for call in calls:
        begun = time.thread_time_ns()
        call()
        times.append((time.thread_time_ns() - begun) / 1e6)
    return np.array(times)


def spread(times: Floats) -> str:
    half, most = np.quantile(times, [0.5, 0.99])
    return f"p50 {half:.2f} ms, p99 {most:.2f} ms"


def feedback(library: Library) -> None:
    """Listeners who like what is near a secret song, and say so about what they hear; half of them at random instead.

    The worth of an offer is how much its songs are to the listener's liking, of a ranking how good its first song is.
    """
    random = np.random.default_rng(2)
    for kind in ("with a taste", "fickle (likes at random)"):
        gains = np.array([one_listener(library, random, kind.startswith("with")) for _ in range(LISTENERS)])
        offers, rankings = 100 * (gains.mean(axis=0) - 1)
        low = 100 * (np.quantile(gains.mean(axis=1), 0.05) - 1)
        print(
            f"feedback, {LISTENERS} listeners {kind}: offers {offers:+.1f} %, first of the ranking {rankings:+.1f} %;"
        )
        print(f"  of a twentieth of them the mean of both is below {low:+.1f} %", flush=True)


def one_listener(library: Library, random: np.random.Generator, consistent: bool) -> tuple[float, float]:
    """What feedback changed, as ratios: liking of the songs offered, liking of the first song ranked."""
    count = len(library.catalogue)
    secret = library.points[random.integers(count)]
    liking = 0.5 ** (((library.points - secret) ** 2).sum(axis=1) / library.typical)
    middle = float(np.median(liking))
    likes: list[str] = []
    skips: list[str] = []
    worth = np.zeros((2, 2))
    for turn in range(ROUNDS):
        mood = MOODS[int(random.integers(4))]
        cause = f"00000000-0000-4000-8000-{int(random.integers(2**47)):012x}"
        preferences = Preferences(tuple(likes), tuple(skips))
        offers = [library.offer(mood, cause, preferences=some) for some in (Preferences(), preferences)]
        positions = [[library.catalogue.position(song.id) for song in offer.songs] for offer in offers]
        pick = offers[0].songs[0].id
        firsts = [library.similar(pick, 10, mood, some)[0].position for some in (Preferences(), preferences)]
        if turn:
            worth[0] += [liking[some].mean() for some in positions]
            worth[1] += liking[firsts]
        for at in positions[1]:
            good = liking[at] > middle if consistent else random.random() < 0.5
            (likes if good else skips).append(library.catalogue.frame["id"][at])
    ratios = worth[:, 1] / worth[:, 0]
    return float(ratios[0]), float(ratios[1])


def models(data: Path) -> None:
    from training.songs import moods, similarity
    from training.songs.labels import read_songs

    print("\nP(a song of the same playlist ranks above a random one), playlists kept aside, 95 % intervals:")
    similarity.report(similarity.read(data / "spotify_songs_tidytuesday.csv.gz"), steps=3_000)
    print("\nagreement with listeners' moods, balanced accuracy:")
    songs, tables = (read_songs(data / name) for name in ("catalogue.csv.gz", "features_union.csv.gz"))
    bench, labels = moods.prepare(data / "listener_moods_2_train.csv.gz", songs, tables)
    print(bench.kept_aside(labels))


if __name__ == "__main__":
    main()
