"""``jupyter dapp audit``: who did what, whether the log is whole, and the log for other programs."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Conflict, Invalid, Unavailable
from dapp_ext.schema.audit import AuditFilter, AuditFormat, Outcome

app = typer.Typer(help="The audit log.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Action = Annotated[str | None, typer.Option(help="What the action begins with, such as dataset.")]
Who = Annotated[str | None, typer.Option(help="Id or name of the account.")]
OutcomeOption = Annotated[str | None, typer.Option(help="allow, deny or error.")]
SubjectOption = Annotated[str | None, typer.Option(help="Id of what it was done to.")]
Since = Annotated[datetime | None, typer.Option(help="From this moment on, UTC.")]
Until = Annotated[datetime | None, typer.Option(help="Before this moment, UTC.")]


@app.command("list")
def list_rows(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many rows at the most.")] = 50,
    action: Action = None,
    actor: Who = None,
    outcome: OutcomeOption = None,
    subject: SubjectOption = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Show the newest rows."""
    wanted = _filter(action, actor, outcome, subject, (since, until))
    with session.services() as services:
        found = services.audit.list(services.system.shell_actor(), limit=limit, wanted=wanted)
    rows = [each.model_dump(mode="json") for each in found.items]
    shown = [{**row, "at": row["at"][:19], "subject": f"{row['subject_kind'] or ''} {row['subject_id'] or ''}".strip()} for row in rows]
    session.show(rows, as_json, session.as_table(shown, ["id", "at", "actor_name", "door", "action", "subject", "outcome"]))


@app.command("verify")
def verify(
    head: Annotated[Path | None, typer.Option(help="An exported head, or an export as JSON lines, to check the end against.")] = None,
    as_json: Json = False,
) -> None:
    """Check that no row was changed, removed, added or moved; exit code 1 when one was."""
    seq, mac = (None, None) if head is None else _head_of(head)
    with session.services() as services:
        found = services.audit.verify(services.system.shell_actor(), seq=seq, mac=mac)
    lines = [finding.says for finding in found.findings]
    if found.ok:
        lines.append(f"The log is whole: {found.rows} rows.")
        if head is None:
            lines.append("A cut at the end that also puts back an older end is found only against an exported head: jupyter dapp audit export --head FILE")
    session.show(found.model_dump(mode="json"), as_json, "\n".join(lines))
    if not found.ok:
        raise typer.Exit(1)


@app.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(help="New file; standard output when left out.")] = None,
    format: Annotated[str, typer.Option(help="jsonl or csv.")] = "jsonl",
    head: Annotated[Path | None, typer.Option(help="Write the head into this file as well; keep it elsewhere.")] = None,
    action: Action = None,
    actor: Who = None,
    outcome: OutcomeOption = None,
    subject: SubjectOption = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write the log, oldest row first."""
    kind: AuditFormat = "csv" if format == "csv" else "jsonl"
    if format not in ("jsonl", "csv"):
        raise Invalid("The format is jsonl or csv.")
    wanted = _filter(action, actor, outcome, subject, (since, until))
    with session.services() as services:
        shell = services.system.shell_actor()
        download = services.audit.export(shell, kind, wanted)
        if file is None:
            for chunk in download.chunks:
                sys.stdout.write(bytes(chunk).decode())
        else:
            _write_new(file, b"".join(download.chunks))
        if head is not None:
            _write_new(head, json.dumps({"head": services.audit.head(shell).model_dump(mode="json")}).encode() + b"\n")


def _filter(action: str | None, actor: str | None, outcome: str | None, subject: str | None, times: tuple[datetime | None, datetime | None]) -> AuditFilter:
    found: dict[str, Outcome] = {"allow": "allow", "deny": "deny", "error": "error"}
    if outcome is not None and outcome not in found:
        raise Invalid("The outcome is allow, deny or error.")
    since, until = (None if each is None else each.replace(tzinfo=UTC) for each in times)
    return AuditFilter(action=action, actor=actor, outcome=found[outcome] if outcome else None, subject=subject, since=since, until=until)


def _head_of(path: Path) -> tuple[int, str]:
    try:
        head = json.loads(path.read_text("utf-8").strip().splitlines()[-1])["head"]
        return int(head["seq"]), str(head["mac"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, IndexError, TypeError) as error:
        raise Invalid(f"There is no exported head in {path}. Give what jupyter dapp audit export wrote.") from error


def _write_new(path: Path, data: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Conflict(f"There is a file {path} already. Choose another name.") from None
    except OSError as error:
        raise Unavailable(f"The file {path} cannot be written: {error.strerror}.") from error
    with open(handle, "wb") as out:
        out.write(data)
