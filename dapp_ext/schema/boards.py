"""Boards: several charts and key figures over one version of a dataset, asked and answered in one message."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dapp_ext.schema.base import Answer, Request
from dapp_ext.schema.datasets import Aggregation, Filter, Measure, TimeBucket

ChartShape = Literal["histogram", "bar", "line", "scatter", "heat", "box"]


class ChartRequest(Request):
    """One chart.

    ``histogram``: how the numbers of ``x`` are spread. ``bar`` and ``line``: rows, or a measure of ``y``, for each value
    or step of time of ``x``. ``heat``: rows, or a measure of ``color``, for ``x`` and ``y``. ``scatter``: ``y`` against
    ``x``, as points while there are few, counted in small cells beyond. ``box``: how ``y`` is spread for each ``x``.
    ``color`` splits histograms, bars, lines and points. ``picks`` are conditions that were picked in this chart: they
    filter the other charts, not this one.
    """

    shape: ChartShape
    x: str
    y: str | None = None
    color: str | None = None
    measure: Aggregation = "count"
    bucket: TimeBucket | None = None
    bins: int = Field(default=40, ge=2, le=200)
    log: bool = Field(default=False, description="Histogram: bins that grow by a factor, for amounts above nought with a long tail.")
    picks: list[Filter] = Field(default_factory=list, max_length=10)


class BoardRequest(Request):
    """Charts and figures over the rows that pass the filters and what was picked in the charts."""

    version: int | None = None
    charts: list[ChartRequest] = Field(default_factory=list, max_length=12)
    figures: list[Measure] = Field(default_factory=list, max_length=8)
    filters: list[Filter] = Field(default_factory=list, max_length=50)


class ChartRead(Answer):
    """The numbers of one chart.

    ``data`` by shape. ``histogram``: ``edges`` (one more than ``rows``), ``rows``, ``missing``, ``below`` (rows of nought and less, where the bins grow). ``bar``: ``names``,
    ``rows``, ``values``, ``others`` (names and rows of what did not fit), ``total`` (of a sum, over all names). ``line``: ``times``, ``rows``,
    ``values``. ``heat``: ``x`` and ``y`` (each ``names`` or ``edges``), ``cells`` of x, y, rows and value. ``scatter``:
    ``points`` of x, y and colour, or ``raster``: a grid of ``width`` times ``height`` counts from ``x`` and ``y``
    lowest to highest, base64 of little-endian unsigned whole numbers of ``bits``. ``box``: ``names``, ``rows``,
    ``boxes`` (lower whisker, quartiles, upper whisker), ``outliers``. ``parts``, where split by colour: ``names``, and
    ``rows`` and ``values`` as one list for each part.
    """

    shape: ChartShape
    rows: int = Field(description="Rows that pass the filters.")
    drawn: int = Field(description="Those of them that are in the chart: the others have no value there, or are in `others`.")
    data: dict[str, Any]


class BoardRead(Answer):
    """The answers in the order of the questions."""

    version: int
    rows: int = Field(description="Rows of the table.")
    fit: int = Field(description="Rows that pass the filters and everything picked.")
    figures: list[float | int | str | None]
    charts: list[ChartRead]
