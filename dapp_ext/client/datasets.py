"""Datasets in a notebook: uploaded, looked at, read as frames."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

from pydantic import ValidationError

from dapp_ext.client import versions as history  # a dataset has a method of that name
from dapp_ext.client.answers import Dependents
from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import ago, amount, badge, card, duration, escape, labelled, paragraph, size_text, table, text_table
from dapp_ext.client.filters import FilterLike, plain_filters, read_filters
from dapp_ext.client.frames import Source, read_arrow, save, source_of, to_polars
from dapp_ext.client.gathering import read_pandas
from dapp_ext.client.jobs import failure_of
from dapp_ext.client.live import wait_until
from dapp_ext.client.objects import Listing, Thing, reference
from dapp_ext.client.profiles import DatasetProfile
from dapp_ext.client.progress import Display
from dapp_ext.client.sharing import grants, share_with
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Conflict, FileUnreadable, Invalid
from dapp_ext.schema.accounts import Role
from dapp_ext.schema.base import Page
from dapp_ext.schema.datasets import (
    Aggregation,
    DatasetRead,
    DatasetUpdate,
    Profile,
    QueryRead,
    QueryRequest,
    ReadOptions,
    RowsRead,
    RowsRequest,
    Visibility,
)
from dapp_ext.schema.events import Event
from dapp_ext.schema.grants import GrantLevel, GrantRead
from dapp_ext.schema.versions import VersionRead

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from dapp_ext.client.models import Model

R = TypeVar("R")
_TONES = {"ready": "good", "processing": "busy", "failed": "bad"}


@short_tracebacks
class Dataset(Thing[DatasetRead]):
    """A dataset of the workspace; its ``str`` is its id.

    Everything but the methods is as last read; :meth:`refresh` reads again.
    """

    @property
    def name(self) -> str:
        return self._read.name

    @property
    def status(self) -> str:
        """``processing``, ``ready`` or ``failed``."""
        return self._read.status

    @property
    def rows(self) -> int | None:
        """Number of rows; ``None`` until it is ready."""
        return self._read.rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns; empty until it is ready."""
        return [column.name for column in self._read.schema_]

    @property
    def kinds(self) -> dict[str, str]:
        """What kind of values each column holds."""
        return {column.name: column.kind for column in self._read.schema_}

    @property
    def version(self) -> int:
        return self._read.version

    @property
    def likely_target(self) -> str | None:
        """The column that looks as if it were to be predicted, where one does."""
        return self._read.likely_target

    @property
    def notes(self) -> list[str]:
        """What was guessed and mended while the file was read, in sentences."""
        return list(self._read.report.notes) if self._read.report else []

    def refresh(self) -> Dataset:
        """Read again how it is now; a version that is still being made is followed until it is there."""
        version = self._read.version if self._read.status == "processing" else None
        self._read = self._connection.transport.get(DatasetRead, f"datasets/{path_of(self.id)}", version=version)
        return self

    def wait(self, timeout: float | None = None) -> Dataset:
        """Wait until it is processed.

        Raises
        ------
        DappError
            The reason, when it could not be processed.
        TimeExceeded
            When it takes longer than ``timeout`` seconds.
        """
        with Display() as display:
            return wait_processed(self, display, timeout)

    def frame(self, columns: Sequence[str] | None = None, filter: FilterLike = None) -> pd.DataFrame:
        """The rows as a pandas frame; see :meth:`DAPPClient.get_processed_data`."""
        return read_frame(self._connection, self, columns, filter)

    def head(self, rows: int = 5) -> pd.DataFrame:
        """The first rows; fetches no more than these."""
        return read_head(self._connection, self, rows)

    def arrow(self, columns: Sequence[str] | None = None, filter: FilterLike = None) -> pa.Table:
        """The rows as an Arrow table, with the columns and filters of :meth:`frame`."""
        return read_table(self._connection, self, columns, filter)

    def polars(self, columns: Sequence[str] | None = None, filter: FilterLike = None) -> pl.DataFrame:
        """The rows as a polars frame, with the columns and filters of :meth:`frame`; polars has to be installed."""
        return to_polars(read_table(self._connection, self, columns, filter))

    def aggregate(self, by: str | Sequence[str] = (), measure: str | None = None, op: Aggregation = "count", filter: FilterLike = None) -> pd.DataFrame:
        """Figures of groups, computed on the server.

        Parameters
        ----------
        by : str or list of str
            Columns to group by, at most three; none gives one figure of everything.
        measure, op : str
            Column to measure and how: ``count``, ``sum``, ``mean``, ``median``, ``min``, ``max`` …; rows are counted when left out.
        filter : str or list of Filter, optional
            Only rows that fulfil it.
        """
        groups = [by] if isinstance(by, str) else list(by)
        request = {"group_by": [{"column": name} for name in groups], "measures": [{"op": op, "column": measure}], "filters": read_filters(filter)}
        return read_aggregate(self, request)

    def export(self, path: str | os.PathLike[str], format: Literal["csv", "xlsx", "parquet", "arrow"] | None = None, version: int | None = None) -> Path:
        """Save the processed rows as a file; its ending says in which format where none is given. The latest version, or another."""
        target = Path(path).expanduser()
        kind = format or target.suffix.lstrip(".").lower()
        with self._connection.transport.download(f"datasets/{path_of(self.id)}/data", format=kind, version=version) as stream:
            return save(stream, target)

    def original(self, path: str | os.PathLike[str]) -> Path:
        """Save the file as it was uploaded, to the byte."""
        with self._connection.transport.download(f"datasets/{path_of(self.id)}/original") as stream:
            return save(stream, Path(path).expanduser())

    def page(self, request: RowsRequest) -> RowsRead:
        """A page of rows, sorted, filtered and searched on the server."""
        return self._connection.transport.post(RowsRead, f"datasets/{path_of(self.id)}/rows", request)

    def profile(self) -> DatasetProfile:
        """What is in each column, and what a person should know about it."""
        return read_profile(self._connection, self)

    def train(self, target: str | None = None, **options: Any) -> Model:
        """Train a model from it; see :meth:`DAPPClient.train_model`."""
        from dapp_ext.client.models import train

        return train(self._connection, self, target, options)

    def versions(self) -> Listing[VersionRead]:
        """All versions, newest first, and how each was made."""
        return history.listed(self._connection, self.id)

    def compare(self, before: int, after: int | None = None) -> history.Comparison:
        """What changed between two versions in columns, rows and distributions; the second is the latest when left out."""
        return history.compared(self._connection, self.id, before, after)

    def read_again(self, options: ReadOptions | Mapping[str, Any] | None = None, wait: bool = True) -> Dataset:
        """Make a new version from the file as it was uploaded, read with other options such as ``{"decimal": ","}``."""
        return self._made(history.read_again(self._connection, self.id, options), wait)

    def upload_version(self, path_or_frame: Any, wait: bool = True, *, read: ReadOptions | Mapping[str, Any] | None = None) -> Dataset:
        """Send a file or a table as the next version."""
        made = upload(self._connection, path_or_frame, UploadPlan(options=history.read_options(read), wait=wait, version_of=self.id))
        self._read = made.read
        return self

    def restore(self, version: int) -> Dataset:
        """Make an older version the latest one; those between stay."""
        return self._made(history.restored(self._connection, self.id, version), wait=False)

    def fix(self, code: str, columns: str | Sequence[str] = (), wait: bool = True, **options: Any) -> Dataset:
        """Mend it by a new version, which :meth:`undo_fix` takes back.

        Parameters
        ----------
        code : str
            What to do, such as ``"drop_duplicate_rows"``, or the code of a finding for what that offers.
        columns : str or list of str
            Which columns; those that the finding named when left out.
        **options
            How, such as ``method="median"``; see :class:`~dapp_ext.schema.fixes.FixOptions`.
        """
        return self._made(history.fixed(self._connection, self.id, code, [columns] if isinstance(columns, str) else columns, options), wait)

    def undo_fix(self) -> Dataset:
        """Take the last fix back."""
        return self._made(history.unfixed(self._connection, self.id), wait=False)

    def lineage(self) -> history.DatasetLineage:
        """Where it comes from, and what was made from it."""
        return history.lineage(self._connection, "datasets", self.id)

    def dependents(self, version: int | None = None) -> Dependents:
        """What was made from it or from one version, and what goes with it when that is deleted."""
        return history.dependents(self._connection, self.id, version)

    def delete_version(self, version: int, force: bool = False) -> None:
        """Delete one older version for good, with the keys of its data; what was made from it stays.

        Parameters
        ----------
        force : bool
            Whether to do so although models, predictions or later versions come from it.

        Raises
        ------
        Conflict
            If something depends on it, or it is the latest; says what, and deletes nothing.
        """
        history.deleted(self._connection, self.id, version, force)

    def _made(self, read: DatasetRead, wait: bool) -> Dataset:
        self._read = read
        self._connection.remember("dataset", self.id)
        return self.wait() if wait else self

    def rename(self, name: str) -> Dataset:
        """Give it another name."""
        return self._update(DatasetUpdate(name=name))

    def share(self, visibility: Visibility = "team") -> Dataset:
        """Show it to the team, or keep it ``private``."""
        return self._update(DatasetUpdate(visibility=visibility))

    def share_with(self, person: str, level: GrantLevel | None = "use") -> Listing[GrantRead]:
        """Let a colleague (by e-mail address, name or id) ``read``, ``use`` or ``edit`` it, or no more with ``None``."""
        return share_with(self._connection, "datasets", self.id, person, level)

    def shared_with(self) -> Listing[GrantRead]:
        """The people it is shared with by name."""
        return grants(self._connection, "datasets", self.id)

    def delete(self, force: bool = False) -> None:
        """Delete it for good, with all its versions and the key of its data.

        Parameters
        ----------
        force : bool
            Whether to do so although models, predictions or people depend on it.

        Raises
        ------
        Conflict
            If something depends on it; says what, and deletes nothing.
        Denied
            If it is somebody else's.
        """
        if not force and self._is_mine and (told := history.warning(self.dependents())):
            raise Conflict(f"{told} To delete it all the same: dataset.delete(force=True)")
        self._connection.transport.call("DELETE", f"datasets/{path_of(self.id)}")

    @property
    def _is_mine(self) -> bool:
        """Whether it can be this account's to delete; an administrator may delete everybody's."""
        account = self._connection.transport.sign_in.account
        return self._read.access == "owner" or account is None or account.role is Role.admin

    def _update(self, change: DatasetUpdate) -> Dataset:
        self._read = self._connection.transport.patch(DatasetRead, f"datasets/{path_of(self.id)}", change)
        return self

    def _summary(self) -> str:
        read = self._read
        if read.status == "failed":
            return read.error or "It could not be read."
        if read.status == "processing":
            return f"{read.filename}, {size_text(read.size)}: being processed"
        origin = f", from {read.filename} ({size_text(read.size)})" if read.size else ", made in the workspace"
        return f"{amount(read.rows, 'row')} × {amount(read.column_count, 'column')}{origin}"

    def __repr__(self) -> str:
        lines = [f"Dataset {self.name!r} · {self.status} · version {self.version}", self._summary()]
        if self._read.schema_:
            lines.append(text_table(("column", "kind"), [(labelled(each.name, each.unit), each.kind) for each in self._read.schema_[:40]]))
        if len(self._read.schema_) > 40:
            lines.append(f"… and {len(self._read.schema_) - 40} more columns")
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        read = self._read
        parts = [
            paragraph(self._summary(), "lead"),
            paragraph(f"{read.owner.name} · {ago(read.created_at)} · version {read.version} · {read.visibility}", "soft"),
        ]
        parts += [paragraph(note, "soft") for note in self.notes]
        if read.schema_:
            rows = [(labelled(each.name, each.unit), each.kind, "may be missing" if each.nullable else "") for each in read.schema_[:200]]
            more = len(read.schema_) - 200
            parts.append(f"<details><summary>{escape(amount(read.column_count, 'column'))}</summary>{table(('column', 'kind', ''), rows)}</details>")
            parts += [paragraph(f"… and {more} more", "soft")] if more > 0 else []
        return card(read.name, *parts, badge=badge(read.status, _TONES[read.status]))


