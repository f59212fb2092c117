"""Who was written against version 1 of the contract still reads what is published: fields are only ever added."""

import copy
import json
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from moodstream.contracts.events import utc_now
from shared.contracts.schemas import documents
from shared.contracts.simulation import Visitors

ROOT = Path(__file__).parents[3]
FIRST = Path(__file__).parent / "contract_1"
NAMES = sorted(file.name for file in FIRST.iterdir())

Schema = dict[str, Any]


def broken(old: Schema, new: Schema) -> list[str]:
    """What an old consumer would miss, as ``Model.field: why``."""
    parts = {"": (old, new)} | {
        name: (part, new.get("$defs", {}).get(name, {})) for name, part in old.get("$defs", {}).items()
    }
    found = []
    for name, (before, after) in parts.items():
        if gone := _values(before) - _values(after):
            found.append(f"{name}: never {', '.join(sorted(gone))} any more")
        for field, kind in before.get("properties", {}).items():
            now = after.get("properties", {}).get(field)
            if now is None:
                found.append(f"{name}.{field}: removed")
            elif _type(kind) != _type(now):
                found.append(f"{name}.{field}: {_type(kind)} became {_type(now)}")
            elif gone := _values(kind) - _values(now):
                found.append(f"{name}.{field}: never {', '.join(sorted(gone))} any more")
            elif field in before.get("required", ()) and field not in after.get("required", ()):
                found.append(f"{name}.{field}: may be missing now")
    return found


def _type(kind: Schema) -> Any:
    if "anyOf" in kind:
        return [_type(one) for one in kind["anyOf"]]
    items = _type(kind["items"]) if isinstance(kind.get("items"), dict) else None
    limits = kind.get("minimum"), kind.get("maximum")
    return kind.get("$ref") or kind.get("const") or kind.get("type"), kind.get("format"), limits, items


def _values(kind: Schema) -> set[str]:
    """What a field may say, where that is a list; further values may be added."""
    choices = kind.get("anyOf", [kind])
    return {str(value) for choice in choices for value in choice.get("enum", ())}


def current(name: str) -> Schema:
    schema: Schema = json.loads(documents()[f"schemas/{name}"])
    return schema


@pytest.mark.parametrize("name", NAMES)
def test_old_consumers_read_new_events(name: str) -> None:
    assert broken(json.loads((FIRST / name).read_text()), current(name)) == []


def test_a_field_that_is_removed_renamed_or_changed_is_found_and_one_that_is_added_is_fine() -> None:
    old = json.loads((FIRST / "MoodChanged.json").read_text())
    new = copy.deepcopy(old)
    new["properties"]["weather"] = {"type": "string"}
    assert broken(old, new) == []
    new["properties"]["certainty"] = new["properties"].pop("confidence")
    new["properties"]["faces"]["type"] = "string"
    new["required"].remove("camera_id")
    new["properties"]["valence"]["maximum"] = 100
    new["properties"]["phase"]["enum"].remove("end")
    new["properties"]["reason"]["enum"].append("whim")
    new["$defs"]["Mood"]["enum"].remove("calm")
    del new["$defs"]["Probabilities"]["properties"]["calm"]
    assert {line.partition(":")[0] for line in broken(old, new)} == {
        ".confidence",
        ".faces",
        ".camera_id",
        ".valence",
        ".phase",
        "Mood",
        "Probabilities.calm",
    }


def test_events_of_today_keep_to_the_first_schemas() -> None:
    validators = {name: Draft202012Validator(json.loads((FIRST / name).read_text())) for name in NAMES}
    made = [event for _, event in islice(Visitors(1, utc_now()).events(), 200)]
    assert len({event.type for event in made}) == 6
    for event in made:
        validators[f"{event.type}.json"].validate(json.loads(event.model_dump_json()))


def test_these_tests_fail_when_a_field_is_removed_from_the_code(tmp_path: Path) -> None:
    for folder in ("moodstream", "services", "shared", "tests/shared", "tests/support", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "images"))
    for name in ("tests/__init__.py", "tests/conftest.py", "tests/quick.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    events = tmp_path / "moodstream" / "contracts" / "events.py"
    field = (
        "    confidence: Probability\n"
        '    """smoothed probability of this mood now, also while another leads for a moment; of the likeliest '
        'while unsure"""\n'
    )
    assert events.read_text().count(field) == 1
    events.write_text(events.read_text().replace(field, ""))
    tests = ["tests/shared/contracts/test_schemas.py", "tests/shared/contracts/test_compatibility.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "MoodChanged or asyncapi", *tests]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    for test in (
        "test_old_consumers_read_new_events[MoodChanged.json]",
        "test_committed_files_are_up_to_date[schemas/MoodChanged.json]",
        "test_committed_files_are_up_to_date[asyncapi.json]",
    ):
        assert f"::{test}" in done.stdout
    assert ".confidence: removed" in done.stdout
