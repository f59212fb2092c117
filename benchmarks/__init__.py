"""Measurements of the whole system; ``python -m benchmarks.NAME``."""
