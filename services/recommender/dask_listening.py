"""Listens to files on the workers of a Dask cluster; what a lost worker had in hand is done by another.

Workers see the folder of music under the same path, and have the same Moodstream installed. Dask runs whatever its
clients send, so a cluster belongs in a network of its own, or behind TLS (``tls://``, by Dask's own settings).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from moodstream import __version__
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.listening import Heard, listen
from services.recommender.catalogue.sound_file import ExtraMissing, require_decoder
from services.recommender.dask_work import connected
from services.recommender.models.ears import FORMULAS, Ears, best_ears

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 4
"""Files that each thread of the cluster is given ahead, so that none waits and little is lost."""

Stand = tuple[str, str, str]
"""Of a worker: its version, the model it hears with, and what is wrong with it, or nothing."""


def listen_on_dask(paths: Sequence[Path], folder: Path, address: str) -> Iterator[tuple[Path, Heard]]:
    """Each file of a folder with what was heard, as they are done.

    A file that ends every worker that hears it is told as its fault. Raises MoodstreamError when there is no such
    cluster, it has no worker, or a worker cannot do this work; ExtraMissing.
    """
    with connected(address, "moodstream songs scan") as client:
        _check(client, folder.resolve())
        yield from _listened(client, paths)


def _check(client: "Client", folder: Path) -> None:
    """Raises MoodstreamError unless each worker can listen as this process would."""
    stands = client.run(_stand, str(folder), on_error="return")
    for worker, stand in sorted(stands.items()):
        if not isinstance(stand, tuple):
            raise MoodstreamError(f"worker {worker} cannot listen: {stand}")
        (version, hears, fault), here = stand, _ears()[0]
        if version != __version__:
            fault = f"it has Moodstream {version}, here is {__version__}"
        elif hears != here:
            fault = f"it hears with {hears}, here is {here}"
        if fault:
            raise MoodstreamError(f"worker {worker} cannot listen: {fault}")


def _listened(client: "Client", paths: Sequence[Path]) -> Iterator[tuple[Path, Heard]]:
    """In order of completion; handed out few at a time, so that a folder of any size needs little memory."""
    from distributed import as_completed

    path_of: dict[object, Path] = {}
    waiting = iter(paths)

    def hand_out(count: int) -> "list[Future[tuple[str, Heard]]]":
        given = []
        for _ in range(count):
            if (path := next(waiting, None)) is None:
                break
            future = client.submit(_listen_there, str(path.resolve()), path, pure=False)
            path_of[future.key] = path
            given.append(future)
        return given

    suspects = []
    done = as_completed(hand_out(AHEAD * max(1, sum(client.nthreads().values()))), loop=client.loop)
    for future in done:
        path = path_of.pop(future.key)
        if (heard := _result(future)) is None:
            suspects.append(path)
        else:
            yield path, heard
        future.release()
        for further in hand_out(1):
            done.add(further)
    for path in suspects:  # each was in hand when workers ended; which of them it was shows when each is alone
        alone = client.submit(_listen_there, str(path.resolve()), path, pure=False)
        yield path, _result(alone) or Heard(path, fault="decoding it ended each worker that tried")


def _result(future: "Future[tuple[str, Heard]]") -> Heard | None:
    """What was heard; None where workers ended while they had the file in hand. Raises MoodstreamError."""
    from distributed import CancelledError, KilledWorker

    try:
        hears, heard = future.result()
    except CancelledError:
        raise MoodstreamError("the Dask cluster has gone; what was heard is kept, so begin again later") from None
    except KilledWorker:
        return None
    except ExtraMissing as error:  # of a worker that joined later
        raise MoodstreamError(f"a worker cannot listen: {error}") from None
    if hears != (here := _ears()[0]):
        raise MoodstreamError(f"a worker hears with {hears}, here is {here}")
    return heard


def _stand(folder: str) -> Stand:
    """Of the worker that this is run on."""
    fault = "" if Path(folder).is_dir() else f"it sees no folder {folder}"
    try:
        require_decoder()
    except ExtraMissing as error:
        fault = str(error)
    return __version__, _ears()[0], fault


def _listen_there(real: str, path: Path) -> tuple[str, Heard]:
    """On a worker, to the file at ``real``, which is ``path`` to who asked: who listened, and what was heard."""
    listener, ears = _ears()
    return listener, replace(listen(Path(real), ears), path=path)


@cache
def _ears() -> tuple[str, Ears | None]:
    """Once in a worker, not for every file."""
    file = best_ears()
    ears = Ears.load(file) if file else None
    return (ears.version if ears else FORMULAS), ears
