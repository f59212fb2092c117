"""MQTT against a real Mosquitto: retained state, the will, Home Assistant, commands, a broker that is killed."""

import asyncio
import json
import socket
import ssl
import subprocess
import time
from functools import partial
from pathlib import Path

import aiomqtt
import pytest
from jinja2 import Environment
from pydantic import JsonValue

from moodstream import __version__
from moodstream.contracts.events import RequestMade, Source, StatusChanged
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.bridge.home_assistant import camera_device, is_ours
from services.bridge.mqtt_address import Address, parse_address
from services.cli.run.embedded_redis import embedded_redis
from tests.support.bridges import Watcher, bridge, broker, hearing_osc, until, watching
from tests.support.certificates import make_certificate
from tests.support.gateways import answer, connected_bus
from tests.support.scenes import SIMILAR, faces_read, mood_changed, new_session, playing, probabilities

STATE = "moodstream/camera-1/state"
AVAILABILITY = "moodstream/bridge/availability"
PAGE = "http://kiosk:8080/operator"


async def test_the_present_is_retained_and_home_assistant_is_told_how_to_read_it(
    redis_url: str, tmp_path: Path
) -> None:
    with broker(tmp_path) as mosquitto:
        async with bridge(redis_url, mqtt_url=mosquitto.url, mqtt_page=PAGE) as bus:
            words = Source(kind="words", probabilities=probabilities(Mood.HAPPY, 0.9), weight=0.8)
            await bus.publish(mood_changed(Mood.HAPPY, new_session(), confidence=0.8, sources=(words,)))
            await bus.publish(playing())
            async with watching(mosquitto) as early:
                await until(
                    lambda: early.json(STATE).get("mood") == "happy" and "moodstream/playback" in early.payloads
                )
            async with watching(mosquitto) as late:  # whoever comes later is told by the broker
                await until(lambda: len(late.payloads) >= 5)
                state, playback = late.json(STATE), late.json("moodstream/playback")
                camera = late.json("homeassistant/device/moodstream_camera-1/config")
                player = late.json("homeassistant/device/moodstream_player/config")
                assert late.payloads[AVAILABILITY] == "online"
        async with watching(mosquitto) as after:
            await until(lambda: after.payloads.get(AVAILABILITY) == "offline")
    assert state | {"mood": "happy", "confidence": 0.8, "people": 1} == state
    assert state["sources"] == {"words": {"mood": "happy", "weight": 0.8}}
    attributes = Environment(autoescape=False).from_string(camera["components"]["mood"]["json_attributes_template"])
    assert json.loads(attributes.render(value_json=state)) == {"sources": state["sources"]}
    assert playback["now_playing"] == "Kites over Kilve - Ola Verano"
    sensors = {"mood", "confidence", "valence", "arousal", "people"}
    assert set(camera["components"]) == sensors | {"occupancy", "choice"}
    assert camera["state_topic"] == STATE
    for name in sensors:
        component = camera["components"][name]
        assert component["platform"] == "sensor"
        assert component["value_template"] == "{{ value_json." + name + " }}"
        assert name in state
    assert set(player["components"]) == {"now_playing", "state", "next", "toggle", "mute"}
    assert player["components"]["next"]["command_topic"] == "moodstream/command"
    assert playback["state"] in player["components"]["state"]["options"]
    for document in (camera, player):
        assert document["availability_topic"] == AVAILABILITY
        assert document["origin"] == {"name": "moodstream", "sw_version": __version__}
        assert document["device"]["sw_version"] == __version__
        assert document["device"]["configuration_url"] == PAGE
        assert len({one["unique_id"] for one in document["components"].values()}) == len(document["components"])


async def test_a_broker_that_was_killed_has_the_whole_present_again_when_it_returns(
    redis_url: str, tmp_path: Path
) -> None:
    with broker(tmp_path) as mosquitto:
        async with bridge(redis_url, mqtt_url=mosquitto.url) as bus:
            await bus.publish(mood_changed(Mood.HAPPY, new_session()))
            await bus.publish(playing())
            async with watching(mosquitto) as watcher:
                await until(lambda: watcher.json(STATE).get("mood") == "happy")
            mosquitto.kill()
            await bus.publish(mood_changed(Mood.SAD, new_session()))
            await asyncio.sleep(0.5)
            mosquitto.start()
            async with watching(mosquitto) as watcher:
                await until(lambda: watcher.json(STATE).get("mood") == "sad" and len(watcher.payloads) == 5)
                assert watcher.payloads[AVAILABILITY] == "online"
                assert watcher.json("moodstream/playback")["state"] == "playing"
                await bus.publish(mood_changed(Mood.CALM, new_session()))
                await until(lambda: watcher.json(STATE).get("mood") == "calm")


