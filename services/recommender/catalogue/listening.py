"""Listens to files, in as many processes as there are cores; what one file does to a process concerns no other file."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.audio import measure_sound
from services.recommender.catalogue.sound_file import ExtraMissing, read_excerpt, require_decoder
from services.recommender.catalogue.tags import song_tags
from services.recommender.models.ears import Ears

log = logging.getLogger("moodstream.recommender")

FEW = 4
"""Files for which starting processes takes longer than listening."""


@dataclass(frozen=True)
class Heard:
    path: Path
    song: dict[str, Any] = field(default_factory=dict)
    """tags, features and moods, in the columns of a catalogue"""
    fault: str = ""
    """why there is no song"""


def listen_to_all(
    paths: Sequence[Path], ears: Path | None, processes: int | None = None
) -> Iterator[tuple[Path, Heard]]:
    """Each file with what was heard, as they are done. Raises ExtraMissing, and MoodstreamError for a broken model."""
    require_decoder()
    if processes is None:
        processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(paths) <= FEW:
        model = Ears.load(ears) if ears else None
        yield from ((path, listen(path, model)) for path in paths)
        return
    waiting = list(paths)
    while waiting:
        try:
            for path, heard in _pooled(waiting, ears, processes):
                waiting.remove(path)
                yield path, heard
        except BrokenProcessPool:
            # One of the first few killed its process. Which one shows when each is alone.
            for path in waiting[: 2 * processes]:
                waiting.remove(path)
                yield path, _alone(path, ears)


def listen(path: Path, ears: Ears | None) -> Heard:
    """A file, whatever is wrong with it: what nobody foresaw is told as its fault, too. Raises ExtraMissing alone.

    One core: on a busy machine the threads of a product of matrices wait for each other several times as long.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    try:
        excerpt = read_excerpt(path)
        with threadpool_limits(1):
            numbers = measure_sound(excerpt.sound, ears) | {"duration_ms": max(1, round(1000 * excerpt.length_s))}
        return Heard(path, song_tags(path, excerpt.written) | numbers)
    except ExtraMissing:
        raise
    except MoodstreamError as error:
        return Heard(path, fault=str(error))
    except Exception as error:  # one file never ends a scan of ten thousand
        log.debug("%s", path, exc_info=True)
        return Heard(path, fault=f"hearing it failed: {type(error).__name__}: {error}")


def _pooled(paths: Sequence[Path], ears: Path | None, processes: int) -> Iterator[tuple[Path, Heard]]:
    """In order of completion; files are handed out few at a time, so that a broken pool concerns the first few."""
    queue = iter(paths)
    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare) as pool:
        running: dict[Future[Heard], Path] = {}
        try:
            while True:
                while len(running) < 2 * processes and (path := next(queue, None)) is not None:
                    running[pool.submit(_listen, path, ears)] = path
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _alone(path: Path, ears: Path | None) -> Heard:
    try:
        ((_, heard),) = _pooled([path], ears, 1)
    except BrokenProcessPool:
        return Heard(path, fault="decoding it ended the process")
    return heard


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the pool


def _listen(path: Path, ears: Path | None) -> Heard:
    return listen(path, _load(ears) if ears else None)


@cache
def _load(ears: Path) -> Ears:
    """Once in a process of the pool, not for every file."""
    return Ears.load(ears)
