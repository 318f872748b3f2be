"""Write ``src/schema.ts``: the TypeScript side of the vocabulary in ``dapp_ext.schema``.

The interfaces come from the JSON schemas of the pydantic shapes, the same that validate requests and write answers,
so that both sides cannot drift; ``tests/contracts/test_schema_ts.py`` compares the file with what this script makes.
Run it after a change of the schema with ``npm run schema``.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from dapp_ext import __version__
from dapp_ext.errors import every_error
from dapp_ext.schema.base import Answer, Page, Request
from dapp_ext.schema.events import PAYLOADS
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.schema.models import BUDGETS

TARGET = Path(__file__).parent / "src" / "schema.ts"
MODULES = (
    "base", "accounts", "signins", "grants", "fixes", "datasets", "versions", "lineage", "models", "registry", "serving", "insights", "jobs", "events", "notices", "audit", "system",
)  # fmt: skip
HEAD = """// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.
//
// Generated from dapp_ext.schema by generate_schema.py. Do not edit: run `npm run schema`.
"""
PAGE = """/** One page of a list; `next` is the cursor of the page after it, `total` is given where it is cheap. */
export interface Page<T> {
  items: T[];
  next: string | null;
  total: number | null;
}
"""

Schema = dict[str, Any]


def main() -> None:
    """Write the file."""
    TARGET.write_text(generate(), "utf-8")


def generate() -> str:
    """The whole text of ``schema.ts``."""
    aliases = _literal_aliases()
    shapes = _shapes()
    definitions = _definitions(shapes)
    parts = [HEAD]
    parts += [f"export type {name} = {_union(values)};\n" for values, name in aliases.items()]
    parts.append(PAGE)
    known = {shape.__name__ for shape in shapes}
    for name, schema in definitions.items():
        if name not in known and "enum" in schema:
            parts.append(_documented(schema) + f"export type {name} = {_union(tuple(schema['enum']))};\n")
    parts += [_interface(shape, definitions[shape.__name__], aliases) for shape in shapes]
    parts.append(_payloads())
    parts.append(_constants())
    return "\n".join(parts)


def _shapes() -> list[type[Answer] | type[Request]]:
    """Every request and answer in the order of the modules; ``Page`` is written by hand, being generic."""
    found: list[type[Answer] | type[Request]] = []
    for name in MODULES:
        module = importlib.import_module(f"dapp_ext.schema.{name}")
        for value in vars(module).values():
            own = inspect.isclass(value) and value.__module__ == module.__name__
            if own and issubclass(value, Answer | Request) and value not in (Answer, Request, Page):
                found.append(value)
    return found


def _definitions(shapes: list[type[Answer] | type[Request]]) -> dict[str, Schema]:
    """Answers always carry their defaults, requests may leave them out."""
    answers = [(shape, "serialization") for shape in shapes if issubclass(shape, Answer)]
    requests = [(shape, "validation") for shape in shapes if issubclass(shape, Request)]
    found: dict[str, Schema] = {}
    for group in (answers, requests):
        _, schema = models_json_schema(group, by_alias=True)  # type: ignore[arg-type]
        found.update(schema["$defs"])
    return found


def _literal_aliases() -> dict[tuple[str, ...], str]:
    """The named ``Literal`` types by their values, so that TypeScript can say ``ColumnKind`` too."""
    found: dict[tuple[str, ...], str] = {}
    for name in MODULES:
        module = importlib.import_module(f"dapp_ext.schema.{name}")
        for alias, value in vars(module).items():
            if typing.get_origin(value) is typing.Literal:
                found.setdefault(typing.get_args(value), alias)
    return found


def _interface(shape: type[Answer] | type[Request], schema: Schema, aliases: dict[tuple[str, ...], str]) -> str:
    name, properties = shape.__name__, schema.get("properties", {})
    required = set(properties) if issubclass(shape, Answer) else set(schema.get("required", ()))
    lines = [_documented(schema) + f"export interface {name} {{"]
    for field, detail in properties.items():
        if detail.get("description"):
            lines.append(f"  /** {detail['description']} */")
        mark = "" if field in required else "?"
        lines.append(f"  {field}{mark}: {_type(detail, aliases)};")
    if len(lines) == 1:
        return _documented(schema) + f"export type {name} = Record<string, never>;\n"
    return "\n".join([*lines, "}\n"])


def _type(schema: Schema, aliases: dict[tuple[str, ...], str]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "allOf" in schema:
        return _type(schema["allOf"][0], aliases)
    if "const" in schema:
        return _quoted(schema["const"])
    if "enum" in schema:
        values = tuple(schema["enum"])
        return aliases.get(values) or _union(values)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each, aliases) for each in schema["anyOf"]))
    return _plain(schema, aliases)


def _plain(schema: Schema, aliases: dict[tuple[str, ...], str]) -> str:
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema.get("items", {}), aliases)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if kind == "object":
        inner = schema.get("additionalProperties", {})
        return f"Record<string, {_type(inner if isinstance(inner, dict) else {}, aliases)}>"
    return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}.get(str(kind), "unknown")


def _documented(schema: Schema) -> str:
    text = " ".join(str(schema.get("description", "")).replace("``", "`").split())
    return f"/** {text} */\n" if text else ""


def _payloads() -> str:
    lines = ["/** What each type of event carries. */", "export interface EventPayloads {"]
    lines += [f"  {_quoted(kind)}: {shape.__name__};" for kind, shape in PAYLOADS.items()]
    return "\n".join([*lines, "}\n\nexport type EventType = keyof EventPayloads;\n"])


def _constants() -> str:
    budgets = ", ".join(f"{name}: {seconds}" for name, seconds in BUDGETS.items())
    finals = ", ".join(_quoted(status) for status in sorted(FINAL_JOB_STATUSES))
    codes = "\n".join(f"  | {_quoted(code)}" for code in sorted(every_error()))
    return (
        f"/** The release that this was made from. */\nexport const VERSION = {_quoted(__version__)};\n\n"
        f"/** Time budgets by name, in seconds. */\nexport const BUDGETS = {{ {budgets} }} as const;\n\n"
        f"/** A job in one of these is over. */\nexport const FINAL_JOB_STATUSES: readonly JobStatus[] = [{finals}];\n\n"
        f"/** The stable codes of the server's errors. */\nexport type ErrorCode =\n{codes};\n"
    )


def _union(values: tuple[Any, ...]) -> str:
    return " | ".join(_quoted(value) for value in values)


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        return str(value).lower()
    return f'"{value}"' if "'" in value else f"'{value}'"


if __name__ == "__main__":
    main()
