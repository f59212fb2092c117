"""What shall play, decided without clock, network or output."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from moodstream.contracts.events import MoodChanged, RequestMade, Song, SongsRanked, expiry
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import CommandPlayer
from moodstream.errors import MoodstreamError
from services.player.outputs import ADVICE, LASTING, WORKS, Outcome
from services.player.programme.actions import Action
from services.player.programme.quiet_hours import parse_quiet_hours
from services.player.programme.rules import Rules
from services.player.programme.state_machine import Programme, Saved
from tests.support.players import SONGS, command, ranked

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Stage:
    """A programme with a clock of its own, and an output that obeys."""

    def __init__(self, rules: Rules | None = None, saved: Saved | None = None, at: datetime = NOON) -> None:
        self.programme = Programme(rules or Rules(), saved or Saved())
        self.now_s, self.begun = 0.0, at
        self.volume: int | None = None

    @property
    def at(self) -> datetime:
        return self.begun + timedelta(seconds=self.now_s)

    def next(self) -> Action | None:
        return self.programme.next_action(self.now_s, self.at)

    def answer(self, action: Action, outcome: Outcome | None = None) -> None:
        playing = {"play": "playing", "resume": "playing", "pause": "paused", "stop": "ready"}
        state = playing.get(action.kind, self.programme.shown.state if self.programme.shown.state in WORKS else "ready")
        done = Outcome(state, song=action.songs[0] if action.songs else None)  # type: ignore[arg-type]
        if action.kind == "volume":
            done = Outcome(done.state, song=done.song, volume=action.volume)
        self.programme.apply_outcome(action, outcome or done, self.now_s)

    def run(self) -> list[str]:
        """All that is asked of the output until there is nothing to do."""
        asked = []
        while (action := self.next()) is not None:
            self.answer(action)
            if action.kind != "check":
                what = action.songs[0].id if action.songs else action.device or action.volume or ""
                asked.append(f"{action.kind} {what}".strip())
        return asked

    def rank(self, *songs: Song, **fields: object) -> bool:
        times = {"at": self.at, "expires_at": self.at + SongsRanked.LIFETIME}
        return self.programme.apply_ranking(ranked(*songs, **times | fields))

    def order(self, name: str, **body: object) -> None:
        request = command(name, **body)
        self.programme.apply_command(CommandPlayer.of(request.body), request, self.at)

    def later(self, seconds: float) -> "Stage":
        self.now_s += seconds
        return self


def mood_of(ranking_session: str | None, mood: Mood, phase: str = "update") -> MoodChanged:
    values: dict[str, Any] = {"type": "MoodChanged", "phase": phase, "reason": "change", "camera_id": "c", "mood": mood}
    values |= {"before": Mood.SAD, "confidence": 0.9, "probabilities": None, "valence": 0, "arousal": 0, "faces": 1}
    values |= {"since": NOON, "expires_at": expiry(MoodChanged), "model": "m", "session_id": ranking_session}
    return MoodChanged.model_validate(values)


def test_the_newest_ranking_plays_and_the_same_or_an_older_one_changes_nothing() -> None:
    stage = Stage()
    assert stage.rank(SONGS[0])
    assert stage.rank(SONGS[1], at=stage.at + timedelta(seconds=1))
    assert stage.run() == ["play s1"]
    assert not stage.rank(SONGS[2], at=stage.at - timedelta(seconds=30))
    assert not stage.rank(SONGS[1], at=stage.at + timedelta(seconds=1))
    assert stage.run() == []


def test_after_the_clock_was_set_back_two_hours_rankings_still_play() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    stage.run()
    stage.begun -= timedelta(hours=2)
    assert stage.rank(SONGS[1])
    assert stage.run() == ["play s1"]


def test_a_ranking_that_has_expired_does_not_play() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    assert stage.later(61).run() == []


def test_a_song_is_not_cut_before_its_time() -> None:
    stage = Stage(Rules(song_min_s=10))
    stage.rank(SONGS[0])
    assert stage.run() == ["play s0"]
    stage.later(2).rank(SONGS[1])
    assert stage.run() == []
    stage.later(3).rank(SONGS[2])
    assert stage.later(4.9).run() == []
    assert stage.later(0.1).run() == ["play s2"]


def test_a_command_of_a_person_cuts_at_once() -> None:
    stage = Stage(Rules(song_min_s=10))
    stage.rank(*SONGS[:3])
    stage.run()
    stage.order("next")
    assert stage.run() == ["play s1"]


def test_a_stop_ends_the_music_of_that_visit_alone() -> None:
    stage = Stage()
    stage.rank(*SONGS[:2], session_id="here")
    assert stage.run() == ["play s0"]
    stage.order("stop", session_id="elsewhere")
    assert stage.run() == []
    assert stage.programme.song == SONGS[0]
    stage.order("stop", session_id="here")
    assert stage.run() == ["stop"]
    assert stage.programme.shown.state == "ready"
    now = stage.programme
    assert now.song is None
    assert now.upcoming == ()
    stage.order("play", song=SONGS[2].model_dump())  # an operator's own wish is no visitor's
    assert stage.run() == ["play s2"]
    stage.order("stop", session_id="here")
    assert stage.run() == []
    stage.order("stop")
    assert stage.run() == ["stop"]


def test_a_stop_drops_the_songs_that_wait_and_one_that_fails_is_tried_again() -> None:
    stage = Stage(Rules(song_min_s=60))
    stage.rank(SONGS[0], session_id="a")
    stage.run()
    stage.later(1).rank(SONGS[1], session_id="b")
    stage.order("stop", session_id="b")
    assert stage.later(60).run() == []
    stage.order("stop", session_id="a")
    action = stage.next()
    assert action is not None
    stage.answer(action, Outcome("unavailable"))
    assert stage.later(3).run() == ["stop"]


def test_what_a_paused_output_still_holds_after_a_stop_is_not_shown_as_paused() -> None:
    stage = Stage(Rules(check_every_s=2))
    stage.rank(SONGS[0], session_id="a")
    stage.run()
    stage.order("stop", session_id="a")
    stage.run()
    action = stage.later(3).next()
    assert action is not None
    stage.answer(action, Outcome("paused", song=SONGS[0]))
    assert (stage.programme.shown.state, stage.programme.song) == ("ready", None)


def test_music_ends_some_time_after_the_last_visitor_has_gone() -> None:
    stage = Stage(Rules(music_after_s=30))

    def see(session: str, phase: str = "update") -> None:
        times = {"at": stage.at, "expires_at": stage.at + timedelta(seconds=30)}
        stage.programme.apply_mood(mood_of(session, Mood.SAD, phase).model_copy(update=times))

    see("a")
    stage.rank(SONGS[0], session_id="a")
    stage.run()
    see("b")
    see("a", "end")  # somebody else is there still, until its events stay away
    assert stage.later(29).run() == []
    assert stage.later(2).run() == []
    assert stage.later(28).run() == []
    saved = Saved.model_validate_json(stage.programme.snapshot().model_dump_json())
    assert saved.visit == "a"
    assert stage.later(3).run() == ["stop"]
    assert stage.later(100).run() == []
    stage.order("play", song=SONGS[1].model_dump())  # nobody need be there for what an operator plays
    assert stage.run() == ["play s1"]
    assert stage.later(100).run() == []


@pytest.mark.parametrize(
    ("by", "mood", "phase", "plays"),
    [
        ("auto", Mood.HAPPY, "update", []),
        ("auto", Mood.NOBODY, "end", []),
        ("auto", Mood.SAD, "update", ["play s1"]),
        ("auto", Mood.UNSURE, "update", ["play s1"]),
        ("visitor", Mood.HAPPY, "update", ["play s1"]),
    ],
)
def test_a_mood_that_passes_quickly_does_not_change_the_music(
    by: str, mood: Mood, phase: str, plays: list[str]
) -> None:
    stage = Stage(Rules(song_min_s=10))
    stage.rank(SONGS[0])
    stage.run()
    stage.later(1).rank(SONGS[1], by=by, session_id="a visit")
    assert stage.run() == []
    stage.programme.apply_mood(mood_of("another visit", Mood.HAPPY))
    stage.programme.apply_mood(mood_of("a visit", mood, phase))
    assert stage.later(10).run() == plays


def test_next_goes_along_the_ranking_and_says_when_it_ends() -> None:
    stage = Stage()
    stage.rank(*SONGS[:2])
    stage.run()
    stage.order("next")
    assert stage.run() == ["play s1"]
    with pytest.raises(MoodstreamError, match="No more songs"):
        stage.order("next")


def test_a_song_that_ended_in_two_pages_is_followed_by_one() -> None:
    stage = Stage()
    stage.rank(*SONGS)
    stage.run()
    stage.order("ended", song="s0")
    assert stage.run() == ["play s1"]
    stage.order("ended", song="s0")
    assert stage.run() == []
    for last in ("s1", "s2", "s3"):
        stage.order("ended", song=last)
    assert stage.run() == ["stop"]  # after the last song it is quiet
    assert (stage.programme.shown.state, stage.programme.song) == ("ready", None)


def test_of_commands_the_newest_counts() -> None:
    stage = Stage()
    stage.rank(*SONGS)
    stage.run()
    for name in ("pause", "resume", "next", "pause"):
        stage.order(name)
    for percent in (10, 20, 30):
        stage.order("volume", percent=percent)
    assert stage.run() == ["pause", "volume 30"]


def test_a_command_that_waited_too_long_is_dropped() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    stage.run()
    stage.order("pause")
    assert stage.later(11).run() == []


def test_play_now_and_queue() -> None:
    stage = Stage()
    stage.order("play", song=SONGS[2].model_dump())
    assert stage.run() == ["play s2"]
    stage.order("queue", song=SONGS[3].model_dump())
    assert stage.run() == []
    assert [song.id for song in stage.programme.upcoming] == ["s3"]
    stage.order("next")
    assert stage.run() == ["play s3"]


@pytest.mark.parametrize(
    "body",
    [
        {"command": "explode"},
        {},
        {"command": 7},
        {"command": "volume"},
        {"command": "volume", "percent": "loud"},
        {"command": "volume", "percent": 101},
        {"command": "volume", "percent": True},
        {"command": "play"},
        {"command": "play", "song": {"id": 3}},
        {"command": "queue", "song": []},
        {"command": "transfer"},
        {"command": "transfer", "device": ""},
        {"command": "next"},
    ],
)
def test_a_command_that_makes_no_sense_is_one_line(body: dict[str, object]) -> None:
    stage = Stage()
    request = RequestMade(kind="player.command", body=body, expires_at=expiry(RequestMade))  # type: ignore[arg-type]
    with pytest.raises(MoodstreamError) as refusal:
        stage.programme.apply_command(CommandPlayer.of(request.body), request, NOON)
    assert "\n" not in str(refusal.value)
    assert stage.run() == []


def test_the_volume_stays_within_the_limits_also_when_it_is_turned_at_the_output() -> None:
    stage = Stage(Rules(volume_min=20, volume_max=60))
    for percent, limited in ((100, "volume 60"), (0, "volume 20"), (40, "volume 40")):
        stage.order("volume", percent=percent)
        assert stage.run() == [limited]
    stage.answer(Action("check"), Outcome("ready", volume=90))
    assert stage.run() == ["volume 60"]


def test_the_volume_at_the_start_is_set_once() -> None:
    stage = Stage(Rules(volume=35))
    assert stage.run() == ["volume 35"]
    again = Stage(Rules(volume=35), stage.programme.snapshot())
    assert again.run() == []


def test_quiet_hours_are_silent_and_the_music_comes_back() -> None:
    stage = Stage(Rules(quiet=parse_quiet_hours("22:00-07:00")), at=NOON.replace(hour=21, minute=59))
    stage.rank(*SONGS)
    assert stage.run() == ["play s0"]
    stage.later(60)
    assert stage.run() == ["pause"]
    assert stage.programme.message == "Quiet hours until 07:00."
    stage.rank(SONGS[3])
    assert stage.run() == []
    with pytest.raises(MoodstreamError, match="Quiet hours until 07:00"):
        stage.order("next")
    assert stage.later(9 * 3600 - 1).run() == []
    assert stage.later(1).run() == ["resume"]
    assert stage.programme.message == ""


def test_what_a_person_paused_stays_paused_after_the_quiet_hours() -> None:
    stage = Stage(Rules(quiet=parse_quiet_hours("22:00-07:00")), at=NOON.replace(hour=21, minute=59))
    stage.rank(*SONGS)
    stage.run()
    stage.order("pause")
    stage.run()
    assert stage.later(60).run() == []
    assert stage.later(9 * 3600).run() == []


def test_quiet_hours_may_be_low_instead_of_silent() -> None:
    stage = Stage(Rules(quiet=parse_quiet_hours("13:00-14:00"), quiet_volume=15, volume=70))
    stage.rank(*SONGS)
    assert stage.run() == ["play s0", "volume 70"]
    assert stage.later(3600).run() == ["volume 15"]
    stage.order("volume", percent=80)
    assert stage.run() == ["volume 15"]
    assert stage.later(3600).run() == ["volume 70"]


@pytest.mark.parametrize("hours", [0.5, 1.5])
def test_a_player_that_takes_over_in_or_after_the_quiet_hours_goes_on_as_loud_as_before(hours: float) -> None:
    rules = Rules(quiet=parse_quiet_hours("13:00-14:00"), quiet_volume=15, volume=70)
    stage = Stage(rules)
    stage.rank(*SONGS)
    stage.run()
    stage.later(3600).run()
    second = Stage(rules, stage.programme.snapshot(), at=stage.later(3600 * hours).at)
    assert second.run()[-1:] == (["volume 15"] if hours < 1 else ["volume 70"])
    assert second.later(3600).run()[-1:] == (["volume 70"] if hours < 1 else [])


@pytest.mark.parametrize("hours", [0.5, 1.5])
def test_a_player_that_takes_over_in_or_after_hours_of_silence_goes_on_with_the_music(hours: float) -> None:
    rules = Rules(quiet=parse_quiet_hours("13:00-14:00"))
    stage = Stage(rules)
    stage.rank(*SONGS)
    stage.run()
    assert stage.later(3600).run() == ["pause"]
    second = Stage(rules, stage.programme.snapshot(), at=stage.later(3600 * hours).at)
    assert second.run() == ([] if hours < 1 else ["resume"])
    assert second.later(3600).run() == (["resume"] if hours < 1 else [])


@pytest.mark.parametrize(
    ("text", "clock", "end"),
    [
        ("22:00-07:00", (23, 0), (5, 7)),
        ("22:00-07:00", (6, 59), (4, 7)),
        ("22:00-07:00", (7, 0), None),
        ("22:00-07:00", (21, 59), None),
        ("13:00-15:30", (13, 0), (4, 15)),
        ("13:00-15:30", (15, 30), None),
    ],
)
def test_quiet_hours(text: str, clock: tuple[int, int], end: tuple[int, int] | None) -> None:
    hours = parse_quiet_hours(text)
    assert hours is not None
    until = hours.until(NOON.replace(hour=clock[0], minute=clock[1]))
    assert (until and (until.day, until.hour)) == end


@pytest.mark.parametrize("text", ["late", "22-7", "25:00-07:00", "22:00-07:60"])
def test_quiet_hours_of_another_form_are_one_line(text: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_QUIET_HOURS"):
        parse_quiet_hours(text)


def test_what_failed_is_tried_again_until_it_expires_but_not_at_once() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    away = Outcome("unavailable")
    tries = []
    while stage.now_s < 120:
        action = stage.next()
        if action is not None:
            if action.kind == "play":
                tries.append(stage.now_s)
            stage.answer(action, away)
        stage.later(0.5)
    assert tries[0] == 0
    assert 5 <= len(tries) <= 10
    assert tries[-1] <= 60
    assert all(second - first >= 1 for first, second in pairwise(tries))


@pytest.mark.parametrize("state", sorted(LASTING))
def test_what_only_a_person_can_mend_is_not_tried_again(state: str) -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    action = stage.next()
    assert action is not None
    assert action.kind == "play"
    stage.answer(action, Outcome(state))  # type: ignore[arg-type]
    assert stage.programme.message == ADVICE[state] != ""  # type: ignore[index]
    for _ in range(100):
        action = stage.later(1).next()
        assert action is None or action.kind == "check"
        if action is not None:
            stage.answer(action, Outcome(state))  # type: ignore[arg-type]


def test_nothing_is_asked_before_the_wait_is_over() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    stage.answer(stage.next() or Action("check"), Outcome("rate_limited", wait_s=30))
    stage.order("pause")
    for _ in range(29):
        assert stage.later(1).next() is None
    action = stage.later(1).next()
    assert action is not None


def test_a_song_that_cannot_be_found_is_noted_and_the_next_one_plays() -> None:
    stage = Stage()
    stage.rank(*SONGS[:3])
    for song in SONGS[:2]:
        action = stage.next()
        assert action is not None
        assert action.songs[0] == song
        stage.answer(action, Outcome("unavailable", "not there", skip=True))
    assert stage.run() == ["play s2"]
    assert list(stage.programme.missing) == ["s0", "s1"]


def test_if_no_song_can_be_found_it_says_so_and_stops() -> None:
    stage = Stage()
    stage.rank(*SONGS[:2])
    for _ in range(2):
        action = stage.next()
        assert action is not None
        stage.answer(action, Outcome("unavailable", "not there", skip=True))
    assert (stage.programme.shown.state, stage.programme.message) == ("unavailable", "not there")
    assert stage.run() == []


def test_what_played_when_the_output_went_away_plays_again_when_it_is_back() -> None:
    stage = Stage(Rules(check_every_s=2))
    stage.rank(*SONGS)
    action = stage.next()
    assert action is not None
    stage.answer(action)
    for _ in range(240):
        action = stage.later(0.5).next()
        if action is not None:
            assert action.kind == "check"
            stage.answer(action, Outcome("unavailable"))
    stage.later(15)
    action = stage.next()
    assert action is not None
    stage.answer(action, Outcome("ready"))
    action = stage.next()
    assert action is not None
    assert (action.kind, action.songs[0].id) == ("play", "s0")


def test_songs_that_the_output_goes_on_to_by_itself_are_followed() -> None:
    stage = Stage(Rules(check_every_s=2))
    stage.rank(*SONGS)
    action = stage.next()
    assert action is not None
    stage.answer(action)
    stage.later(5)
    stage.answer(stage.next() or Action("check"), Outcome("playing", song=SONGS[2]))
    assert stage.programme.song == SONGS[2]
    stage.answer(Action("check"), Outcome("ready"))
    assert stage.programme.song is None
    assert stage.programme.message == "No more songs; pick one."


def test_another_player_goes_on_from_what_was_saved() -> None:
    stage = Stage()
    stage.rank(*SONGS)
    stage.run()
    stage.later(1).rank(SONGS[3])
    saved = Saved.model_validate_json(stage.programme.snapshot().model_dump_json())
    second = Stage(saved=saved)
    second.later(1)
    assert second.run() == ["play s3"]
    assert not second.rank(SONGS[2], at=NOON)


def test_limits_that_the_operator_changes_count_at_once() -> None:
    stage = Stage(Rules(volume=70))
    assert stage.run() == ["volume 70"]
    stage.programme.change_rules(Rules(volume=70, volume_max=40))
    assert stage.run() == ["volume 40"]
    stage.programme.change_rules(Rules(volume_min=50))
    assert stage.run() == ["volume 50"]
    stage.programme.change_rules(Rules())
    assert stage.run() == []
    stage.order("volume", percent=90)
    assert stage.run() == ["volume 90"]


def test_quiet_hours_that_the_operator_changes_begin_and_end_at_once() -> None:
    stage = Stage()
    stage.rank(SONGS[0])
    assert stage.run() == ["play s0"]
    stage.programme.change_rules(Rules(quiet=parse_quiet_hours("11:00-13:00")))
    assert stage.later(1).run() == ["pause"]
    stage.programme.change_rules(Rules(quiet=parse_quiet_hours("11:00-14:00")))
    assert stage.later(1).run() == [], "still quiet"
    stage.programme.change_rules(Rules(quiet=parse_quiet_hours("22:00-07:00")))
    assert stage.later(1).run() == ["resume"]


def test_silence_may_become_low_music_and_low_music_silence() -> None:
    quiet = parse_quiet_hours("11:00-13:00")
    stage = Stage(Rules(quiet=quiet, volume=70), at=NOON.replace(hour=10, minute=59))
    stage.rank(SONGS[0])
    assert sorted(stage.run()) == ["play s0", "volume 70"]
    assert stage.later(120).run() == ["pause"]
    stage.programme.change_rules(Rules(quiet=quiet, quiet_volume=15, volume=70))
    assert sorted(stage.later(1).run()) == ["resume", "volume 15"]
    stage.programme.change_rules(Rules(quiet=quiet, volume=70))
    assert sorted(stage.later(1).run()) == ["pause", "volume 70"]
    stage.programme.change_rules(Rules(volume=70))
    assert stage.later(1).run() == ["resume"]


def test_the_volume_of_quiet_hours_may_be_raised_while_they_last() -> None:
    rules = Rules(quiet=parse_quiet_hours("11:00-13:00"), quiet_volume=15, volume=70)
    stage = Stage(rules, at=NOON.replace(hour=10, minute=59))
    assert stage.run() == ["volume 70"]
    assert stage.later(120).run() == ["volume 15"]
    stage.programme.change_rules(Rules(quiet=rules.quiet, quiet_volume=30, volume=70))
    assert stage.later(1).run() == ["volume 30"]
    stage.programme.change_rules(Rules(volume=70))
    assert stage.later(1).run() == ["volume 70"]
