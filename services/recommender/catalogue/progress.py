"""How what takes long says what it is doing."""

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with a few words."""
