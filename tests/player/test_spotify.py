"""Spotify's ways to fail, each with the state it shows; no call blocks, none comes before its time.

All of it against our own simulator, since the real one needs an account; the last test compares both sides of every
conversation with Spotify's published description.
"""

import asyncio
import logging
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.player.main import create_login
from services.player.spotify.json_file import JsonFile
from services.player.spotify.login import CONSENT, SpotifyLogin
from services.player.spotify.output import SpotifyOutput
from services.player.spotify.simulator.account import device
from services.player.spotify.simulator.faults import Fault, rate_limit, refusal
from services.player.spotify.simulator.recorder import Exchange
from tests.player.openapi_exchange import Described
from tests.support.asking import ask
from tests.support.needs import missing
from tests.support.players import playback_where, player, ranked, state_is, status
from tests.support.simulated_spotify import (
    CLIENT,
    REDIRECT,
    SimulatedSpotify,
    agree,
    create_spotify_output,
    sign_in,
    spotify_settings,
)

PAGE = "http://127.0.0.1:8080/player/spotify/login"
SONGS = tuple(Song(id=f"t{n}", title=f"Title {n}", artist="An artist", uri=f"spotify:track:{n:022d}") for n in range(4))
SONG = SONGS[0]
MAX_S = 5.0


@pytest.fixture
def output(spotify: SimulatedSpotify, tmp_path: Path) -> SpotifyOutput:
    sign_in(spotify, tmp_path / "spotify.json")
    spotify.simulator.account.devices = [device("Kitchen", active=True), device("Bedroom")]
    return create_spotify_output(spotify, tmp_path)


@contextmanager
def in_time(limit_s: float = MAX_S) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < limit_s


def calls(spotify: SimulatedSpotify, path: str = "/v1/") -> list[str]:
    return [f"{one.method} {one.path}" for one in spotify.simulator.exchanges if one.path.startswith(path)]


# playing