async def test_commands_reach_the_player_and_nonsense_does_not(redis_url: str, tmp_path: Path) -> None:
    with broker(tmp_path) as mosquitto:
        async with (
            bridge(redis_url, mqtt_url=mosquitto.url) as bus,
            connected_bus(redis_url) as player,
            watching(mosquitto) as watcher,
        ):
            await until(lambda: watcher.payloads.get(AVAILABILITY) == "online")
            asked: list[RequestMade] = []
            for command in ("dance", "next", "toggle"):
                if command != "dance":
                    task = await answer(player, "player.command")
                await watcher.client.publish("moodstream/command", command, qos=1)
                if command != "dance":
                    asked.append(await task)
            await bus.publish(playing(state="paused"))
            await until(lambda: watcher.json("moodstream/playback").get("state") == "paused")
            task = await answer(player, "player.command")
            await watcher.client.publish("moodstream/command", "toggle", qos=1)
            asked.append(await task)
    assert [one.body["command"] for one in asked] == ["next", "pause", "resume"]


@pytest.mark.parametrize(
    ("state", "occupied", "chosen"),
    [
        ({"mood": "happy", "people": 2}, "ON", "happy"),
        ({"mood": "unsure", "people": 1}, "ON", "None"),
        ({"mood": "nobody", "people": 0}, "OFF", "None"),
    ],
)
def test_templates_say_what_home_assistant_takes(state: dict[str, JsonValue], occupied: str, chosen: str) -> None:
    """`None` is no choice; a sensor's options and a select's are all that Home Assistant accepts."""
    components = camera_device("moodstream", "camera-1")[1]["components"]

    def shown(name: str) -> str:
        return Environment(autoescape=True).from_string(components[name]["value_template"]).render(value_json=state)

    assert (shown("mood"), shown("occupancy"), shown("choice")) == (state["mood"], occupied, chosen)
    assert state["mood"] in components["mood"]["options"]
    assert chosen in [*components["choice"]["options"], "None"]


def test_what_an_earlier_version_left_is_ours_too() -> None:
    document = camera_device("moodstream", "camera-1")[1]
    for version in ({}, {"sw_version": "9"}):
        assert is_ours(json.dumps(document | {"origin": {"name": "moodstream"} | version}), "moodstream")
    for another in ({"name": "zigbee2mqtt"}, "moodstream", None):
        assert not is_ours(json.dumps(document | {"origin": another}), "moodstream")


async def test_a_mood_is_chosen_at_the_camera_of_its_topic(redis_url: str, tmp_path: Path) -> None:
    with broker(tmp_path) as mosquitto:
        async with (
            bridge(redis_url, mqtt_url=mosquitto.url) as bus,
            connected_bus(redis_url) as tracker,
            watching(mosquitto) as watcher,
        ):
            await bus.publish(mood_changed(Mood.HAPPY, new_session()))
            await until(lambda: "homeassistant/device/moodstream_camera-1/config" in watcher.payloads)
            device = watcher.json("homeassistant/device/moodstream_camera-1/config")
            topic = device["components"]["choice"]["command_topic"]
            task = await answer(tracker, "mood.choose")
            for to, mood in (
                ("moodstream/camera-9/mood/set", "sad"),
                (topic, "nobody"),
                (topic, "angry"),
            ):
                await watcher.client.publish(to, mood, qos=1)
            asked = await task
    assert asked.body == {"camera_id": "camera-1", "mood": "angry"}


def told(watcher: Watcher, title: str) -> bool:
    return bool(watcher.json("moodstream/playback").get("title") == title)


