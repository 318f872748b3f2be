"""Datasets: what is in them, what is wrong with them, and how they are asked."""

from __future__ import annotations

import codecs
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from dapp_ext.schema.base import Answer, Named, Request
from dapp_ext.schema.fixes import FixOffer
from dapp_ext.schema.grants import AccessLevel

ColumnKind = Literal["integer", "decimal", "boolean", "category", "text", "date", "datetime", "time", "duration"]
DatasetStatus = Literal["processing", "ready", "failed"]
Visibility = Literal["private", "team"]
# upload: a file came in; reread: the same file read with other options; fix: a finding was mended; undo: a fix was taken
# back; restore: an older version became the latest again; prediction: a model made it.
VersionOrigin = Literal["upload", "reread", "fix", "undo", "restore", "prediction"]
Severity = Literal["info", "warning", "alert"]
FilterOperator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "between", "contains", "is_null", "not_null"]
Aggregation = Literal["count", "sum", "mean", "median", "min", "max", "distinct", "std", "quantile", "box"]
TimeBucket = Literal["year", "quarter", "month", "week", "day", "hour"]


class Column(Answer):
    """A column as it is stored."""

    name: str
    kind: ColumnKind
    nullable: bool = True
    unit: str | None = Field(default=None, description="What stood beside its numbers in the file, such as $ or %.")


class ValueCount(Answer):
    """A value, as text, and how many rows have it."""

    value: str
    count: int


class Histogram(Answer):
    """Counts between edges; ``len(edges) == len(counts) + 1``. Edges of dates are ISO 8601 texts."""

    edges: list[float | str]
    counts: list[int]


class ColumnProfile(Answer):
    """What is in one column. Quantiles and extremes are numbers, or ISO 8601 texts for dates."""

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    distinct_exact: bool = True
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, Any] = Field(default_factory=dict, description="Keys 0.05, 0.25, 0.5, 0.75, 0.95.")
    top: list[ValueCount] = Field(default_factory=list)
    histogram: Histogram | None = None
    mean_length: float | None = Field(default=None, description="Mean length of texts, in characters.")


class Finding(Answer):
    """Something that a person should know, with a stable code and the rows that show it.

    ``fix`` is what ``POST /datasets/{id}/fixes`` would do about it, where something makes sense.
    """

    code: str
    severity: Severity
    sentence: str
    columns: list[str] = Field(default_factory=list)
    rows: list[int] = Field(default_factory=list, description="Up to 20 row numbers, from 0, that show it.")
    count: int | None = None
    fix: FixOffer | None = None


class Profile(Answer):
    """The health report of one dataset version."""

    version: int = 1
    rows: int
    columns: list[ColumnProfile]
    findings: list[Finding] = Field(default_factory=list)
    duplicate_rows: int = 0
    likely_target: str | None = None
    likely_target_reason: str | None = None