_COLUMNS: dict[str, Callable[[Dataset], Any]] = {
    "name": lambda each: each.name,
    "status": lambda each: each.status,
    "rows": lambda each: None if each.rows is None else f"{each.rows:,}",
    "columns": lambda each: each.read.column_count,
    "owner": lambda each: each.read.owner.name,
    "added": lambda each: ago(each.read.created_at),
}


@dataclass(frozen=True)
class UploadPlan:
    """What is to be said about a file when it is sent."""

    name: str | None = None
    visibility: Visibility = "team"
    options: ReadOptions | None = None
    wait: bool = True
    display: Display | None = None
    version_of: str | None = None


def upload(connection: Connection, thing: Any, plan: UploadPlan) -> Dataset:
    """Send a file or a table, and wait until it is processed when the plan says so."""
    if plan.name is not None and not plan.name.strip():
        raise Invalid("The name is empty. Give the dataset a name, or leave it out.")
    source = source_of(thing, plan.name)
    query: dict[str, Any] = {"filename": source.filename, "name": plan.name, "visibility": plan.visibility, "version_of": plan.version_of}
    if plan.options is not None:
        query.update(plan.options.model_dump(mode="json", exclude_none=True))
        if plan.options.types:
            query["types"] = json.dumps(plan.options.types)  # an address has no objects
    with plan.display or Display() as display:
        read = connection.transport.upload(DatasetRead, "datasets", _counted(source, display), size=source.size, query=query)
        dataset = Dataset(connection, read)
        connection.remember("dataset", dataset.id)
        if plan.wait:
            wait_processed(dataset, display)
        else:
            display.line(f"{dataset.name}: sent, being processed")
    return dataset


