"""The parameters that the API's addresses take."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dapp_ext.schema.audit import AuditFilter, AuditFormat
from dapp_ext.schema.base import Request
from dapp_ext.schema.datasets import ReadOptions, Visibility
from dapp_ext.schema.jobs import JobStatus


class ListQuery(Request):
    """One page of a list."""

    search: str | None = Field(default=None, max_length=200, description="Text that the name contains.")
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=200, description="The next of the page before.")


class InsightsQuery(Request):
    about: str | None = Field(default=None, max_length=200, description="Id of a dataset or model: only what shows it.")
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=200, description="The next of the page before.")


class SharesQuery(Request):
    model: str | None = Field(default=None, max_length=300, description="Id or name of a model: only links to it.")
    insight: str | None = Field(default=None, max_length=300, description="Id of an insight: only links to it.")


class JobsQuery(Request):
    status: JobStatus | None = None
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=200, description="The next of the page before.")


class AuditQuery(AuditFilter):
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=200, description="The next of the page before.")


class AuditVerifyQuery(Request):
    seq: int | None = Field(default=None, ge=0, description="Number of an exported head.")
    mac: str | None = Field(default=None, pattern="^([0-9a-f]{2})+$", max_length=128, description="Code of an exported head.")


class AuditExportQuery(AuditFilter):
    format: AuditFormat = "jsonl"


class EventsQuery(Request):
    after: str | None = Field(default=None, max_length=200, description="Cursor; what came after it is answered.")
    limit: int = Field(default=500, ge=1, le=500)
    recent: bool = Field(default=False, description="What happened last, oldest first and without the small steps, whatever the cursor.")


class FeedQuery(Request):
    after: str | None = Field(default=None, max_length=200, description="Cursor to resume after; the present when left out.")


class AnnouncementsQuery(Request):
    all: bool = Field(default=False, description="Also those to come and those that are over; for administrators.")


class NotificationsQuery(Request):
    unread: bool = Field(default=False, description="Only those that are not read.")
    limit: int = Field(default=30, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=100, description="The next of the page before.")


class VersionQuery(Request):
    version: int | None = Field(default=None, ge=1, description="The latest when left out.")


class VersionsQuery(Request):
    """Two versions of one dataset."""

    before: int = Field(ge=1, alias="from", description="The version that was there first.")
    after: int | None = Field(default=None, ge=1, alias="to", description="The latest when left out.")


class RowsQuery(Request):
    version: int | None = Field(default=None, ge=1, description="The latest when left out.")
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=1000)
    search: str | None = Field(default=None, max_length=200, description="Text that some column contains.")
    text_limit: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Longer texts are cut after so many characters, with an ellipsis behind them."
    )


class ExportQuery(Request):
    format: Literal["arrow", "parquet", "csv", "xlsx"] = "csv"
    version: int | None = Field(default=None, ge=1, description="The latest when left out.")
    columns: list[str] | None = Field(default=None, description="Given once for each column; all when left out.")
    filters: str | None = Field(default=None, max_length=100_000, description="A JSON list of filters, as in the body of rows.")


class CompareQuery(Request):
    a: str = Field(min_length=1, max_length=250, description="Id, name, or name@version.")
    b: str = Field(min_length=1, max_length=250, description="Id, name, or name@version.")


class MonitoringQuery(Request):
    days: int = Field(default=7, ge=1, le=366)


class LogQuery(Request):
    """One page of the log of predictions."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=200, description="The next of the page before.")


class ModelExportQuery(Request):
    format: Literal["skops", "notebook", "card"] = "skops"


class UploadQuery(ReadOptions):
    """What is said about the file whose bytes are the body; how to read it is guessed where it is left out."""

    filename: str = Field(min_length=1, max_length=255)
    name: str | None = Field(default=None, min_length=1, max_length=200)
    visibility: Visibility = "team"
    version_of: str | None = Field(default=None, max_length=200, description="Id or name of a dataset that gets the file as its next version.")
