"""Playing in a real Music Player Daemon."""

import asyncio
import signal
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from moodstream.contracts.events import PlaybackChanged, Song
from moodstream.errors import MoodstreamError
from services.player.mpd import MpdOutput
from services.player.outputs import Outcome
from tests.support.players import playback_where, player, ranked, state_is, status
from tests.support.servers.mopidy_server import mopidy_server
from tests.support.servers.mpd_server import Mpd, mpd_server, tone

HARBOUR = Song(id="1", title="Harbour Tram (Remastered 2011)", artist="Ola Verano", uri="spotify:track:1")
LANTERN = Song(id="2", title="Lantern", artist="Juniper Lane")
KITE = Song(id="3", title="Paper Kite", artist="Plum Radio", uri="file:loose/kite.wav")
NOWHERE = Song(id="4", title="Nowhere", artist="Nobody")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mpd]:
    folder = tmp_path_factory.mktemp("mpd")
    tone(folder / "music" / "a" / "one.wav", "Harbour Tram", "Ola Verano")
    tone(folder / "music" / "a" / "other.wav", "Harbour Tram", "Somebody Else")
    tone(folder / "music" / "Juniper Lane - Lantern.wav")
    tone(folder / "music" / "loose" / "kite.wav")
    tone(folder / "music" / "short.wav", "Short", "Plum Radio", seconds=1)
    with mpd_server(folder) as running:
        running.update()
        yield running


@pytest.fixture
def output(daemon: Mpd) -> MpdOutput:
    return MpdOutput(daemon.address, crossfade_s=4)


async def test_songs_are_found_by_address_tags_or_names_of_files(output: MpdOutput) -> None:
    found = [await output.find_song(song) for song in (HARBOUR, LANTERN, KITE, NOWHERE)]
    assert found == ["a/one.wav", "Juniper Lane - Lantern.wav", "loose/kite.wav", None]
    radio = Song(id="r", title="Radio", artist="R", uri="http://127.0.0.1:9/stream")
    assert await output.find_song(radio) == radio.uri
    await output.close()


NAMES = (
    "track07.wav",
    "50% off/100%25.wav",
    "say \"hi\" \\ 'back'.wav",
    " #1 ?&+; .wav",
    unicodedata.normalize("NFD", "Küche/Café.wav"),
    unicodedata.normalize("NFC", "日本/がんば é.wav"),
    unicodedata.normalize("NFD", "Ötzi/") + unicodedata.normalize("NFC", "Döner.wav"),
)


@pytest.mark.parametrize("form", ["as it is", "NFC", "NFD", "encoded", "NFC, encoded", "whole path"])
async def test_a_file_without_tags_is_found_however_its_address_is_written(tmp_path: Path, form: str) -> None:
    for name in NAMES:
        tone(tmp_path / "music" / name, seconds=0.1)
    with mpd_server(tmp_path) as running:
        running.update()
        output = MpdOutput(running.address)
        for name in NAMES:
            path = unicodedata.normalize(form[:3], name) if form.startswith("NF") else name  # type: ignore[arg-type]
            uri = f"file:{quote(path) if form.endswith('encoded') else path}"
            if form == "whole path":  # as other programs and older scans write it
                uri = (tmp_path / "music" / name).as_uri()
            assert await output.find_song(Song(id="1", title="t", artist="a", uri=uri)) == name
        await output.close()


async def test_a_whole_path_means_no_other_song_of_the_same_file_name(output: MpdOutput) -> None:
    elsewhere = Song(id="1", title="Kites", artist="Ola Verano", uri="file:///home/me/short.wav")
    assert await output.find_song(elsewhere) is None
    short = elsewhere.model_copy(update={"title": "Short", "artist": "Plum Radio"})
    assert await output.find_song(short) == "short.wav"
    await output.close()