async def test_a_mute_remembers_how_loud_it_was(redis_url: str, tmp_path: Path) -> None:
    with broker(tmp_path) as mosquitto:
        async with (
            bridge(redis_url, mqtt_url=mosquitto.url) as bus,
            connected_bus(redis_url) as player,
            watching(mosquitto) as watcher,
        ):
            asked: list[JsonValue] = []
            songs = [SIMILAR[0].model_copy(update={"title": title}) for title in ("First", "Second", "Third")]
            for song, volume in zip(songs, (70, 0, None), strict=True):
                await bus.publish(playing(song, volume=volume))
                await until(partial(told, watcher, song.title))
                task = await answer(player, "player.command")
                await watcher.client.publish("moodstream/command", "mute", qos=1)
                asked.append((await task).body["percent"])
    assert asked == [0, 70, 0]


async def test_the_camera_of_a_browser_leaves_nothing_behind(redis_url: str, tmp_path: Path) -> None:
    topic = "moodstream/browser-7/state"
    with broker(tmp_path) as mosquitto:
        async with bridge(redis_url, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            await bus.publish(StatusChanged(service="gateway", part="browser-7", state="online"))
            await until(lambda: AVAILABILITY in watcher.payloads)
            await asyncio.sleep(0.1)
            await bus.publish(mood_changed(Mood.SAD, new_session(), camera_id="browser-7"))
            await until(lambda: watcher.json(topic).get("mood") == "sad")
            await bus.publish(StatusChanged(service="gateway", part="browser-7", state="offline"))
            await until(lambda: watcher.payloads[topic] == "")
            assert not [name for name in watcher.payloads if "browser-7" in name and name != topic]
        async with watching(mosquitto) as watcher:
            await until(lambda: AVAILABILITY in watcher.payloads)
            assert topic not in watcher.payloads


async def test_a_mood_that_nobody_tells_any_more_ends(redis_url: str, tmp_path: Path) -> None:
    old = mood_changed(Mood.HAPPY, new_session())
    old = old.model_copy(update={"expires_at": old.at})
    with broker(tmp_path) as mosquitto:
        async with connected_bus(redis_url) as before:
            await before.publish(old)
        async with bridge(redis_url, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            await bus.publish(faces_read())
            await until(lambda: watcher.json(STATE).get("mood") == "nobody")


async def test_over_tls_with_a_password_and_what_is_wrong_is_told(
    redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, authority = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = make_certificate(tmp_path / "other")
    secured = f"user root\nallow_anonymous false\npassword_file {passwords(tmp_path)}"
    settings = f"{secured}\nkeyfile {key}\ncertfile {authority}"
    with broker(tmp_path, settings) as mosquitto:
        url = f"mqtts://lamp:secret%21@127.0.0.1:{mosquitto.port}"
        for wrong_url, wrong_ca, words in (
            (url, None, "CERTIFICATE_VERIFY_FAILED"),
            (url, other, "CERTIFICATE_VERIFY_FAILED"),
            (url.replace("secret", "guess"), authority, "ot authori"),
        ):
            caplog.clear()
            async with bridge(redis_url, mqtt_url=wrong_url, mqtt_ca=wrong_ca):
                await until(lambda words=words: words in caplog.text)  # type: ignore[misc]
            assert "secret" not in caplog.text
        async with bridge(redis_url, mqtt_url=url, mqtt_ca=authority) as bus:
            context = ssl.create_default_context(cafile=authority)
            async with aiomqtt.Client(
                "127.0.0.1", mosquitto.port, username="lamp", password="secret!", tls_context=context
            ) as client:
                await client.subscribe(STATE)
                await bus.publish(mood_changed(Mood.HAPPY, new_session()))
                async with asyncio.timeout(10):
                    message = await anext(client.messages)
    assert isinstance(message.payload, bytes)
    assert json.loads(message.payload)["mood"] == "happy"


def passwords(folder: Path) -> Path:
    file = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", file, "lamp", "secret!"], check=True, capture_output=True)
    return file


def test_addresses(tmp_path: Path) -> None:
    assert parse_address("mqtt://broker") == Address("broker", 1883, None, None, None)
    address = parse_address("mqtts://me:p%40ss@broker")
    assert (address.host, address.port, address.username, address.password) == ("broker", 8883, "me", "p@ss")
    assert address.tls is not None
    assert address.tls.check_hostname
    (tmp_path / "text").write_text("no certificate")
    for file in (tmp_path / "none", tmp_path / "text"):
        with pytest.raises(MoodstreamError, match="MOODSTREAM_MQTT_CA"):
            parse_address("mqtts://broker", file)
    for wrong in ("broker:1883", "http://broker", "mqtt://", "mqtt://broker:port", "mqtt://broker:0", "mqtt://a..b"):
        with pytest.raises(MoodstreamError, match="MOODSTREAM_MQTT_URL"):
            parse_address(wrong)


async def test_what_an_earlier_run_left_is_cleared_and_what_came_back_stays(redis_url: str, tmp_path: Path) -> None:
    gone, hall = "moodstream/gone/state", "moodstream/hall/state"
    configs = [f"homeassistant/device/moodstream_{name}/config" for name in ("gone", "hall", "foreign")]
    foreign = {"origin": {"name": "moodstream"}, "availability_topic": "another/bridge/availability"}
    with broker(tmp_path) as mosquitto, embedded_redis() as before:
        async with bridge(before, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            for camera_id in ("gone", "hall"):
                await bus.publish(mood_changed(Mood.SAD, new_session(), camera_id=camera_id))
            await until(lambda: watcher.json(gone).get("mood") == watcher.json(hall).get("mood") == "sad")
            await watcher.client.publish(configs[2], json.dumps(foreign), qos=1, retain=True)
        async with bridge(redis_url, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            await bus.publish(StatusChanged(service="camera", part="hall", state="online"))
            await until(lambda: watcher.json(gone).get("mood") == watcher.json(hall).get("mood") == "nobody")
            assert watcher.payloads[configs[0]]
            await until(lambda: watcher.payloads[configs[0]] == watcher.payloads[gone] == "", timeout_s=25)
            assert watcher.json(hall)["mood"] == "nobody"
            assert watcher.json(configs[1])["state_topic"] == hall
            assert watcher.json(configs[2]) == foreign


async def test_the_song_of_an_earlier_run_plays_no_more_until_a_player_says_so(redis_url: str, tmp_path: Path) -> None:
    topic = "moodstream/playback"
    with broker(tmp_path) as mosquitto, embedded_redis() as before:
        async with bridge(before, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            await bus.publish(playing())
            await until(lambda: watcher.json(topic).get("state") == "playing")
        async with bridge(redis_url, mqtt_url=mosquitto.url) as bus, watching(mosquitto) as watcher:
            await until(lambda: watcher.json(topic).get("state") == "unavailable")
            assert watcher.json(topic)["now_playing"] == "nothing"
            player = watcher.json("homeassistant/device/moodstream_player/config")
            assert "unavailable" in player["components"]["state"]["options"]
            await bus.publish(playing())
            await until(lambda: watcher.json(topic).get("state") == "playing")
        async with bridge(redis_url, mqtt_url=mosquitto.url), watching(mosquitto) as watcher:
            await until(lambda: watcher.payloads.get(AVAILABILITY) == "online" and topic in watcher.payloads)
            await asyncio.sleep(0.5)
            assert watcher.json(topic)["state"] == "playing", "this Redis still knows it"


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho's, of a handshake without an end
async def test_a_broker_that_says_nothing_holds_up_nobody(redis_url: str) -> None:
    """It accepts connections, as a broker does that hangs, or a port that belongs to something else."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("mqtt", "mqtts"):
            async with hearing_osc() as (osc, heard):
                url = f"{scheme}://127.0.0.1:{port}"
                async with bridge(redis_url, mqtt_url=url, osc_to=f"127.0.0.1:{osc}", osc_rate=50):
                    await until(lambda heard=heard: len(heard) > 5)  # type: ignore[misc]
                    begun, longest_s = time.monotonic(), 0.0
                    while time.monotonic() - begun < 2:
                        before = time.monotonic()
                        await asyncio.sleep(0.01)
                        longest_s = max(longest_s, time.monotonic() - before)
                    assert longest_s < 1


def test_cameras_whose_names_look_alike_have_topics_of_their_own() -> None:
    names = ("bar_1", "bar.1", "bar-1", "Bar_1", "入口", "出口", "Küche", "Kueche", "Cafe\u0301", "Caf\u00e9")
    topics = [camera_device("moodstream", name)[1]["state_topic"] for name in names]
    assert len(set(topics)) == len(names)


def test_names_that_differ_are_different_devices() -> None:
    names = ("bar_1", "bar.1", "bar-1", "Bar_1", "a", "b", "入口", "出口")
    devices = [camera_device("moodstream", name) for name in names]
    assert len({object_id for object_id, _ in devices}) == len(names)
    assert len({one["unique_id"] for _, each in devices for one in each["components"].values()}) == 7 * len(names)
