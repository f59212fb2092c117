"""Every setting is documented, once."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_example_holds_every_setting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "settings"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ROOT / ".env.example").read_text() == done.stdout, "run: make contract"
    assert "None" not in done.stdout
    assert str(Path.home()) not in done.stdout