async def test_it_plays_pauses_goes_on_and_fades(output: MpdOutput, daemon: Mpd) -> None:
    outcome = await output.play([HARBOUR, NOWHERE, LANTERN])
    assert (outcome.state, outcome.song, outcome.device) == ("playing", HARBOUR, "Hall")
    status = daemon.send_command("status")
    assert (status["state"], status["playlistlength"], status["xfade"]) == ("play", "2", "4")
    assert daemon.send_command("currentsong")["file"] == "a/one.wav"
    assert (await output.pause()).state == "paused"
    assert (await output.resume()).state == "playing"
    daemon.send_command("next")
    assert (await output.check()).song == LANTERN
    assert (await output.set_volume(40)).volume == 40
    await output.close()


async def test_a_stop_fades_out_and_leaves_the_volume_as_it_was(output: MpdOutput, daemon: Mpd) -> None:
    await output.play([HARBOUR, LANTERN])
    await output.set_volume(60)
    stopping = asyncio.create_task(output.stop())
    heard = set[int]()
    while not stopping.done():
        heard.add(int(daemon.send_command("status")["volume"]))
        await asyncio.sleep(0.05)
    assert len(heard & {42, 27, 15, 6}) >= 2
    outcome = await stopping
    assert (outcome.state, outcome.song, outcome.volume) == ("ready", None, 60)
    status = daemon.send_command("status")
    assert (status["state"], status["playlistlength"], status["volume"]) == ("stop", "0", "60")
    assert (await output.stop()).state == "ready"
    await output.close()


async def test_what_is_not_there_is_skipped(output: MpdOutput) -> None:
    outcome = await output.play([NOWHERE])
    assert (outcome.skip, outcome.message) == (True, "Nowhere is not in MPD's music.")
    await output.close()


async def test_outputs_are_its_devices(output: MpdOutput, daemon: Mpd) -> None:
    assert [(one.name, one.active) for one in await output.list_devices()] == [("Hall", True), ("Garden", False)]
    assert (await output.transfer("Garden")).device == "Garden"
    with pytest.raises(MoodstreamError, match="there is no output 'Cellar'; there is Hall, Garden"):
        await output.transfer("Cellar")
    daemon.send_command("disableoutput 1")
    assert (await output.check()).state == "no_device"
    daemon.send_command("enableoutput 0")
    assert (await output.check()).state in ("ready", "paused", "playing")
    await output.close()


async def test_outputs_that_go_while_it_plays_and_come_back(output: MpdOutput, daemon: Mpd) -> None:
    """MPD holds it against itself: an error that stays in its status."""
    assert (await output.play([KITE])).state == "playing"
    daemon.send_command("disableoutput 0")
    async with asyncio.timeout(10):
        while "error" not in daemon.send_command("status"):
            await asyncio.sleep(0.02)
    assert (await output.check()).state == "no_device"
    daemon.send_command("enableoutput 0")
    assert (await output.check()).state in ("paused", "playing")
    assert (await output.resume()).state == "playing"
    daemon.send_command("stop")
    await output.close()


async def test_a_ranking_plays_what_is_there_and_tells_what_is_not(redis_url: str, output: MpdOutput) -> None:
    async with player(redis_url, output) as bus:
        await bus.publish(ranked(NOWHERE, KITE, LANTERN))
        assert (await state_is(bus, "playing")).song == KITE
        shown = await status(bus)
    assert [one["id"] for one in shown["missing"]] == ["4"]
    assert [one["id"] for one in shown["coming"]] == ["2"]


async def test_the_end_of_a_song_is_followed_by_the_next_and_the_last_by_words(redis_url: str, daemon: Mpd) -> None:
    short = Song(id="5", title="Short", artist="Plum Radio")
    async with player(redis_url, MpdOutput(daemon.address)) as bus:
        await bus.publish(ranked(short, LANTERN))
        await playback_where(bus, lambda event: event.song == short)
        await playback_where(bus, lambda event: event.song == LANTERN)
        daemon.send_command("stop")
        assert (await playback_where(bus, lambda event: "No more songs" in event.message)).state == "ready"


