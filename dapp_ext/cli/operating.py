"""``jupyter dapp db`` and ``jupyter dapp queue``: the schema of the database, and the work that waits."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from dapp_ext.cli import session
from dapp_ext.errors import Invalid
from dapp_ext.schema.jobs import JobStatus

db = typer.Typer(help="The database.", no_args_is_help=True)
queue = typer.Typer(help="Work in the background.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@db.command("status")
def db_status(as_json: Json = False) -> None:
    """Show where the database is and whether its schema is up to date. Changes nothing; exit code 1 when it is not."""
    from dapp_ext.services import database_state

    found = database_state(session.settings())
    verdict = (
        "up to date" if found.current == found.newest else "not there yet" if found.current is None else "to be brought up to date: jupyter dapp db upgrade"
    )
    session.show(found.model_dump(mode="json"), as_json, f"{found.kind}, schema {found.current} of {found.newest}: {verdict}")
    if found.current not in (None, found.newest):
        raise typer.Exit(1)


@db.command("upgrade")
def db_upgrade(as_json: Json = False) -> None:
    """Bring the schema up to date; every start does the same."""
    from dapp_ext.services import database_state

    given = session.settings()
    before = database_state(given)
    session.services(given).close()
    after = database_state(given)
    text = f"Schema {after.current}: {'nothing was to be done' if before.current == after.current else f'brought up from {before.current}'}."
    session.show(after.model_dump(mode="json"), as_json, text)


@queue.command("list")
def queue_list(
    status: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at the most.")] = 50,
    as_json: Json = False,
) -> None:
    """Show jobs, newest first."""
    if status is not None and status not in get_args(JobStatus):
        raise Invalid(f"The state is one of {', '.join(get_args(JobStatus))}.")
    with session.services() as services:
        found = services.jobs.list(services.system.shell_actor(), status=status, limit=limit)
    rows = [each.model_dump(mode="json") for each in found.items]
    shown = [{**row, "for": row["subject"]["name"], "owner": row["owner"]["name"], "done": f"{row['progress']:.0%}"} for row in rows]
    session.show(rows, as_json, session.as_table(shown, ["id", "kind", "status", "done", "for", "owner", "attempt"]))


@queue.command("cancel")
def queue_cancel(job: Annotated[str, typer.Argument(help="Id of the job.")], as_json: Json = False) -> None:
    """Stop a job without a result. To hold all new work, see maintenance."""
    with session.services() as services:
        found = services.jobs.cancel(services.system.shell_actor(), job)
    session.show(found.model_dump(mode="json"), as_json, f"{found.id}: {found.status}{'' if found.status == 'cancelled' else ', being stopped'}")
