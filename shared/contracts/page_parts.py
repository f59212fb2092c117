"""JSON Schemas as HTML for people: tables of fields, types with links, lists."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Schema = Mapping[str, Any]


def fields_table(schema: Schema, *, optional: Iterable[str] = ()) -> str:
    """A row per field; a schema without fields is told by its type."""
    if "properties" not in schema:
        return f"<p>{type_text(schema)}</p>" if "type" in schema or "enum" in schema else "<p>anything</p>"
    rows = "\n".join(
        f"<tr><td><code>{name}</code></td><td>{type_text(field)}{_default(field) if name in optional else ''}</td>"
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema["properties"].items()
    )
    heads = "<tr><th>Field</th><th>Type</th><th>Meaning</th></tr>"
    return f'<div class="scroll"><table>\n<thead>{heads}</thead>\n<tbody>{rows}</tbody></table></div>'


def part(name: str, schema: Schema) -> str:
    """The section of a model that fields of others refer to."""
    description = escape(schema.get("description", ""))
    return f'<section id="{name}">\n<h2>{name}</h2>\n<p>{description}</p>\n{fields_table(schema)}</section>\n'


def links(names: Iterable[str]) -> str:
    return "<ul>" + "".join(f'<li><a href="#{name}">{name}</a></li>' for name in names) + "</ul>"


def type_text(field: Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "const" in field:
        return f"always <code>{escape(str(field['const']))}</code>"
    if "enum" in field:
        return _codes(field["enum"])
    if "anyOf" in field:
        return " or ".join(type_text(one) for one in field["anyOf"])
    if field.get("type") == "array":
        return _array(field)
    text: str = "time, UTC" if field.get("format") == "date-time" else field.get("type", "anything")
    limits = [f"{field[limit]:g}" for limit in ("minimum", "maximum") if limit in field]
    return text + (f", {' to '.join(limits)}" if limits else "")


def _default(field: Schema) -> str:
    default = field.get("default")
    return "; optional" + (f", <code>{escape(str(default))}</code> when left out" if default is not None else "")


def _array(field: Schema) -> str:
    if "prefixItems" in field:
        return "list: " + ", ".join(type_text(one) for one in field["prefixItems"])
    return f"list of {type_text(field['items'])}"


def _codes(values: Iterable[Any]) -> str:
    return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
