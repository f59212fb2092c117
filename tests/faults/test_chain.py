"""The whole chain as separate processes: in peace, then a seed of chaos. `make chaos` and `make soak` are long."""

import os
from pathlib import Path

from tests.support.chaos import audit, chain, one_seed, rest, run
from tests.support.memory import Watch

PEACE_S, MAX_GROWTH_MB = (180.0, 5.0) if "CI" in os.environ else (20.0, 12.0)
"""What leaks with every event shows, what fills once is let pass; three minutes where nobody waits."""
CHAOS_S = 20.0
SEED = 3


def low(sizes: list[float]) -> float:
    """One of the smallest: of few samples a process is not there, since it is being replaced by another."""
    return sorted(sizes)[len(sizes) // 10]


def test_nothing_grows_in_peace_and_nothing_is_lost_in_chaos(tmp_path: Path) -> None:
    with chain(tmp_path) as whole:
        with Watch({name: part.pid for name, part in whole.parts.items()}, 0.5) as watch:
            run(whole, 0, PEACE_S, [])
        rest(whole)
        assert audit(whole, []).faults == []
        for name, samples in watch.samples.items():
            sizes = [size for _, size in samples]
            third = len(sizes) // 3  # a minute in CI: as often is freed memory given back
            assert low(sizes[-third:]) - low(sizes[third : 2 * third]) < MAX_GROWTH_MB, name

        found = one_seed(whole, SEED, CHAOS_S)
    assert found.faults == []
    assert found.counts["rankings"] > 20
    assert found.counts["process ends"] > 0
    print(found.counts)
