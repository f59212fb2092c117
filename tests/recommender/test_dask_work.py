"""Work in parts on a real Dask cluster of two workers: the report, and what training uses."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dask.config
import pytest
from distributed import LocalCluster

from moodstream.errors import MoodstreamError
from services.recommender import dask_work
from services.recommender.dask_work import on_dask
from services.recommender.main import RecommenderSettings
from services.recommender.report.page import write_report
from shared.settings import load
from tests.support.random_songs import saved


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as running,
    ):
        yield running


def dies_once(folder: Path, part: int) -> int:
    """The first worker that has the third part in hand is lost."""
    marker = folder / "died"
    if part == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return part * part


def deadly(_: int, part: int) -> None:
    if part == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def wrong(_: int, part: int) -> None:
    raise MoodstreamError(f"part {part} is wrong")


def test_the_report_is_the_same_as_in_one_process(cluster: LocalCluster, tmp_path: Path) -> None:
    settings = load(RecommenderSettings, catalogue=saved(tmp_path, 60))
    with on_dask(cluster.scheduler_address, "test") as each:
        there = write_report(tmp_path / "there", settings, each=each)
    here = write_report(tmp_path / "here", settings)
    numbers = [file for file in here.parent.iterdir() if file.suffix in (".csv", ".json")]
    assert len(numbers) > 10
    for file in numbers:
        assert (there.parent / file.name).read_text() == file.read_text(), file.name


def test_what_a_lost_worker_had_in_hand_is_done_by_another(cluster: LocalCluster, tmp_path: Path) -> None:
    with on_dask(cluster.scheduler_address, "test") as each:
        assert each(dies_once, tmp_path, range(12)) == [part * part for part in range(12)]
    assert (tmp_path / "died").exists()


def test_what_goes_wrong_is_one_line(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    address = cluster.scheduler_address
    with on_dask(address, "test") as each:
        with pytest.raises(MoodstreamError, match="part 1 is wrong"):
            each(wrong, 0, [1])
        with pytest.raises(MoodstreamError, match="ended each worker that tried it") as told:
            each(deadly, 0, [1, 2])
        assert "\n" not in str(told.value)
    monkeypatch.setattr(dask_work, "__version__", "0.0.1")
    with pytest.raises(MoodstreamError, match=r"it has Moodstream .*, here is 0\.0\.1"), on_dask(address, "test"):
        pass
    monkeypatch.setattr(dask_work, "CONNECT_S", 0.5)
    with pytest.raises(MoodstreamError, match="no Dask cluster answers at"), on_dask("tcp://127.0.0.1:1", "test"):
        pass
