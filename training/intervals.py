"""Confidence intervals by drawing again."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def bootstrap(values: Floats, rounds: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of ``values``."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (rounds, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