async def test_it_comes_back_after_mpd_was_gone_and_goes_on_with_the_song(redis_url: str, daemon: Mpd) -> None:
    async with player(redis_url, MpdOutput(daemon.address)) as bus:
        await bus.publish(ranked(HARBOUR))
        await state_is(bus, "playing")
        start = await bus.last_id(PlaybackChanged)
        daemon.stop()
        gone = await state_is(bus, "unavailable", start=start)
        assert gone.message == f"MPD at {daemon.address} does not answer; start it. It is tried again."
        await asyncio.sleep(2)
        start = await bus.last_id(PlaybackChanged)
        daemon.start()
        back = await state_is(bus, "playing", start=start, within_s=30)
        assert back.song == HARBOUR
    assert daemon.send_command("currentsong")["file"] == "a/one.wav"


async def test_one_that_hangs_blocks_nobody_for_five_seconds(output: MpdOutput, daemon: Mpd) -> None:
    assert (await output.check()).state != "unavailable"
    daemon.signal(signal.SIGSTOP)
    try:
        for _ in range(2):
            begun = time.monotonic()
            assert (await output.play([HARBOUR])).state == "unavailable"
            assert time.monotonic() - begun < 5
    finally:
        daemon.signal(signal.SIGCONT)
    assert (await output.play([HARBOUR])).state == "playing"
    await output.close()


async def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    with mpd_server(tmp_path, "secret") as guarded:
        wrong = MpdOutput(guarded.address, "guessed")
        for _ in range(3):  # it stays refused, and is never taken for ready
            outcome = await wrong.check()
            assert (outcome.state, "password" in outcome.message) == ("unavailable", True)
        right = MpdOutput(guarded.address, "secret")
        assert (await right.check()).state == "ready"
        await wrong.close()
        await right.close()


@pytest.mark.parametrize(
    ("permissions", "refused"),
    [("read", "random"), ("read,add,admin", "random"), ("read,control,admin", "addid")],
)
async def test_a_user_without_the_rights_blames_no_song(tmp_path: Path, permissions: str, refused: str) -> None:
    tone(tmp_path / "music" / "loose" / "kite.wav")
    with mpd_server(tmp_path) as running:
        running.update()
    with mpd_server(tmp_path, outputs=f'default_permissions "{permissions}"') as running:
        output = MpdOutput(running.address)
        for _ in range(3):
            outcome = await output.play([KITE])
            assert (outcome.state, outcome.skip) == ("unavailable", False)
            assert f'permission for "{refused}"' in outcome.message
        await output.close()


async def test_the_first_song_plays_though_the_queue_takes_no_more(tmp_path: Path) -> None:
    songs = [Song(id=name, title=name, artist="A", uri=f"file:{name}.wav") for name in ("a", "b", "c")]
    for song in songs:
        tone(tmp_path / "music" / f"{song.id}.wav")
    with mpd_server(tmp_path, outputs='max_playlist_length "2"') as running:
        running.update()
        output = MpdOutput(running.address)
        outcome = await output.play(songs)
        assert (outcome.state, outcome.song) == ("playing", songs[0])
        assert running.send_command("status")["playlistlength"] == "2"
        await output.close()


async def test_nobody_there_is_one_line() -> None:
    outcome = await MpdOutput("127.0.0.1:9").check()
    assert outcome.message == "MPD at 127.0.0.1:9 does not answer; start it. It is tried again."
    assert (await MpdOutput("/no/such/socket").check()).state == "unavailable"


async def test_mopidy_plays_as_mpd_does(tmp_path: Path) -> None:
    tone(tmp_path / "music" / "Ola Verano - Harbour Tram.wav")
    tone(tmp_path / "music" / "50% off" / "My Söng.wav")
    by_address = KITE.model_copy(update={"uri": "file:50%25%20off/My%20S%C3%B6ng.wav"})
    with mopidy_server(tmp_path) as address:
        output = MpdOutput(address, crossfade_s=4)
        assert await output.check() == Outcome("ready", device="Mute", volume=100)
        assert (await output.play([HARBOUR, by_address, NOWHERE])).song == HARBOUR
        playing = await output.check()
        assert (playing.state, playing.song) == ("playing", HARBOUR)
        assert (await output.play([by_address])).song == by_address
        assert (await output.pause()).state == "paused"
        assert (await output.resume()).state == "playing"
        assert (await output.set_volume(30)).volume == 30
        assert (await output.play([NOWHERE])).skip
        await output.close()
