"""The file of the site's settings: below the environment and `.env`, above the defaults; what is wrong is one line."""

from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError, SettingError
from services.player.main import PlayerSettings
from services.recommender.main import RecommenderSettings
from shared.app.site_settings import SettingsDesk
from shared.settings import Settings, load, set_by_environment
from shared.site_file import MAX_BYTES


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOODSTREAM_SITE_SETTINGS", str(tmp_path / "settings.toml"))
    return tmp_path / "settings.toml"


def test_the_environment_overrules_the_file_and_the_file_the_defaults(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSTREAM_DEFAULT_GOAL", "calm")
    monkeypatch.setenv("MOODSTREAM_DEFAULT_EXPLICIT", "false")
    assert load(RecommenderSettings).goal == "calm"
    file.write_text('goal = "lift"\nopening_hours = "of another service"\nnobody_knows = 1\n')
    assert load(RecommenderSettings).goal == "lift"
    assert load(RecommenderSettings).explicit is False
    (file.parent / ".env").write_text("MOODSTREAM_GOAL=match\n")
    assert load(RecommenderSettings).goal == "match"
    assert set_by_environment(RecommenderSettings) == {"goal"} | ({"site_settings"})
    monkeypatch.setenv("MOODSTREAM_GOAL", "calm")
    assert load(RecommenderSettings).goal == "calm"


def test_a_setting_that_is_not_the_operators_is_not_taken_from_the_file(file: Path) -> None:
    file.write_text('redis_url = "redis://elsewhere"\ncatalogue = "/etc/passwd"\nranked = 3\noperator_token = "x"\n')
    settings = load(RecommenderSettings)
    assert (settings.ranked, settings.redis_url) == (10, "redis://127.0.0.1:6379/0")
    assert load(PlayerSettings).operator_token is None
    assert load(Settings).redis_url == "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"goal = \xff", "not in UTF-8"),
        (b"goal = lift", "Invalid value"),
        (b'goal = "up"', "MOODSTREAM_GOAL: Input should be"),
        (b"goal = [1]", "MOODSTREAM_GOAL: Input should be"),
        (b"#" * (MAX_BYTES + 1), "is larger than"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line(file: Path, content: bytes, line: str) -> None:
    file.write_bytes(content)
    with pytest.raises(MoodstreamError, match=line) as raised:
        load(RecommenderSettings)
    assert "\n" not in str(raised.value)


def test_a_folder_instead_of_the_file_is_one_line(file: Path) -> None:
    file.mkdir()
    with pytest.raises(MoodstreamError, match=r"MOODSTREAM_SITE_SETTINGS: .* directory"):
        load(RecommenderSettings)


def test_a_desk_says_who_sets_what_and_which_start_is_needed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSTREAM_VOLUME_MIN", "10")
    monkeypatch.setenv("MOODSTREAM_DEFAULT_PLAYER", "house")
    desk = SettingsDesk(load(PlayerSettings), lambda _: None)
    file.write_text('player = "log"\nvolume_max = 60\nvolume_min = 5\n')
    told = {one.name: one for one in desk.answer(None).settings}
    assert {name: (one.value, one.set_by, one.pending) for name, one in told.items()} == {
        "player": ("log", "file", True),
        "volume_min": (10, "environment", False),
        "volume_max": (60, "file", False),
        "quiet_hours": ("", "default", False),
        "quiet_volume": (0, "default", False),
    }
    assert (told["player"].default, told["player"].choices[0], told["player"].live) == ("house", "browser", False)
    assert (told["volume_max"].minimum, told["volume_max"].maximum, told["volume_max"].control) == (0, 100, "number")


def test_a_desk_refuses_with_the_line_of_the_start(file: Path) -> None:
    def check(tried: RecommenderSettings) -> None:
        tried.library_options()

    desk = SettingsDesk(load(RecommenderSettings), check)
    file.write_text('seasons = "always"\n')
    for wrong in ({"goal": "up"}, {"seasons": "easter:02-30..03-01"}, {"explicit": "perhaps"}):
        fault = desk.answer(wrong).fault
        assert fault is not None
        assert [fault.name] == list(wrong)
        with pytest.raises(SettingError) as raised:
            check(load(RecommenderSettings, **wrong))  # as the environment would have it
        assert fault.error == str(raised.value)
    assert desk.answer({"goal": "lift"}).fault is None
    assert (fault := desk.answer({"redis_url": "redis://elsewhere"}).fault) is not None
    assert fault.error == "redis_url: there is no such setting here"
