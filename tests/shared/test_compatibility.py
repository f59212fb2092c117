"""Who was written against version 1 of the contract still reads what is published: fields are only ever added."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from shared.contract import documents

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
        for field, kind in before.get("properties", {}).items():
            now = after.get("properties", {}).get(field)
            if now is None:
                found.append(f"{name}.{field}: removed")
            elif _type(kind) != _type(now):
                found.append(f"{name}.{field}: {_type(kind)} became {_type(now)}")
            elif field in before.get("required", ()) and field not in after.get("required", ()):
                found.append(f"{name}.{field}: may be missing now")
    return found


def _type(kind: Schema) -> Any:
    if "anyOf" in kind:
        return [_type(one) for one in kind["anyOf"]]
    items = _type(kind["items"]) if isinstance(kind.get("items"), dict) else None
    return kind.get("$ref") or kind.get("const") or kind.get("type"), kind.get("format"), items


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
    del new["$defs"]["Probabilities"]["properties"]["calm"]
    assert {line.partition(":")[0] for line in broken(old, new)} == {
        ".confidence",
        ".faces",
        ".camera_id",
        "Probabilities.calm",
    }
