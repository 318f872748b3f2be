"""Questions to a database that a look at its health asks; none of them changes anything."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import datetime

from sqlalchemy import inspect, text
from sqlmodel import Session, SQLModel, col, func, select

from dapp_ext.errors import NotFound
from dapp_ext.store.backups import faults_of
from dapp_ext.store.database import Database
from dapp_ext.store.objects import object_name
from dapp_ext.store.sealing import Label
from dapp_ext.store.tables import Account, AuditRow, DataKey, EventRow, Instance, Job, StoredFile, Worker


def faults(database: Database) -> list[str]:
    """What SQLite's own checks say, over a connection that cannot write."""
    with contextlib.closing(sqlite3.connect(f"{database.path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        return faults_of(connection)


def server(database: Database) -> tuple[str, float]:
    """PostgreSQL's version, and the seconds that a question to it takes."""
    with database.read() as session:
        connection = session.connection()
        version = str(connection.execute(text("SHOW server_version")).scalar())
        began = time.perf_counter()
        connection.execute(text("SELECT 1"))
        return version.partition(" ")[0], time.perf_counter() - began


def missing_tables(database: Database) -> list[str]:
    """Tables and columns (``table.column``) that are not there, though the step that the database is at made them."""
    found = inspect(database.engine)
    here = {name: {each["name"] for each in found.get_columns(name)} for name in found.get_table_names()}
    wanted = {name: {column.name for column in table.columns} for name, table in SQLModel.metadata.tables.items()}
    lacking = [name for name in wanted if name not in here]
    return lacking + [f"{name}.{column}" for name, columns in wanted.items() if name in here for column in sorted(columns - here[name])]


def activity(database: Database) -> tuple[list[Worker], int, datetime | None]:
    """Workers that did not leave, how many jobs wait, and when the newest event was."""
    with database.read() as session:
        workers = list(session.exec(select(Worker)))
        waiting = session.exec(select(func.count()).select_from(Job).where(Job.status == "queued")).one()
        newest = session.exec(select(EventRow.at).order_by(col(EventRow.id).desc()).limit(1)).first()
    return workers, waiting, newest


def instance_key(session: Session) -> tuple[bytes, str]:
    """The workspace's own data key, wrapped, and the id that it is bound to."""
    row = session.get(Instance, 1)
    key = session.get(DataKey, row.instance_id) if row else None
    if row is None or key is None:
        raise NotFound("The database does not say which workspace it is. Restore it from a backup.")
    return key.wrapped, row.instance_id


def accounts_beside_the_log(session: Session) -> list[str]:
    """Emails of accounts whose role, or whether they may sign in, is not what the audit says; or that it does not know.

    Every change of an account is one transaction with its row, so the two differ only where somebody wrote past DAPP. The
    owner of a new workspace has no row until somebody changes it.
    """
    told: dict[str, dict[str, object]] = {}
    kinds = ("account.create", "account.update", "account.reset", "invitation.accept")
    for row in session.exec(select(AuditRow).where(col(AuditRow.action).in_(kinds), AuditRow.outcome == "allow").order_by(col(AuditRow.id))):
        if row.subject_id is not None:
            told.setdefault(row.subject_id, {}).update({name: row.details[name] for name in ("role", "disabled") if row.details.get(name) is not None})
    wrong = []
    for account in session.exec(select(Account).order_by(col(Account.created_at))):
        first = {"role": "admin"} if account.is_owner else {}
        known = {"disabled": False} | first | told.get(account.id, {})
        if (known.get("role"), known["disabled"]) != (account.role, account.disabled):
            wrong.append(account.email)
    owners = list(session.exec(select(Account.email).where(col(Account.is_owner).is_(True)).order_by(col(Account.created_at))))
    return wrong + [email for email in owners[1:] if email not in wrong]


def sealed_sizes(session: Session) -> dict[str, int]:
    """Bytes of every object that the database knows, as they were written, by name."""
    return {object_name(Label(row.purpose, row.id, row.version)): row.sealed_size for row in session.exec(select(StoredFile))}


def last_backup(session: Session) -> datetime | None:
    """When a backup was last made, as the audit tells."""
    return session.exec(select(AuditRow.at).where(AuditRow.action == "backup.create").order_by(col(AuditRow.id).desc()).limit(1)).first()
