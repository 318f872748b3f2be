"""The engine and its two kinds of session: one that reads, one that writes for a moment.

SQLite is opened so that an acknowledged commit survives a cut of power (``synchronous=FULL``), with foreign keys, with
a busy timeout, and with deleted content overwritten. The write-ahead log is used only from SQLite 3.51.3 (or the
releases that carry its repair): older libraries can damage such a file when two processes write and checkpoint at the
same moment, so they use a rollback journal. Writers take the lock when they begin, so no transaction fails half-way.

PostgreSQL is used in the same two ways: reading statements stand alone, and whoever writes holds one advisory lock of
the database from the first statement until the commit can be seen. So there is one writer at a time on both, every rule
that looks first and then changes holds on both, and numbers of events become visible in their order: a sequence alone
would let a reader pass a number that is committed later. What is written is small; readers never wait.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, event, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session as Session  # the type that services pass on to store functions
from sqlmodel import create_engine

from dapp_ext.errors import Broken, Busy, DappError, Invalid, SettingInvalid, StorageFull, Unavailable
from dapp_ext.store.folders import make_private

BUSY_SECONDS = 10.0
CONNECT_SECONDS = 5
# The advisory locks of a workspace: who writes, and who brings the schema up to date.
WRITER_LOCK = 7309712
MIGRATION_LOCK = 7309711
# A server that went away without a word is noticed within a minute.
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# PostgreSQL's codes for a full disk, and for a standby or a database that takes no changes.
_PG_OTHER_TABLES = ("42P01", "42703", "42P07", "42701")  # undefined and duplicate tables and columns
_PG_FULL = ("53100", "53200")
_PG_READ_ONLY = ("25006", "42501")


class UtcDateTime(TypeDecorator[datetime]):
    """Moments with a zone in Python, UTC without one in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite has the repair of the write-ahead log (3.51.3; 3.50.7 and 3.44.6 carry it too)."""
    if version >= (3, 51, 3):
        return True
    return (version[:2] == (3, 50) and version >= (3, 50, 7)) or (version[:2] == (3, 44) and version >= (3, 44, 6))


class Database:
    """One database for all processes of a workspace."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.path = Path()
        if self.is_sqlite:
            path = self.path = Path(url.removeprefix("sqlite:///"))
            make_private(path.parent)
            if not path.exists():
                path.touch(mode=0o600)
            self.engine: Engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=8, max_overflow=24)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = _postgresql(url)
        self._stamp_connection: sqlite3.Connection | None = None
        self._stamp_lock = threading.Lock()
        self._writing = self.engine.execution_options(dapp_write=True)
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = self.engine.execution_options(**({"dapp_snapshot": True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}))

    @property
    def driver_error(self) -> type[Exception]:
        """The root of what the driver itself raises."""
        found: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return found

    @property
    def kind(self) -> str:
        """What the database is, in words."""
        return "SQLite" if self.is_sqlite else "PostgreSQL"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that changes nothing.

        Each of its statements stands alone: on SQLite an open transaction would keep every writer waiting for as long
        as a caller reads files in between, on PostgreSQL it would keep old rows from being cleared away.
        """
        with translated(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session whose statements all see the same moment; for whole walks over a table, which must not be long."""
        with translated(), Session(self._snapshots, expire_on_commit=False) as session:
            session.connection()
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A short transaction that holds the write lock from its first statement; committed when the block ends."""
        with translated(), Session(self._writing, expire_on_commit=False) as session:
            connection = session.connection()  # begin now: waiting for the lock happens here, before anything was decided
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
            yield session
            session.commit()

    def stamp(self) -> int | None:
        """A number that changes with every commit of any process; waits for nothing.

        ``None`` where it cannot be told: on PostgreSQL, and in the moment of somebody's commit.
        """
        if not self.is_sqlite:
            return None
        with self._stamp_lock:
            try:
                if self._stamp_connection is None:
                    self._stamp_connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
                return int(self._stamp_connection.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                return None

    def close(self) -> None:
        with self._stamp_lock:
            if self._stamp_connection is not None:
                self._stamp_connection.close()
                self._stamp_connection = None
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
    _journal(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _journal(cursor: Any) -> None:
    wanted = "wal" if wal_is_safe() else "truncate"
    for _ in range(50):
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != wanted:
                cursor.execute(f"PRAGMA journal_mode={wanted}")
            return
        except sqlite3.OperationalError:
            time.sleep(0.05)  # another process is changing it at this moment, and this pragma does not wait by itself
    raise Unavailable("The database is locked by another program. Close it and start again.")


def _begin_sqlite(connection: Any) -> None:
    if connection.get_execution_options().get("dapp_write", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.get_execution_options().get("dapp_snapshot", False):
        connection.exec_driver_sql("BEGIN")


def _postgresql(url: str) -> Engine:
    """An engine on psycopg, which gives up waiting for a lock after the time that SQLite would."""
    address = url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1)
    given: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "dapp", **_KEEPALIVE}
    if "options=" not in url:
        given["options"] = f"-c lock_timeout={int(BUSY_SECONDS * 1000)} -c timezone=UTC"
    try:
        return create_engine(address, pool_pre_ping=True, pool_size=8, max_overflow=24, connect_args=given)
    except (ArgumentError, ValueError) as error:
        raise SettingInvalid("DATABASE_URL is not an address of a database. It looks like postgresql://user:password@host/name.") from error
    except ModuleNotFoundError as error:
        raise SettingInvalid(f"The database of DATABASE_URL needs {error.name}. Run: pip install 'jupyter-dapp[postgres]'") from error


@contextmanager
def translated() -> Iterator[None]:
    """Say what a database's refusal means for the user."""
    try:
        yield
    except DappError:
        raise
    except PoolTimeout as error:
        raise Busy("The database is asked by too many at once. Try again in a moment.") from error
    except DataError as error:
        raise Invalid("A text or number in the request cannot be kept. Leave out control characters and very large numbers.") from error
    except (OperationalError, InternalError, ProgrammingError) as error:
        _explain(error)
        raise
    except DatabaseError as error:
        if "malformed" in str(error.orig).lower() or "not a database" in str(error.orig).lower():
            raise Broken("The database file is damaged. Restore it from a backup.") from error
        raise


def _explain(error: DatabaseError) -> None:
    said, code = str(error.orig).lower(), getattr(error.orig, "sqlstate", None) or ""
    if code in _PG_FULL or "full" in said or "no space" in said:
        raise StorageFull from error
    if code in _PG_READ_ONLY or "readonly" in said or "unable to open" in said:
        raise Unavailable("The database cannot be written now. An administrator should look at the disk and its permissions.") from error
    if code in ("28P01", "28000", "3D000") or "password authentication" in said or ("database" in said and "does not exist" in said):
        raise Unavailable("The database refuses the account or has no database of that name. An administrator should look at DATABASE_URL.") from error
    if code in _PG_OTHER_TABLES or any(words in said for words in ("no such table", "no such column", "already exists")):
        raise Broken(
            "The database is not as this release made it: a table or a column is missing, or there already. Restore it from a backup: jupyter dapp doctor"
        ) from error
    if isinstance(error, OperationalError):
        raise Unavailable("The database does not answer right now. Try again in a moment.") from error
