"""Values that move smoothly: each goes towards its target and never beyond, so ranges stay what they are."""

from math import exp


class Glide:
    """Named values; ``smoothing_s`` is the time in which 63 % of a step is done, 0 for at once."""

    def __init__(self, smoothing_s: float) -> None:
        self._smoothing_s = smoothing_s
        self._targets: dict[str, float] = {}
        self.now: dict[str, float] = {}

    def aim(self, name: str, target: float) -> None:
        """A value begins at its first target."""
        self._targets[name] = target
        self.now.setdefault(name, target)

    def drop(self, prefix: str) -> None:
        """Forget all values whose names begin so."""
        for name in [name for name in self.now if name.startswith(prefix)]:
            del self.now[name], self._targets[name]

    def step(self, seconds: float) -> None:
        """Move on."""
        share = 1 - exp(-seconds / self._smoothing_s) if self._smoothing_s else 1.0
        for name, target in self._targets.items():
            self.now[name] += (target - self.now[name]) * share
