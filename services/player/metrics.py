"""What the player counts, as Prometheus reads it at ``/metrics``."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from moodstream.contracts.events import PlaybackChanged, PlaybackState, utc_now
from services.player.outputs import Outcome
from services.player.programme.actions import Action

STATES: tuple[str, ...] = get_args(PlaybackState)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Of one player, in a registry of its own."""

    def __init__(self, output: str) -> None:
        self.registry = CollectorRegistry()
        self._output = output
        self._state = Gauge(
            "moodstream_player_state",
            "1 for the state that the player is in; all 0 while another player leads",
            ["output", "state"],
            registry=self.registry,
        )
        self._plays = Counter(
            "moodstream_plays", "Songs that the output was made to play", ["output"], registry=self.registry
        )
        self._actions = Histogram(
            "moodstream_player_action_seconds",
            "Time that the output took for one thing, by what became of it",
            ["output", "action", "state"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._lead = Histogram(
            "moodstream_ranking_to_play_seconds",
            "From a ranking's publication until the output plays its song",
            ["output"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.stands_by()
        self._plays.labels(output)

    def show_playback(self, playback: PlaybackChanged) -> None:
        """The player is in this state now."""
        for state in STATES:
            self._state.labels(self._output, state).set(state == playback.state)

    def stands_by(self) -> None:
        """Another player leads, or none."""
        for state in STATES:
            self._state.labels(self._output, state).set(0)

    def note_action(self, action: Action, outcome: Outcome, seconds: float) -> None:
        """The output did one thing, or could not."""
        self._actions.labels(self._output, action.kind, outcome.state).observe(seconds)
        if action.kind == "play" and outcome.state == "playing":
            self._plays.labels(self._output).inc()
            if action.cause is not None:
                age_s = (utc_now() - action.cause.at).total_seconds()
                self._lead.labels(self._output).observe(max(0.0, age_s))
