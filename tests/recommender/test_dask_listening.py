"""Listening on a real Dask cluster of two workers, of which some are lost."""

import gc
import os
import signal
import socket
import wave
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dask.config
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster, WorkerPlugin

from moodstream.errors import MoodstreamError
from services.recommender import dask_listening, dask_work
from services.recommender.catalogue import listening
from services.recommender.catalogue.listening import Heard
from services.recommender.catalogue.scan import Listen, scan
from services.recommender.catalogue.sound_file import RATE
from services.recommender.catalogue.table import Catalogue
from services.recommender.dask_listening import listen_on_dask
from services.recommender.models.ears import Ears

DEADLY = "deadly"


class Deadly(WorkerPlugin):
    """Ends a worker that listens to the deadly file, as a decoder does that writes where it must not."""

    def setup(self, worker: object) -> None:
        def listen(path: Path, ears: Ears | None) -> Heard:
            if path.stem == DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            return listening.listen(path, ears)

        vars(dask_listening)["listen"] = listen


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as running,
    ):
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "music"
    found.mkdir()
    random = np.random.default_rng(3)
    for number in range(8):
        with wave.open(str(found / f"song {number}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(random.normal(0, 3000, 5 * RATE).astype("<i2").tobytes())
    (found / "broken.mp3").write_bytes(b"no music")
    return found


def on(address: str, folder: Path) -> Listen:
    return partial(listen_on_dask, folder=folder, address=address)


def test_workers_hear_what_this_machine_hears(cluster: LocalCluster, folder: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    told: list[str] = []
    first = scan(folder, here)
    second = scan(folder, there, told.append, listen=on(cluster.scheduler_address, folder))
    assert second == first
    assert (second.analysed, second.songs) == (9, 8)
    assert told[-1].startswith("[####################] 9 of 9")
    pd.testing.assert_frame_equal(Catalogue.load(there).frame, Catalogue.load(here).frame)
    assert scan(folder, there, listen=on(cluster.scheduler_address, folder)).analysed == 0, (
        "what was heard is written down"
    )


def test_what_a_lost_worker_had_in_hand_is_done_by_another(cluster: LocalCluster, folder: Path) -> None:
    paths = sorted(folder.glob("song*"))
    heard: list[Path] = []
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        first, *_ = client.run(os.getpid).values()
    for path, _ in listen_on_dask(paths, folder, cluster.scheduler_address):
        if not heard:
            os.kill(first, signal.SIGKILL)
        heard.append(path)
    assert sorted(heard) == paths


def test_a_file_that_ends_workers_is_told_and_the_others_are_heard(cluster: LocalCluster, folder: Path) -> None:
    paths = sorted(folder.glob("song*"))
    (folder / f"{DEADLY}.wav").write_bytes(paths[0].read_bytes())
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        client.register_plugin(Deadly(), name=DEADLY)
        try:
            heard = dict(listen_on_dask([folder / f"{DEADLY}.wav", *paths], folder, cluster.scheduler_address))
        finally:
            client.unregister_worker_plugin(DEADLY)
    assert heard[folder / f"{DEADLY}.wav"].fault == "decoding it ended each worker that tried"
    assert not any(heard[path].fault for path in paths)


def test_what_cannot_work_is_one_line_and_blames_no_file(
    cluster: LocalCluster, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, address = tmp_path / "songs.parquet", cluster.scheduler_address
    with pytest.raises(MoodstreamError, match="sees no folder"):
        list(listen_on_dask([], tmp_path / "elsewhere", address))
    monkeypatch.setattr(dask_listening, "_ears", lambda: ("ears 0.0", None))
    with pytest.raises(MoodstreamError, match=r"it hears with .*, here is ears 0\.0"):
        list(listen_on_dask([], folder, address))
    monkeypatch.undo()
    monkeypatch.setattr(dask_listening, "__version__", "0.0.1")
    with pytest.raises(MoodstreamError, match=r"it has Moodstream .*, here is 0\.0\.1"):
        scan(folder, target, listen=on(address, folder))
    monkeypatch.undo()
    monkeypatch.setattr(dask_work, "CONNECT_S", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for wrong in (f"tcp://127.0.0.1:{closed.getsockname()[1]}", "tcp://127.0.0.1:port", "nonsense://x"):
            with pytest.raises(MoodstreamError, match="no Dask cluster answers at") as raised:
                scan(folder, target, listen=on(wrong, folder))
            assert "\n" not in str(raised.value)
    assert not target.exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:port", "nonsense://x"])
def test_a_client_that_could_not_start_is_closed_at_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the collector closes it, maybe while another starts, and both wait for ever."""
    monkeypatch.setattr(dask_work, "CONNECT_S", 0.3)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(MoodstreamError, match="no Dask cluster"), dask_work.connected(address, "test"):
            pass
        left = [one.status for one in gc.get_objects() if isinstance(one, Client)]
    finally:
        gc.enable()
    assert left
    assert set(left) == {"closed"}