def wait_processed(dataset: Dataset, display: Display, timeout: float | None = None) -> Dataset:
    """Follow the processing of a dataset to its end; raises its error when it fails."""
    seen: dict[str, Any] = {"fraction": None, "message": "Processing", "code": None}

    def concerns(event: Event) -> bool:
        if event.subject.id == dataset.id:
            seen["code"] = event.data.get("error") or seen["code"]
            return True
        if event.subject.id == dataset.read.job_id:
            seen["fraction"] = event.data.get("progress", seen["fraction"])
            seen["message"] = event.data.get("message") or seen["message"]
            return True
        return False

    def look() -> Dataset | None:
        if dataset.status == "processing":
            dataset.refresh()
        if dataset.status != "processing":
            return dataset
        display.bar(seen["fraction"], f"{dataset.name}: {seen['message']}")
        return None

    begun = time.monotonic()
    wait_until(dataset._connection.feed, look, concerns, timeout=timeout)
    if dataset.status == "failed":
        display.line(f"{dataset.name}: could not be read")
        raise failure_of(dataset._connection, dataset.read, seen["code"], FileUnreadable)
    display.line(f"{dataset.name}: ready after {duration(time.monotonic() - begun)}")
    return dataset


def get_dataset(connection: Connection, ref: object | None = None) -> Dataset:
    """A dataset by object, id or name; the one used last when none is given."""
    wanted = reference(ref, "a dataset") if ref is not None else connection.last("dataset")
    if wanted is None:
        raise Invalid("Which dataset? Give one, such as: client.get_processed_data(client.datasets()[0])")
    if isinstance(ref, Dataset):
        dataset = ref if ref.status == "ready" else ref.refresh()
    else:
        dataset = Dataset(connection, connection.transport.get(DatasetRead, f"datasets/{path_of(wanted)}"))
    connection.remember("dataset", dataset.id)
    return dataset


