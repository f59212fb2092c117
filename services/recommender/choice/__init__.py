"""Which songs are offered, how they are ranked, and why. Pure: no Redis, no web."""