def _from_json(value: Any) -> Any:
    """In the query of an address an object is written as JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('write it as JSON, for example {"postcode": "text"}') from None
    return value


class ReadOptions(Request):
    """How to read a file; what is left out is guessed, and the guess is reported in :class:`ReadReport`."""

    format: Literal["csv", "xlsx", "ods", "parquet", "arrow", "json", "jsonl"] | None = None
    delimiter: str | None = Field(default=None, max_length=1)
    quote: Literal['"', "'", "none"] | None = Field(default=None, description="What stands around cells with delimiters or line ends in them.")
    escape: Literal["backslash", "none"] | None = Field(default=None, description="Whether a backslash stands before quotes inside quoted cells.")
    encoding: str | None = Field(default=None, max_length=40)
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", ".", " ", "'", "none"] | None = Field(default=None, description="What stands between thousands.")
    date_order: Literal["day_first", "month_first"] | None = Field(default=None, description="How 01/02/2021 is read.")
    sheet: str | None = Field(default=None, max_length=200, description="The sheet of a workbook, or the file in a zip archive.")
    join_sheets: bool | None = Field(default=None, description="Whether sheets with the same columns are put together.")
    table: int | None = Field(default=None, ge=1, le=1000, description="Which table of a sheet that holds several, from 1, from the top left on.")
    merged_cells: Literal["fill", "first"] | None = Field(default=None, description="Whether cells that were merged all get the value, or only the first.")
    layout: Literal["delimited", "aligned", "blanks"] | None = Field(
        default=None, description="How the columns of a text part: by a delimiter, by standing under each other, or by runs of blanks."
    )
    header: bool | None = None
    header_row: int | None = Field(default=None, ge=1, le=1_000_000, description="Line or row of the header, or of the first data without one, from 1.")
    header_rows: int | None = Field(default=None, ge=1, le=2, description="Rows that name the columns together, as with merged cells over several names.")
    comment: str | None = Field(default=None, pattern="^(.|none)$", description="Lines that begin with this character are left out; or none.")
    extra_cells: Literal["keep", "drop"] | None = Field(default=None, description="What happens to cells beyond the width of the table.")
    extra_rows: Literal["keep", "drop"] | None = Field(
        default=None, description="What happens to rows that are no data: repeated headers, rules of dashes, totals and notes below the table."
    )
    missing: list[str] | None = Field(default=None, max_length=50, description="Texts that stand for a missing value; given once for each.")
    types: Annotated[dict[str, ColumnKind] | None, BeforeValidator(_from_json)] = Field(
        default=None, max_length=10_000, description="Kind of a column by its name; values that are none of the kind become missing, and that is told."
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except (LookupError, ValueError):
                raise ValueError("there is no text encoding of that name") from None
        return value


class ColumnReading(Answer):
    """How the texts of one column were taken, where there was more than one way."""

    name: str
    kind: ColumnKind
    chosen: bool = Field(default=False, description="Whether somebody chose the kind.")
    written: str | None = Field(default=None, description="How its values are written, in plain words.")


class ReadReport(Answer):
    """How a file was read, and what was done on the way, in plain sentences.

    The fields are named like those of :class:`ReadOptions`; ``guessed`` lists those that nobody chose.
    """

    format: str
    compression: str | None = Field(default=None, description="What the file was packed with.")
    member: str | None = Field(default=None, description="The file that was read in a zip archive.")
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    date_order: str | None = None
    sheet: str | None = None
    sheets: list[str] = Field(default_factory=list, description="The sheets that may be chosen.")
    header: bool | None = None
    header_row: int | None = None
    header_rows: int | None = None
    comment: str | None = None
    extra_cells: str | None = None
    extra_rows: str | None = None
    join_sheets: bool | None = None
    table: int | None = Field(default=None, description="Which table of the sheet was read, where it holds several.")
    tables: list[str] = Field(default_factory=list, description="The tables that may be chosen, where a sheet holds several.")
    merged_cells: str | None = None
    layout: str | None = None
    missing: list[str] = Field(default_factory=list, description="Texts that were read as missing.")
    guessed: list[str] = Field(default_factory=list)
    columns: list[ColumnReading] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class PendingVersion(Answer):
    """A version beyond the latest usable one: still being made, or one that could not be made."""

    version: int
    status: DatasetStatus
    origin: VersionOrigin
    job_id: str | None = None
    error: str | None = None


class HealthBrief(Answer):
    """The health report in a line: how many findings of each kind."""

    alerts: int = 0
    warnings: int = 0
    notes: int = 0


class DatasetRead(Answer):
    """One dataset at one version. ``schema`` is empty until it is ready.

    ``access`` tells what the asking account may do; only its owner learns with how many named people it is shared.
    """

    id: str
    name: str
    status: DatasetStatus
    error: str | None = None
    owner: Named
    visibility: Visibility
    access: AccessLevel = "read"
    shared_with: int | None = Field(default=None, description="Number of named people, for its owner.")
    version: int
    latest: int = Field(default=1, description="The version that is used when none is named.")
    origin: VersionOrigin = "upload"
    pending: PendingVersion | None = Field(default=None, description="A newer version that is being made, or failed.")
    rows: int | None = None
    schema_: list[Column] = Field(default_factory=list, alias="schema", serialization_alias="schema")
    column_count: int | None = None
    format: str | None = None
    filename: str
    size: int = Field(description="Bytes of the file as it was uploaded.")
    job_id: str | None = None
    report: ReadReport | None = None
    health: HealthBrief | None = Field(default=None, description="How many findings the health report has; null until it is there.")
    likely_target: str | None = None
    created_at: datetime
    updated_at: datetime


class DatasetUpload(Request):
    """What is said about a file before its bytes come."""

    filename: str = Field(min_length=1, max_length=255)
    name: str | None = Field(default=None, min_length=1, max_length=200)
    visibility: Visibility = "team"
    size: int | None = Field(default=None, ge=0, description="Bytes, when known.")
    version_of: str | None = Field(default=None, max_length=200, description="Id or name of a dataset that gets the file as its next version.")
    options: ReadOptions = ReadOptions()


class UsageRead(Answer):
    """Bytes that an account stores, sealed, with all that was made from its files; ``null`` where nothing is limited."""

    used: int
    datasets: int
    models: int
    quota: int | None = None
    free: int | None = None
    upload_limit: int = Field(description="Bytes of the largest file that may be sent.")


class DatasetUpdate(Request):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    visibility: Visibility | None = None


class Filter(Request):
    """One condition on one column; ``value`` is a list for ``in`` and a pair for ``between``."""

    column: str
    op: FilterOperator
    value: Any = None


class Sort(Request):
    column: str
    descending: bool = False


class RowsRequest(Request):
    """A page of rows, sorted and filtered on the server."""

    version: int | None = None
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=1000)
    columns: list[str] | None = None
    sort: list[Sort] = Field(default_factory=list, max_length=5)
    filters: list[Filter] = Field(default_factory=list, max_length=50)
    search: str | None = Field(default=None, max_length=200, description="Text that some column contains.")
    text_limit: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Longer texts are cut after so many characters, with an ellipsis behind them."
    )


class RowsRead(Answer):
    """Rows as lists in the order of ``columns``.

    Cells are null, booleans, numbers or texts: dates are ISO 8601, numbers that a double cannot hold exactly are texts.
    """

    version: int
    columns: list[Column]
    rows: list[list[Any]]
    offset: int
    total: int = Field(description="Rows that match the filters.")


class Measure(Request):
    """One figure per group; ``column`` is not needed to count rows.

    ``quantile`` needs ``q`` and is named ``q0.95_price``. ``box`` gives what a box plot draws, as six columns: ``low_``,
    ``q1_``, ``median_``, ``q3_``, ``high_`` (whiskers at the outermost values within 1.5 interquartile ranges) and
    ``outside_``, the number of values beyond the whiskers.
    """

    op: Aggregation
    column: str | None = None
    q: float | None = Field(default=None, ge=0, le=1, description="Which quantile, from 0 to 1.")


class Grouping(Request):
    """What to group by: the values of a column, a number of equal bins, or a bucket of time."""

    column: str
    bins: int | None = Field(default=None, ge=2, le=200)
    bucket: TimeBucket | None = None


class QueryRequest(Request):
    """An aggregate over one version."""

    version: int | None = None
    group_by: list[Grouping] = Field(default_factory=list, max_length=3)
    measures: list[Measure] = Field(default=[Measure(op="count")], min_length=1, max_length=10)
    filters: list[Filter] = Field(default_factory=list, max_length=50)
    limit: int = Field(default=1000, ge=1, le=50_000)


class QueryRead(Answer):
    """Column names and rows of an aggregate; a bin is named by its lower edge, a bucket by its start.

    ``bins`` holds all edges of each column that was grouped by bins, one more than there are bins.
    """

    version: int
    columns: list[str]
    rows: list[list[Any]]
    truncated: bool = False
    bins: dict[str, list[Any]] = Field(default_factory=dict)