def list_datasets(connection: Connection, search: str | None = None) -> Listing[Dataset]:
    """All datasets that this account may see, the newest first."""
    found: list[Dataset] = []
    for page in pages(connection, DatasetRead, "datasets", search=search):
        found += [Dataset(connection, read) for read in page]
    return Listing(found, "Datasets", _COLUMNS)


def pages(connection: Connection, shape: type[R], path: str, **query: Any) -> Iterator[list[R]]:
    """All pages of a list, one after the other."""
    cursor: str | None = None
    paged: type[Page[R]] = Page[shape]  # type: ignore[valid-type]  # pydantic makes the class at run time
    while True:
        page = connection.transport.get(paged, path, limit=200, cursor=cursor, **query)
        yield page.items
        cursor = page.next
        if cursor is None:
            return


def read_frame(connection: Connection, ref: object, columns: Sequence[str] | None, filter: FilterLike) -> pd.DataFrame:
    """The rows of a dataset as a typed frame, read while they arrive."""
    with _rows_of(connection, ref, columns, filter) as stream:
        return read_pandas(stream)


def read_table(connection: Connection, ref: object, columns: Sequence[str] | None, filter: FilterLike) -> pa.Table:
    """The rows of a dataset as an Arrow table, read while they arrive."""
    with _rows_of(connection, ref, columns, filter) as stream:
        return read_arrow(stream)


