"""The languages of the page: files that say the same, a switch on the spot, text that runs from right to left."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from playwright.async_api import Browser, expect

from moodstream.contracts.events import Because, Compared
from moodstream.contracts.moods import MOODS, Mood
from services.gateway.pages import STATIC
from services.gateway.state.kiosk import Language
from services.recommender.choice.reasons import DEGREES, TRAITS, WORDS, sentence
from shared.bus.connection import Bus
from tests.support.gateways import Gateway
from tests.support.page.browser import open_page
from tests.support.page.stages import arrive, at_stage, visit
from tests.support.scenes import COMPARED, REASONS, mood_changed, picked, playing, ranked

LANGUAGES = get_args(Language)
MADE = ("trait_", "degree_", "more_", "less_")
OPERATOR_MADE = (
    "op_set_",
    "op_hint_",
    "op_choice_",
    "op_role_",
    "op_report_",
    "op_consent_",
    "op_setup_",
    "op_care_kind_",
    "op_player_",
    "op_code_",
    "op_service_",
    "op_voice_",
    "op_view_kind_",
    "op_gate_",
    "op_check_",
)
SOURCES = ("source_",)
"""Beginnings of keys that the page puts together: what was compared, what operators see, what a mood comes from."""
VALUES = re.compile(r"\{\w+\}")
SCRIPTS = {"en": "latin", "de": "latin", "fr": "latin", "es": "latin", "ja": r"[぀-ヿ一-鿿]", "ar": r"[؀-ۿ]"}


VISITORS, OPERATORS = STATIC / "messages", STATIC / "operator" / "messages"


def read(folder: Path, language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((folder / f"{language}.json").read_text("utf-8"))
    return words


def messages(language: str) -> dict[str, str]:
    """Of the visitors' page and the operator's."""
    return read(VISITORS, language) | read(OPERATORS, language)


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    for folder in (VISITORS, OPERATORS):
        assert {path.stem for path in folder.iterdir()} == set(LANGUAGES)


def test_visitors_do_not_load_what_only_operators_read() -> None:
    assert {key for key in read(VISITORS, "en") if key.startswith("op_")} == set()
    assert {key for key in read(OPERATORS, "en") if not key.startswith("op_")} == set()
    page = [STATIC / "index.html", *STATIC.glob("*.js"), *(STATIC / "voice").glob("*.js")]
    assert [path.name for path in page if re.search(r"\bop_\w", path.read_text("utf-8"))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_values(language: str) -> None:
    english, words = messages("en"), messages(language)
    assert list(words) == list(english)
    assert {key for key, text in words.items() if not text.strip()} == set()
    assert {key for key in words if sorted(VALUES.findall(words[key])) != sorted(VALUES.findall(english[key]))} == set()
    if language != "en":
        same = {key for key in words if words[key] == english[key]}
        assert same <= {"stop", "paused", "do_pause", "embed", "trait_tempo", "calm", "sad", "op_no"}, same
    if SCRIPTS[language] != "latin":
        assert {key for key, text in words.items() if not re.search(SCRIPTS[language], text)} == set()


def test_every_word_that_the_page_asks_for_is_there_and_is_asked_for() -> None:
    code = "".join(path.read_text("utf-8") for path in (*STATIC.rglob("*.js"), *STATIC.rglob("*.html")))
    known = set(messages("en"))
    asked = set(re.findall(r"""\bt\("(\w+)"|data-text="(\w+)\"""", code))
    assert {key for pair in asked for key in pair if key} <= known
    made = {key for key in known if key.startswith(MADE + OPERATOR_MADE + SOURCES)} | {m.value for m in MOODS}
    made |= {"do_pause", "do_resume"} | {f"because_{kind}" for kind in ("picked", "liked", "heard")}
    assert {key for key in known - made if not re.search(rf"\b{key}\b", code)} == set()


def test_every_reason_of_the_recommender_has_its_words() -> None:
    wanted = {f"trait_{trait.feature}" for trait in TRAITS}
    wanted |= {f"{direction}_{trait.feature}" for trait in TRAITS for direction in ("more", "less")}
    wanted |= {f"degree_{degree}" for degree in DEGREES if degree != "alike"}
    assert wanted == {key for key in messages("en") if key.startswith(MADE)}


def test_the_page_says_in_english_what_the_recommender_says() -> None:
    words = messages("en")
    assert tuple(map(sentence, COMPARED)) == REASONS
    assert {trait.feature: trait.name for trait in TRAITS} == {
        trait.feature: words[f"trait_{trait.feature}"] for trait in TRAITS
    }
    for trait in TRAITS:
        changes = words[f"more_{trait.feature}"], words[f"less_{trait.feature}"]
        assert changes == (trait.more, trait.less)
    assert {degree: words[f"degree_{degree}"].removesuffix(" {change}") for degree in WORDS} == WORDS


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_whole_visit_in_each_language(language: str, gateway: Gateway, chromium: Browser, bus: Bus) -> None:
    words = messages(language)
    async with open_page(chromium, gateway, path=f"/?lang={language}") as page:
        async for stage in visit(bus, page, Mood.SAD):
            if stage == "attract":
                await expect(page.locator("#word")).to_have_text(words["attract"])
                await expect(page.locator("html")).to_have_attribute("lang", language)
                await expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
            elif stage == "mirror":
                await expect(page.locator("#word")).to_have_text(words["sad"])
            elif stage == "listen":
                reason = page.locator("#ranking .reason").first
                await expect(reason).to_contain_text(words["trait_tempo"])
                await expect(reason).not_to_have_attribute("lang", "en")
            shown = await page.locator("body").inner_text()
            assert not re.search(r"undefined|NaN|\{\w+\}|\bnull\b", shown), shown