async def test_a_song_plays_with_those_after_it(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    outcome = await output.play(SONGS)
    assert (outcome.state, outcome.song) == ("playing", SONG)
    assert spotify.simulator.account.uris == [song.uri for song in SONGS]
    assert calls(spotify) == ["PUT /v1/me/player/play"]
    seen = await output.check()
    assert (seen.state, seen.song, seen.device, seen.volume) == ("playing", SONG, "Kitchen", 50)


async def test_pause_resume_and_volume(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    await output.play(SONGS)
    assert (await output.pause()).state == "paused"
    assert (await output.pause()).state == "paused"  # Spotify refuses what is so already
    assert (await output.resume()).state == "playing"
    turned = await output.set_volume(30)
    assert (turned.state, turned.volume) == ("playing", 30)
    assert spotify.simulator.account.active is not None
    assert spotify.simulator.account.active["volume_percent"] == 30


async def test_a_song_that_spotify_went_on_to_is_followed(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    await output.play(SONGS)
    spotify.simulator.account.position = 2
    assert (await output.check()).song == SONGS[2]


async def test_a_device_without_volume_is_left_as_it_is(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.account.devices = [device("Radio", active=True, volume=None)]
    outcome = await output.set_volume(30)
    assert outcome.state == "ready"
    assert "cannot be turned" in outcome.message


# devices


async def test_an_idle_device_wakes_when_it_is_named(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.account.devices = [device("Car", is_restricted=True), device("Phone")]
    assert (await output.play(SONGS)).state == "playing"
    assert spotify.simulator.account.active == spotify.simulator.account.devices[1]
    play, listed, again = spotify.simulator.exchanges
    assert (play.status, listed.path, again.status) == (404, "/v1/me/player/devices", 204)
    assert parse_qs(again.query) == {"device_id": [spotify.simulator.account.devices[1]["id"]]}


async def test_a_device_that_vanishes_is_replaced_and_comes_back(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    kitchen, bedroom = spotify.simulator.account.devices
    assert (await output.transfer("bedroom")).device == "Bedroom"
    spotify.simulator.account.devices = [kitchen]
    assert (await output.play(SONGS)).device == "Kitchen"
    spotify.simulator.account.devices = [kitchen, bedroom | {"is_active": False}]
    assert (await output.play(SONGS)).state == "playing"
    assert (await output.check()).device == "Bedroom"


async def test_a_chosen_device_is_remembered_over_a_restart(
    output: SpotifyOutput, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    await output.transfer("Bedroom")
    spotify.simulator.account.devices = [device("Kitchen", active=True), device("Bedroom", id="another-id")]
    again = create_spotify_output(spotify, tmp_path)
    await again.play(SONGS)
    assert (await again.check()).device == "Bedroom"


async def test_devices_whose_names_differ_by_case_alone_are_two(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    spotify.simulator.account.devices = [device("hall", active=True), device("Hall")]
    assert (await output.transfer("Hall")).device == "Hall"
    assert (await output.transfer("hall")).device == "hall"
    assert (await output.transfer("HALL")).device == "hall"


async def test_an_unknown_device_is_one_line(output: SpotifyOutput) -> None:
    with pytest.raises(MoodstreamError, match="there is no device 'Cellar'; there is Kitchen, Bedroom"):
        await output.transfer("Cellar")
    assert [one.name for one in await output.list_devices()] == ["Kitchen", "Bedroom"]


async def test_no_device_at_all_is_said(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.account.devices = []
    assert (await output.play(SONGS)).state == "no_device"
    outcome = await output.check()
    assert (outcome.state, outcome.message) == ("no_device", "Open Spotify on a device of this account.")


async def test_the_app_on_this_machine_is_opened_once(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    spotify.simulator.account.devices = []
    app, opened = tmp_path / "spotify-app", tmp_path / "opened"
    app.write_text(f"#!/bin/sh\necho opened >> {opened}\n")
    app.chmod(0o755)
    output = create_spotify_output(spotify, tmp_path, spotify_app=str(app))
    for _ in range(3):
        outcome = await output.play(SONGS)
        assert (outcome.state, outcome.message) == ("no_device", "Spotify is being opened on this machine.")
    async with asyncio.timeout(10):
        while not opened.exists():
            await asyncio.sleep(0.01)
    assert opened.read_text() == "opened\n"


# finding


async def test_a_song_without_an_address_is_searched_by_title_and_artist(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    spotify.simulator.account.catalogue = [
        ("0000000000000000000009", "Harbour", "Somebody Else"),
        ("0000000000000000000008", "Harbour (Remastered 2011)", "Óla Verano"),
    ]
    local = Song(id="x", title="harbour", artist="Ola Verano; Plum Radio")
    assert (await output.play([local])).state == "playing"
    assert spotify.simulator.account.uris == ["spotify:track:0000000000000000000008"]
    search = spotify.simulator.exchanges[0]
    assert (search.path, parse_qs(search.query)["limit"]) == ("/v1/search", ["10"])
    await output.play([local])
    assert len(calls(spotify, "/v1/search")) == 1


async def test_a_song_that_cannot_be_found_gives_way_to_the_next(output: SpotifyOutput) -> None:
    outcome = await output.play([Song(id="x", title="Nowhere", artist="Nobody")])
    assert (outcome.skip, outcome.message) == (True, "Nowhere was not found on Spotify.")


@pytest.mark.parametrize("passed_over", [False, True])
async def test_a_song_that_is_not_sold_here_is_replaced_by_the_next_of_the_ranking(
    redis_url: str, spotify: SimulatedSpotify, tmp_path: Path, passed_over: bool
) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    account = spotify.simulator.account
    account.missing, account.passes_over_missing = {"0" * 22, f"{1:022d}"}, passed_over
    async with player(redis_url, create_spotify_output(spotify, tmp_path)) as bus:
        await bus.publish(ranked(*SONGS))
        event = await playback_where(bus, lambda event: event.state == "playing" and event.song == SONGS[2])
        missing = (await status(bus))["missing"]
    assert account.playing_uri == SONGS[2].uri
    assert event.output == "spotify"
    assert [one["id"] for one in missing] == ([] if passed_over else ["t0", "t1"])


# refusals


async def test_a_device_that_refuses_every_song_is_freed_by_a_transfer(
    redis_url: str, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    spotify.simulator.account.devices[0]["is_active"] = True
    spotify.simulator.account.refuses = "until_transfer"
    async with player(redis_url, create_spotify_output(spotify, tmp_path)) as bus:
        await bus.publish(ranked(*SONGS))
        event = await playback_where(bus, lambda event: event.state == "playing")
        missing = (await status(bus))["missing"]
    assert (event.song, missing) == (SONGS[0], [])
    assert calls(spotify).count("PUT /v1/me/player/play") == 2


@pytest.mark.parametrize("knows_tracks", [True, False])
async def test_one_that_goes_on_refusing_is_named_and_no_song_is_blamed(
    output: SpotifyOutput, spotify: SimulatedSpotify, knows_tracks: bool
) -> None:
    spotify.simulator.account.devices = [device("Kitchen", active=True)]
    spotify.simulator.account.refuses, spotify.simulator.account.knows_tracks = "everything", knows_tracks
    if not knows_tracks:  # then only the second song shows that it is not the song
        assert (await output.play(SONGS)).skip
    outcome = await output.play(SONGS[1:])
    assert (outcome.state, outcome.skip) == ("unavailable", False)
    assert outcome.message.startswith("Kitchen takes no song")


@pytest.mark.parametrize(
    ("fault", "state", "words"),
    [
        (refusal(500), "unavailable", "500"),
        (refusal(502, times=2), "unavailable", "502"),
        (Fault(503, "<html>maintenance</html>"), "unavailable", "503"),
        (Fault(200, "<html>no JSON</html>"), "unavailable", "no sense"),
        (Fault(200, [1, 2]), "unavailable", "no sense"),
        (Fault(200, {"devices": 7}), "unavailable", "no sense"),
        (Fault(200, b"\xff\xfe\x00garbage"), "unavailable", "no sense"),
        (Fault(200, "{" + " " * 3_000_000), "unavailable", "does not answer"),
    ],
)
async def test_garbage_and_breakdowns_are_survived(
    output: SpotifyOutput, spotify: SimulatedSpotify, fault: Fault, state: str, words: str
) -> None:
    spotify.simulator.account.devices = [device("Kitchen")]
    spotify.simulator.faults = [Fault(fault.status, fault.body, fault.headers, path="devices")]
    with in_time():
        outcome = await output.check()
    assert outcome.state == state
    assert words in outcome.message
    assert (await output.check()).state == "ready"


async def test_premium_required_is_said_and_not_tried_again(
    redis_url: str, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    spotify.simulator.account.devices[0]["is_active"] = True
    spotify.simulator.account.premium = False
    async with player(redis_url, create_spotify_output(spotify, tmp_path)) as bus:
        await bus.publish(ranked(*SONGS))
        event = await state_is(bus, "premium_required")
        assert "Premium" in event.message
        await asyncio.sleep(6)
    assert calls(spotify).count("PUT /v1/me/player/play") == 1


async def test_an_account_that_is_not_listed_for_the_app_is_told_so(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    spotify.simulator.account.registered = False
    outcome = await output.play(SONGS)
    assert outcome.state == "premium_required"
    assert "not listed for the app" in outcome.message
    assert len(calls(spotify)) == 1


@pytest.mark.parametrize(
    ("fault", "state", "skip"),
    [
        (refusal(403, "Something about a device.", "PREMIUM_REQUIRED"), "premium_required", False),
        (refusal(403, "Premium, registered, scope", "UNKNOWN"), "playing", False),
        (refusal(403, "In other words."), "premium_required", False),
        (Fault(403, "User not registered in the Developer Dashboard"), "premium_required", False),
        (refusal(404, "In other words.", "NO_ACTIVE_DEVICE", times=2), "no_device", False),
        (refusal(404, "In other words.", times=2), "no_device", False),
        (refusal(404, "No such device of tracks", "NO_SPECIFIC_TRACK"), "unavailable", True),
    ],
)
async def test_what_spotify_refuses_is_known_by_its_codes_whatever_it_says(
    output: SpotifyOutput, spotify: SimulatedSpotify, fault: Fault, state: str, skip: bool
) -> None:
    spotify.simulator.faults = [Fault(fault.status, fault.body, path="/play", times=fault.times)]
    outcome = await output.play(SONGS)
    assert (outcome.state, outcome.skip) == (state, skip)


async def test_a_token_with_too_few_rights_is_no_sign_in(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", scope="user-read-playback-state")
    assert (await create_spotify_output(spotify, tmp_path).check()).state == "signed_out"
    assert calls(spotify) == []


async def test_a_token_that_ended_early_is_renewed_once(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.expire()
    assert (await output.play(SONGS)).state == "playing"
    assert calls(spotify, "/accounts") == ["POST /accounts/api/token"]
    assert len(calls(spotify)) == 2


async def test_a_second_401_needs_a_person_and_asks_nobody_again(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    spotify.simulator.faults = [refusal(401, "Invalid access token", times=float("inf"))]
    outcome = await output.play(SONGS)
    assert (outcome.state, PAGE in outcome.message) == ("needs_reauthorization", True)
    assert len(spotify.simulator.exchanges) == 3
    assert (await output.check()).state == "needs_reauthorization"
    assert len(spotify.simulator.exchanges) == 3


# the sign-in that ends


async def test_an_old_token_is_renewed_before_it_is_used(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", expires_at=time.time() - 5)
    assert (await create_spotify_output(spotify, tmp_path).check()).state == "ready"
    assert calls(spotify, "/")[0] == "POST /accounts/api/token"


@pytest.mark.parametrize("rotates", [False, True])
async def test_the_refresh_token_is_kept_or_replaced(spotify: SimulatedSpotify, tmp_path: Path, rotates: bool) -> None:
    file = tmp_path / "spotify.json"
    sign_in(spotify, file)
    before = JsonFile(file).load()
    spotify.simulator.account.rotates = rotates
    output = create_spotify_output(spotify, tmp_path)
    for _ in range(3):
        spotify.simulator.expire()
        assert (await output.check()).state == "ready"
    after = JsonFile(file).load()
    assert (after["refresh_token"] != before["refresh_token"]) is rotates
    assert (after["consented_at"], after["client_id"]) == (before["consented_at"], CLIENT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_dead_refresh_token_is_not_used_again_not_even_after_a_restart(
    spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    spotify.simulator.revoke()
    for _ in range(2):
        output = create_spotify_output(spotify, tmp_path)
        for _ in range(2):
            outcome = await output.play(SONGS)
            assert (outcome.state, PAGE in outcome.message) == ("needs_reauthorization", True)
    assert calls(spotify, "/accounts") == ["POST /accounts/api/token"]


@pytest.mark.parametrize("fault", [Fault(503, {"error": "invalid_grant"}), Fault(200, {"x": 1}), Fault(502, "<html>")])
async def test_a_breakdown_while_refreshing_is_not_the_end_of_the_permission(
    spotify: SimulatedSpotify, tmp_path: Path, fault: Fault
) -> None:
    sign_in(spotify, tmp_path / "spotify.json", expires_at=time.time() - 5)
    spotify.simulator.faults = [Fault(fault.status, fault.body, path="/api/token")]
    output = create_spotify_output(spotify, tmp_path)
    assert (await output.check()).state == "unavailable"
    assert (await output.check()).state == "ready"


async def test_a_client_id_that_spotify_does_not_know_is_said(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", expires_at=time.time() - 5)
    spotify.simulator.account.client_ids = {"another"}
    outcome = await create_spotify_output(spotify, tmp_path).check()
    assert (outcome.state, "MOODSTREAM_SPOTIFY_CLIENT_ID" in outcome.message) == ("signed_out", True)


@pytest.mark.parametrize(("days_left", "warned"), [(40, False), (29, True), (13, True), (2, True)])
async def test_the_end_of_the_permission_is_told_before(
    spotify: SimulatedSpotify, tmp_path: Path, days_left: float, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in(spotify, tmp_path / "spotify.json", CONSENT.total_seconds() - (days_left + 0.5) * 86_400)
    output = create_spotify_output(spotify, tmp_path)
    with caplog.at_level(logging.WARNING, "moodstream.player"):
        outcomes = [await output.check() for _ in range(3)]
    assert {outcome.state for outcome in outcomes} == {"ready"}
    assert all((PAGE in outcome.message) is warned for outcome in outcomes)
    assert len(caplog.records) == warned


# waiting


async def test_nothing_is_sent_before_retry_after_has_passed(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.faults = [rate_limit(2)]
    limited = await output.play(SONGS)
    assert (limited.state, limited.until is not None) == ("rate_limited", True)
    while (outcome := await output.play(SONGS)).state == "rate_limited":
        await asyncio.sleep(0.05)
    first, second = spotify.simulator.exchanges
    assert outcome.state == "playing"
    assert second.at_s - first.at_s >= 2


async def test_an_hour_of_waiting_is_not_forgotten_by_a_restart(
    output: SpotifyOutput, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    spotify.simulator.faults = [rate_limit(3600)]
    with in_time(2):
        assert (await output.play(SONGS)).state == "rate_limited"
    for _ in range(3):
        again = create_spotify_output(spotify, tmp_path)
        outcome = await again.play(SONGS)
        assert (outcome.state, (await again.check()).state) == ("rate_limited", "rate_limited")
        assert outcome.wait_s is not None
        assert 3590 < outcome.wait_s <= 3600
    assert len(spotify.simulator.exchanges) == 1


@pytest.mark.parametrize("step_s", [-7200, 7200])
async def test_a_clock_that_was_stepped_makes_the_wait_no_longer(
    output: SpotifyOutput, spotify: SimulatedSpotify, tmp_path: Path, step_s: float
) -> None:
    spotify.simulator.faults = [rate_limit(3600)]
    await output.play(SONGS)
    kept = output.login.state_file.load()
    output.login.state_file.update(wait_until=kept["wait_until"] - step_s)
    outcome = await create_spotify_output(spotify, tmp_path).check()
    assert outcome.wait_s is None or outcome.wait_s <= 3600


async def test_a_quota_that_is_used_up_is_told(output: SpotifyOutput, spotify: SimulatedSpotify) -> None:
    spotify.simulator.faults = [refusal(429, "Quota exceeded", "QUOTA_EXCEEDED")]
    outcome = await output.play(SONGS)
    assert (outcome.state, outcome.until is not None) == ("quota_exceeded", True)
    assert (await output.check()).state == "quota_exceeded"
    assert len(spotify.simulator.exchanges) == 1


async def test_a_limit_of_the_accounts_service_counts_too(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", expires_at=time.time() - 5)
    spotify.simulator.faults = [Fault(429, {"error": "too_many"}, {"Retry-After": "60"}, path="/api/token")]
    output = create_spotify_output(spotify, tmp_path)
    for _ in range(3):
        assert (await output.check()).state in ("unavailable", "rate_limited")
    assert len(spotify.simulator.exchanges) == 1


@pytest.mark.parametrize("header", ["soon", "", "-5", "1e400", "nan"])
async def test_a_senseless_retry_after_is_survived(
    output: SpotifyOutput, spotify: SimulatedSpotify, header: str
) -> None:
    spotify.simulator.faults = [rate_limit(header)]
    outcome = await output.play(SONGS)
    assert outcome.state == "rate_limited"
    assert outcome.wait_s is not None
    assert 0 < outcome.wait_s <= 86_400


async def test_a_service_that_hangs_blocks_nobody_for_five_seconds(
    output: SpotifyOutput, spotify: SimulatedSpotify
) -> None:
    spotify.simulator.faults = [Fault(204, hang_s=8, times=float("inf"))]
    for call in (output.check, lambda: output.play(SONGS), output.pause):
        with in_time():
            assert (await call()).state == "unavailable"


async def test_one_that_hangs_at_every_step_blocks_nobody_either(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", expires_at=time.time() - 5)
    spotify.simulator.faults = [Fault(401, hang_s=1.6, times=float("inf"))]
    slow_token = Fault(200, spotify.simulator.sign_in(CLIENT), hang_s=1.6, path="/api/token", times=float("inf"))
    spotify.simulator.faults.insert(0, slow_token)
    with in_time():
        outcome = await create_spotify_output(spotify, tmp_path).play(SONGS)
    assert outcome.state in ("unavailable", "needs_reauthorization")
    sent = len(spotify.simulator.exchanges)
    await asyncio.sleep(3)
    assert len(spotify.simulator.exchanges) <= sent + 1  # the one that was under way


async def test_who_does_not_answer_is_left_alone_for_a_while(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    output = create_spotify_output(spotify, tmp_path)
    spotify.simulator.faults = [refusal(500, times=float("inf"))]
    for _ in range(20):
        assert (await output.check()).state == "unavailable"
    assert len(spotify.simulator.exchanges) == 3
    spotify.simulator.faults.clear()
    async with asyncio.timeout(10):
        while (await output.check()).state != "ready":
            await asyncio.sleep(0.1)


async def test_it_recovers_by_itself_and_moods_keep_flowing(
    redis_url: str, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    sign_in(spotify, tmp_path / "spotify.json")
    async with player(redis_url, create_spotify_output(spotify, tmp_path)) as bus:
        await bus.publish(ranked(SONGS[0]))
        await state_is(bus, "playing")
        spotify.stop()
        start = await bus.last_id(type(await state_is(bus, "playing")))
        await bus.publish(ranked(SONGS[1]))
        await state_is(bus, "unavailable", start=start)
        with in_time(1):
            assert (await ask(bus, "player.status", {})).error is None
        spotify.start()
        await playback_where(bus, lambda event: event.song == SONGS[1] and event.state == "playing", within_s=30)
    assert spotify.simulator.account.playing_uri == SONGS[1].uri


# signing in


@pytest.fixture
def login(spotify: SimulatedSpotify, tmp_path: Path) -> SpotifyLogin:
    return create_login(spotify_settings(spotify, tmp_path))


async def test_without_a_token_it_is_signed_out_and_asks_nobody(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    output = create_spotify_output(spotify, tmp_path)
    assert (await output.check()).message == f"Sign in to Spotify at {PAGE}"
    assert (await output.play(SONGS)).state == "signed_out"
    assert not spotify.simulator.exchanges


async def test_signing_in_by_pasting_the_last_address(
    login: SpotifyLogin, spotify: SimulatedSpotify, tmp_path: Path
) -> None:
    address = login.begin()
    query = parse_qs(urlsplit(address).query)
    assert (query["code_challenge_method"], query["redirect_uri"]) == (["S256"], [REDIRECT])
    await asyncio.to_thread(login.finish_pasted, f"  {agree(address)}\n")
    file = tmp_path / "spotify.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert abs(JsonFile(file).load()["consented_at"] - time.time()) < 60
    assert (await create_spotify_output(spotify, tmp_path).check()).state == "ready"


def test_an_answer_that_was_not_asked_for_is_refused(login: SpotifyLogin) -> None:
    login.begin()
    for state in ("", "foreign", "ü"):
        with pytest.raises(MoodstreamError, match="not started here"):
            login.finish(state, "a code")
    for text in ("", "nonsense", "https://example.org/?x=1"):
        with pytest.raises(MoodstreamError, match="contains no code"):
            login.finish_pasted(text)


def test_a_code_works_once_and_for_who_asked(login: SpotifyLogin) -> None:
    ended = agree(login.begin())
    login.finish_pasted(ended)
    with pytest.raises(MoodstreamError, match="used before"):
        login.finish_pasted(ended)
    other = parse_qs(urlsplit(agree(login.begin())).query)
    login.begin()
    with pytest.raises(MoodstreamError, match="invalid_grant"):
        login.finish(list(login._open)[-1], other["code"][0])


def test_a_sign_in_that_was_cancelled_is_one_line(login: SpotifyLogin) -> None:
    with pytest.raises(MoodstreamError, match="was cancelled"):
        login.finish_pasted(agree(login.begin(), "no"))


@pytest.mark.parametrize(
    ("client_ids", "redirect_uris", "said"),
    [({"another"}, None, "Invalid client"), ({CLIENT}, {"http://127.0.0.1:9/x"}, "Invalid redirect URI")],
)
def test_spotify_itself_says_what_is_wrong_with_the_app(
    login: SpotifyLogin, spotify: SimulatedSpotify, client_ids: set[str], redirect_uris: set[str] | None, said: str
) -> None:
    spotify.simulator.account.client_ids, spotify.simulator.account.redirect_uris = client_ids, redirect_uris
    answer = httpx.get(login.begin())
    assert (answer.status_code, said in answer.text) == (400, True)


def test_a_service_that_is_away_while_signing_in_is_one_line(login: SpotifyLogin, spotify: SimulatedSpotify) -> None:
    ended = agree(login.begin())
    spotify.simulator.faults = [Fault(502, "<html>", path="/api/token")]
    with pytest.raises(MoodstreamError, match="Spotify refused the sign-in"):
        login.finish_pasted(ended)


@pytest.mark.parametrize("content", ["not JSON", "[]", "{}", '{"access_token": "x"}'])
async def test_a_broken_token_file_is_signed_out(spotify: SimulatedSpotify, tmp_path: Path, content: str) -> None:
    (tmp_path / "spotify.json").write_text(content)
    outcome = await create_spotify_output(spotify, tmp_path).play(SONGS)
    assert (outcome.state, PAGE in outcome.message) == ("signed_out", True)
    assert not spotify.simulator.exchanges


async def test_the_token_file_of_another_app_is_said(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    sign_in(spotify, tmp_path / "spotify.json", client_id="another")
    outcome = await create_spotify_output(spotify, tmp_path).check()
    assert (outcome.state, "another app" in outcome.message) == ("signed_out", True)


async def test_a_token_file_that_cannot_be_read_is_said(spotify: SimulatedSpotify, tmp_path: Path) -> None:
    (tmp_path / "spotify.json").mkdir()
    outcome = await create_spotify_output(spotify, tmp_path).check()
    assert (outcome.state, "cannot be read" in outcome.message) == ("signed_out", True)


async def test_tokens_stand_in_no_log(
    login: SpotifyLogin, spotify: SimulatedSpotify, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ended = agree(login.begin())
        login.finish_pasted(ended)
        spotify.simulator.expire()
        assert (await create_spotify_output(spotify, tmp_path).check()).state == "ready"
    kept = JsonFile(tmp_path / "spotify.json").load()
    secrets = {kept["access_token"], kept["refresh_token"], parse_qs(urlsplit(ended).query)["code"][0]}
    ours = [record for record in caplog.records if record.name.startswith(("moodstream", "spotipy", "urllib3"))]
    assert len(ours) > 3
    assert not [record for record in ours for secret in secrets if secret in record.getMessage()]


# the description


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore:Unsupported scheme type")
def test_every_request_and_answer_is_as_spotify_describes_them(exchanges: list[Exchange], reference: Path) -> None:
    """Answers that stand for a breakdown are no part of the description; statuses that it lacks have its error form."""
    described = Described(reference / "spotify" / "spotify-open-api.yml")
    api = [one for one in exchanges if one.path.startswith("/v1/")]
    paths = {f"{one.method} {one.path.removeprefix('/v1')}" for one in api}
    if "GET /search" not in paths:
        missing("the other tests of this file, run before it")
    assert paths >= {
        "GET /me/player",
        "PUT /me/player",
        "GET /me/player/devices",
        "PUT /me/player/play",
        "PUT /me/player/pause",
        "PUT /me/player/volume",
    }
    assert len(api) > 60
    for one in api:
        described.check_request(one)
        if not one.faulty:
            described.check_answer(one)
    assert {one.status for one in api} >= {200, 204, 401, 403, 404, 429, 500}
    assert described.answers > 40
