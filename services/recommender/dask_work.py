"""Work in parts, one after the other in this process or on the workers of a Dask cluster.

What a lost worker had in hand is done by another. Workers have the same Moodstream installed, and what the parts need:
``moodstream[report]`` or the packages of training. Dask runs whatever its clients send, so a cluster belongs in a
network of its own, or behind TLS (``tls://``, by Dask's own settings).
"""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from moodstream import __version__
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.sound_file import ExtraMissing

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 10.0
WORKERS_S = 30.0

C = TypeVar("C")
P = TypeVar("P")
R = TypeVar("R")


class Each(Protocol):
    """Does some work for each part, with what is common to all of them; gives the results in the order of the parts."""

    def __call__(self, work: Callable[[C, P], R], common: C, parts: Sequence[P]) -> list[R]: ...


def one_by_one(work: Callable[[C, P], R], common: C, parts: Sequence[P]) -> list[R]:
    """In this process."""
    return [work(common, part) for part in parts]


@contextmanager
def on_dask(address: str, name: str) -> "Iterator[Each]":
    """On the workers of the cluster at this address; ``name`` is told to it.

    Raises MoodstreamError when there is no such cluster, it has no worker, a worker has another version, or a part
    ended each worker that tried; ExtraMissing. What the work itself raises is raised here.
    """
    with connected(address, name) as client:
        for worker, version in sorted(client.run(_version, on_error="return").items()):
            if version != __version__:
                told = f"it has Moodstream {version}" if isinstance(version, str) else " ".join(str(version).split())
                raise MoodstreamError(f"worker {worker} cannot do this: {told}, here is {__version__}")

        def each(work: Callable[[C, P], R], common: C, parts: Sequence[P]) -> list[R]:
            return _results(client, work, common, parts)

        yield each


@contextmanager
def connected(address: str, name: str) -> "Iterator[Client]":
    """A client of a cluster that has a worker. Raises MoodstreamError; ExtraMissing."""
    if importlib.util.find_spec("distributed") is None:
        raise ExtraMissing("work on other machines needs moodstream[dask]")
    from distributed import Client

    class ClosedClient(Client):
        """Closes itself where it cannot start, and not when it is collected: maybe while another starts, which then
        holds the lock that closing waits for, for ever."""

        def start(self, **given: Any) -> None:
            try:
                super().start(**given)  # type: ignore[no-untyped-call]
            except BaseException:
                self.close()  # type: ignore[no-untyped-call]
                raise

    try:
        client = ClosedClient(address, timeout=CONNECT_S, set_as_default=False, name=name)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise MoodstreamError(f"no Dask cluster answers at {address}: {' '.join(str(error).split())}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            raise MoodstreamError(f"the Dask cluster at {address} has no worker") from None
        yield client


def _version() -> str:
    return __version__


def _results(client: "Client", work: Callable[[C, P], R], common: C, parts: Sequence[P]) -> list[R]:
    from distributed import CancelledError, KilledWorker

    # The scheduler keeps it, as a part of the work: what is only scattered is lost with the last worker that has it.
    held: Any = client.submit(_itself, common, pure=False)
    futures = [client.submit(work, held, part, pure=False) for part in parts]
    try:
        return [future.result() for future in futures]
    except CancelledError:
        raise MoodstreamError("the Dask cluster has gone; begin again later") from None
    except KilledWorker as error:
        raise MoodstreamError(f"a part of the work ended each worker that tried it: {_one_line(error)}") from None


def _itself(common: C) -> C:
    return common


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