async def test_the_language_is_switched_on_the_spot_and_back_after_the_visit(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, locale="de-AT") as page:
        await expect(page.locator("#word")).to_have_text("Komm näher")  # as the browser wants it
        mood, _ = await arrive(bus, page)
        await page.locator("#language").click()
        await page.get_by_role("button", name="العربية").click()
        await expect(page.locator("#word")).to_have_text("الفرح")
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        moon, said = [await page.locator(name).bounding_box() for name in ("#scene", "#said")]
        assert moon is not None
        assert said is not None
        assert moon["x"] > said["x"]  # the moon stands where reading begins
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await expect(page.locator("#word")).to_have_text("Auf Wiedersehen")


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_ranking_says_which_earlier_song_speaks_most_for_another(
    language: str, gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    words = messages(language)
    async with open_page(chromium, gateway, path=f"/?lang={language}") as page:
        _, offer = await arrive(bus, page)
        ranking = ranked(picked(offer))
        liked = Because(song=offer.songs[2], kind="liked", weight=0.9)
        own = Because(song=ranking.picked, kind="picked", weight=1.2)
        against = Because(song=offer.songs[3], kind="skipped", weight=-2.0)
        told = [(liked, own), (own, liked), (against, liked), (against,), ()]
        moved = [one.model_copy(update={"because": why}) for one, why in zip(ranking.ranking, told, strict=False)]
        await bus.publish(ranking.model_copy(update={"ranking": tuple(moved)}))
        reasons = page.locator("#ranking .reason")
        because = words["because_liked"].replace("{title}", offer.songs[2].title)
        await expect(reasons.nth(0)).to_have_text(because)
        await expect(reasons.nth(2)).to_have_text(because)
        for row in (1, 3, 4):
            await expect(reasons.nth(row)).not_to_have_text(because)


async def test_a_ranking_says_in_german_what_was_compared_whatever_the_sentence(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, path="/?lang=de") as page:
        mood, offer = await arrive(bus, page)
        ranking = ranked(picked(offer))
        reworded = [one.model_copy(update={"reason": "In other words."}) for one in ranking.ranking]
        await bus.publish(ranking.model_copy(update={"ranking": tuple(reworded)}))
        reasons = page.locator("#ranking .reason")
        await expect(reasons).to_have_text(
            [
                "Gleich in Tempo und Tanzbarkeit, etwas schwungvoller",
                "Gleich in Schwung und Tempo, etwas heller",
                "Gleich in Schwung, Tempo und Klang und auch sonst ähnlich",
                "Am nächsten in Tanzbarkeit, deutlich akustischer",
                "Gleich in Helligkeit und Klang, etwas langsamer",
                "Gleich in Tempo, viel weniger gesprochen",
            ]
        )
        await expect(reasons.first).not_to_have_attribute("lang", "en")
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await at_stage(page, "goodbye")


def compared(**fields: str) -> Compared:
    return Compared.model_validate({"trait": "tempo", "degree": "alike"} | fields)


UNSAID: tuple[tuple[Compared, ...], ...] = (
    (),  # as in recordings from before there was such a thing
    (compared(trait="choir"),),
    (compared(degree="opposite"), compared(degree="much", direction="more")),
    (compared(), compared(trait="energy", degree="barely", direction="more")),
    (compared(), *[compared(trait=trait, degree="much", direction="less") for trait in ("energy", "valence")]),
)


async def test_what_was_not_compared_or_has_no_words_stands_as_the_sentence(
    gateway: Gateway, chromium: Browser, bus: Bus
) -> None:
    async with open_page(chromium, gateway, path="/?lang=fr") as page:
        mood, offer = await arrive(bus, page)
        ranking = ranked(picked(offer))
        unsaid = [
            one.model_copy(update={"reason": "Sung by the same choir.", "compared": said})
            for one, said in zip(ranking.ranking, UNSAID, strict=False)
        ]
        await bus.publish(ranking.model_copy(update={"ranking": tuple(unsaid)}))
        reasons = page.locator("#ranking .reason")
        await expect(reasons).to_have_text(["Sung by the same choir."] * len(UNSAID))
        await expect(page.locator("#ranking .reason[lang=en]")).to_have_count(len(UNSAID))
        await bus.publish(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
        await bus.publish(playing(None, state="ready"))
        await at_stage(page, "goodbye")