def _rows_of(connection: Connection, ref: object, columns: Sequence[str] | None, filter: FilterLike) -> AbstractContextManager[BinaryIO]:
    columns = [columns] if isinstance(columns, str) else None if columns is None else list(columns)
    filters = read_filters(filter)
    dataset = _processed(connection, ref)
    asked = json.dumps(plain_filters(filters), ensure_ascii=False) if filters else None
    return connection.transport.download(f"datasets/{path_of(dataset.id)}/data", format="arrow", columns=columns, filters=asked)


def read_aggregate(dataset: Dataset, request: Mapping[str, Any]) -> pd.DataFrame:
    """Figures of groups as a frame."""
    import pandas as pd

    try:
        body = QueryRequest.model_validate(dict(request))
    except ValidationError as error:
        raise Invalid(f"This cannot be computed: {error.errors()[0]['msg']}.") from error
    found = dataset._connection.transport.post(QueryRead, f"datasets/{path_of(dataset.id)}/query", body)
    return pd.DataFrame(found.rows, columns=found.columns)


def read_head(connection: Connection, ref: object, rows: int) -> pd.DataFrame:
    """The first rows of a dataset."""
    import pandas as pd

    dataset = _processed(connection, ref)
    page = dataset.page(RowsRequest(limit=rows))
    frame = pd.DataFrame(page.rows, columns=[column.name for column in page.columns])
    for column in page.columns:
        if column.kind in ("date", "datetime"):
            frame[column.name] = pd.to_datetime(frame[column.name], format="ISO8601")
        elif column.kind == "integer" and len(frame) and frame[column.name].isna().any():
            frame[column.name] = frame[column.name].astype("Int64")
    return frame


def read_profile(connection: Connection, ref: object) -> DatasetProfile:
    """The health report of a dataset."""
    dataset = _processed(connection, ref)
    read = connection.transport.get(Profile, f"datasets/{path_of(dataset.id)}/profile")
    return DatasetProfile(dataset.name, read, {each.name: each.unit for each in dataset.read.schema_ if each.unit})


def _processed(connection: Connection, ref: object) -> Dataset:
    dataset = get_dataset(connection, ref)
    return dataset.wait() if dataset.status == "processing" else dataset


def _counted(source: Source, display: Display) -> Iterable[bytes]:
    sent = 0
    for piece in source.pieces:
        yield piece
        sent += len(piece)
        display.bar(sent / source.size if source.size else None, f"Sending {source.filename}: {size_text(sent)}")
