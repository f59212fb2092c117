"""The gate that cuts what a microphone hears into utterances, by itself, on sounds that are made here."""

import base64
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from services.voice.log_mel import RATE, Floats
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.voices import babble, tone

PUSH = """async ([sound, rate, music]) => {
  const { Gate } = await import("/static/voice/gate.js");
  const samples = new Float32Array(Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0)).buffer);
  const gate = new Gate(rate);
  gate.music = music;
  const utterances = [];
  for (let at = 0; at < samples.length; at += 128) {
    const ended = gate.push(samples.subarray(at, at + 128));
    for (const one of ended) utterances.push([(at + 128) / rate, one.length / rate]);
  }
  return [utterances, gate.open];
}"""
ROOM, VOICE, MUSIC = 0.001, 0.05, 0.01
"""Loudness (root mean square) of a room, of a voice in it, of music that comes back from the speakers."""


def at(loudness: float, sound: Floats) -> Floats:
    return np.asarray(sound * loudness / np.sqrt(np.mean(np.square(sound))), np.float32)


def room(seconds: float, loudness: float = ROOM) -> Floats:
    draw = np.random.default_rng(5)
    return np.asarray(loudness * draw.normal(size=int(seconds * RATE)), np.float32)


def music(seconds: float) -> Floats:
    """Notes of half a second, each of which fades."""
    fading = np.exp(-4 * (np.arange(RATE // 2) / RATE))
    notes = [tone(0.5, 220 * 2 ** (number % 7 / 12)) * fading for number in range(int(2 * seconds))]
    return at(MUSIC, np.concatenate(notes).astype(np.float32))


def said(*parts: tuple[float, Floats]) -> Floats:
    """Each sound after so many seconds of quiet, and two seconds of it after the last."""
    sound = np.concatenate([piece for quiet, part in parts for piece in (np.zeros(int(quiet * RATE)), part)])
    sound = np.concatenate([sound, np.zeros(2 * RATE)])
    return np.asarray(sound + room(len(sound) / RATE + 1)[: len(sound)], np.float32)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def program(gateway: Gateway, chromium: Browser) -> AsyncIterator[Page]:
    """A page of the gateway, from which its program is loaded."""
    async with open_page(chromium, gateway) as page:
        yield page


async def cut(page: Page, sound: Floats, *, rate: int = RATE, with_music: bool = False) -> list[list[float]]:
    """(seconds at which it was told, its length in seconds) of each utterance."""
    given = [base64.b64encode(sound.astype("<f4").tobytes()).decode(), rate, with_music]
    utterances, is_open = await page.evaluate(PUSH, given)
    assert not is_open
    result: list[list[float]] = utterances
    return result


async def test_each_utterance_comes_by_itself_with_a_margin(program: Page) -> None:
    sound = said((1, at(VOICE, babble(1.5))), (1, at(VOICE, babble(0.4, seed=2))))
    found = await cut(program, sound)
    assert [length for _, length in found] == pytest.approx([1.9, 0.8], abs=0.15)
    assert [told for told, _ in found] == pytest.approx([3.0, 4.4], abs=0.15)


@pytest.mark.parametrize("loudness", [0.0, ROOM, 0.03])
async def test_a_quiet_room_and_an_even_noise_send_nothing(loudness: float, program: Page) -> None:
    assert await cut(program, room(15, loudness)) == []


async def test_a_click_a_knock_and_rumble_are_no_utterance(program: Page) -> None:
    click, knock = np.full(80, 0.5, np.float32), at(0.3, tone(0.12, 300))
    assert await cut(program, said((1, click), (1, knock), (1, at(0.02, tone(3, 20))))) == []


async def test_who_speaks_on_is_cut_at_five_seconds_and_nothing_is_lost(program: Page) -> None:
    found = await cut(program, said((1, at(VOICE, babble(12)))))
    lengths = [length for _, length in found]
    assert lengths[:2] == [5.0, 5.0]
    assert sum(lengths) == pytest.approx(12.4, abs=0.2)


async def test_a_room_that_becomes_louder_is_soon_what_is_usual(program: Page) -> None:
    sound = np.concatenate([room(5), room(40, 0.02)])
    found = await cut(program, sound)
    assert 1 <= len(found) <= 4
    assert found[-1][0] < 25


async def test_music_is_what_is_usual_and_a_voice_stands_out_of_it(program: Page) -> None:
    sound = music(20) + room(20)
    assert await cut(program, sound, with_music=True) == []
    sound[10 * RATE : 12 * RATE] += at(VOICE, babble(2))
    [[told, length]] = await cut(program, sound, with_music=True)
    assert told == pytest.approx(12.5, abs=0.4)
    assert length == pytest.approx(2.4, abs=0.4)


async def test_another_rate_is_cut_alike(program: Page) -> None:
    sound = said((1, at(VOICE, babble(1.5))))
    triple = np.interp(np.arange(3 * len(sound)) / 3, np.arange(len(sound)), sound).astype(np.float32)
    [[_, length]] = await cut(program, triple, rate=3 * RATE)
    assert length == pytest.approx(1.9, abs=0.15)
