"""Writes the pages of the reference that the code itself knows: commands, settings, addresses, events and error codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from dapp_ext.cli.main import EXIT_CODES, app
from dapp_ext.errors import DappError, every_error
from dapp_ext.handlers.openapi import describe
from dapp_ext.handlers.wire import status_of
from dapp_ext.schema.events import PAYLOADS
from dapp_ext.settings import describe_settings


def write_pages(folder: Path) -> None:
    """Write every page that has changed, so that a second build is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("commands", _commands()), ("settings", _settings()), ("rest", _rest()), ("events", _events()), ("errors", _errors())):
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _commands() -> str:
    parts = ["# Commands", "`jupyter dapp --home DIR …` chooses the home folder, instead of `DAPP_HOME`. `--json` prints for programs where it is offered."]
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        inner = getattr(command, "commands", None)
        if inner:
            parts += [f"## {name}", _sentence(command.help)]
            for verb, each in sorted(inner.items()):
                parts += [f"### {name} {verb}", _sentence(each.help), _options(each)]
        else:
            parts += [f"## {name}", _sentence(command.help), _options(command)]
    codes = [[str(code), ", ".join(f"`{kind.code}`" for kind, number in EXIT_CODES if number == code)] for code in sorted({code for _, code in EXIT_CODES})]
    parts += ["## Exit codes", "0 when all went well; otherwise by the kind of the error:", _table(["exit code", "error"], codes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _options(command: Any) -> str:
    rows = []
    for each in command.params:
        if each.name == "help":
            continue
        names = f"`{each.name.upper()}`" if each.param_type_name == "argument" else ", ".join(f"`{option}`" for option in [*each.opts, *each.secondary_opts])
        rows.append([names, _sentence(getattr(each, "help", ""))])
    return _table(["", "what it is"], rows) if rows else ""


def _settings() -> str:
    rows = [
        [
            f"`{each['variable']}`",
            f"`{each['default']}`" if each["default"] != "" else "",
            f"{each['help']}{' In ' + each['unit'] + '.' if each['unit'] else ''}",
        ]
        for each in describe_settings()
    ]
    head = (
        "Weakest first: the default, `dapp.toml` in the home folder (names in lower case without `DAPP_`), `.env` in the working folder, the environment, "
        "the command line. A secret may be given as `file:PATH`. `jupyter dapp doctor --settings` shows what holds and where it came from."
    )
    return f"# Settings\n\n{head}\n\n{_table(['variable', 'default', 'what it is'], rows)}\n"


def _rest() -> str:
    document = describe()
    parts = [
        "# REST",
        "Below `/dapp/api/v1` of the server; the whole description with every shape is `/dapp/api/v1/openapi.json`, and `/dapp/docs` lets you try it. "
        "Send `Authorization: Bearer …` with an access token or a personal access token. A failure is always "
        '`{"error": {"code", "message", "details", "request_id"}}`.',
    ]
    nouns: dict[str, list[list[str]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            nouns.setdefault(path.split("/")[1], []).append([f"`{method.upper()} {path}`", _sentence(operation.get("summary") or operation.get("description"))])
    for noun in sorted(nouns):
        parts += [f"## {noun}", _table(["address", "what it does"], nouns[noun])]
    return "\n\n".join(parts) + "\n"


def _events() -> str:
    rows = []
    for type, shape in sorted(PAYLOADS.items()):
        fields = ", ".join(f"`{name}`" for name in shape.model_fields)
        rows.append([f"`{type}`", f"`{shape.__name__}`", fields])
    head = (
        "What `client.on(type, callback)`, `GET /events` and the WebSocket `/events/ws` tell, in one order. An event carries `id` (the cursor to go on after), `type`, "
        "`at`, `actor`, `subject` and `data`; no event carries a value from anybody's data. Only what an account may see reaches it."
    )
    return f"# Events\n\n{head}\n\n{_table(['type', 'shape of data', 'fields of data'], rows)}\n"


def _errors() -> str:
    rows = [[f"`{code}`", f"`{kind.__name__}`", str(status_of(kind())), kind.sentence] for code, kind in sorted(every_error().items()) if kind is not DappError]
    head = "The same at every door: the client raises the class, REST answers with the status and the code, the dashboard shows the sentence."
    return f"# Errors\n\n{head}\n\n{_table(['code', 'class in dapp_ext.errors', 'status', 'sentence'], rows)}\n"
