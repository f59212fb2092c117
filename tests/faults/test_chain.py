"""The whole chain as separate processes: in peace, then a seed of chaos. `make chaos` and `make soak` are long."""

from pathlib import Path

from tests.faults.chaos import audit, chain, one_seed, rest, run
from tests.faults.memory import Watch

PEACE_S = 20.0
CHAOS_S = 20.0
SEED = 3
MOST_GROWTH_MB = 12.0
"""In the second half of the time: what leaks with every event shows, what fills once is let pass."""


def test_nothing_grows_in_peace_and_nothing_is_lost_in_chaos(tmp_path: Path) -> None:
    with chain(tmp_path) as whole:
        with Watch({name: part.pid for name, part in whole.parts.items()}, 0.5) as watch:
            run(whole, 0, PEACE_S, [])
        rest(whole)
        assert audit(whole, []).faults == []
        for name, samples in watch.samples.items():
            sizes = [size for _, size in samples]
            assert sizes[-1] - sizes[len(sizes) // 2] < MOST_GROWTH_MB, name

        found = one_seed(whole, SEED, CHAOS_S)
    assert found.faults == []
    assert found.counts["rankings"] > 20
    assert found.counts["process ends"] > 0
    print(found.counts)
