"""Questions to a table: a page of rows, an aggregate, the rows that pass some filters.

Pure functions over a :class:`~dapp_ext.domain.sources.Source`. Only the columns that a question needs are read, and for
a plain page only the rows that it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from dapp_ext.domain.cells import to_rows
from dapp_ext.domain.conditions import Place, condition, find_column, search
from dapp_ext.domain.grouping import BoxPart, Grouped, arranged, boxed, expanded, measured, quantile_of, quantiled
from dapp_ext.domain.sources import KeptSource, Source, as_frame, parts
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Column, Filter, Measure, QueryRead, QueryRequest, RowsRequest

_ROW = "row"


def select_rows(source: Source, columns: Sequence[Column], request: RowsRequest) -> tuple[list[Column], list[list[Any]], int]:
    """A page of rows.

    Missing values come last in either direction; equal rows keep the order of the table. A search looks into the
    columns that are shown.

    Returns
    -------
    tuple
        The columns shown, their cells row by row (see :mod:`dapp_ext.domain.cells`), and how many rows match in all.

    Raises
    ------
    ColumnUnknown
        If a column is named that is not there.
    Invalid
        If a filter does not fit its column.
    """
    shown = choose_columns(columns, request.columns)
    names = [column.name for column in shown]
    text = (request.search or "").strip()
    if not request.filters and not request.sort and not text:
        table = source.read(names, request.offset, request.limit)
        return shown, to_rows(as_frame(table, shown=True), request.text_limit), source.rows
    selection = Selection(source, columns, request.filters, text, shown)
    keys = [find_column(columns, each.column).name for each in request.sort]
    found = selection.gather(list(dict.fromkeys(keys)))
    if request.sort:
        place = {name: f"c{i}" for i, name in enumerate(dict.fromkeys(keys))}
        by = [*(place[key] for key in keys), _ROW]
        found_rows = found.lazy().sort(by, descending=[*(each.descending for each in request.sort), False], nulls_last=True)
    else:
        found_rows = found.lazy()
    page = found_rows.select(_ROW).slice(request.offset, request.limit).collect().to_series().to_list()
    return shown, to_rows(as_frame(source.take(page, names), shown=True), request.text_limit), found.height


def aggregate(source: Source, columns: Sequence[Column], request: QueryRequest) -> tuple[list[str], list[list[Any]], bool]:
    """Figures for each group of rows.

    Groups are ordered by their values, missing ones last. A single grouping by bins also tells of the empty bins.
    When there are more groups than asked for, the ones with the most rows are kept.

    Returns
    -------
    tuple
        Names (of the grouping columns, then ``count``, ``mean_price``, …), rows, and whether groups were left out.

    Raises
    ------
    ColumnUnknown, Invalid
        As for :func:`select_rows`, and if a figure or a grouping does not fit its column.
    """
    answer = ask(source, columns, request)
    return answer.columns, answer.rows, answer.truncated


def ask(source: Source, columns: Sequence[Column], request: QueryRequest) -> QueryRead:
    """The same with the edges of bins, as it goes out; its version is filled in by whoever knows it."""
    try:
        return _ask(source, columns, request, rounded=False)
    except pl.exceptions.ComputeError as error:
        if "overflow in decimal" not in str(error):
            raise
        # A sum of more than 38 digits is told as nearly as a double can.
        return _ask(source, columns, request, rounded=True)


def _ask(source: Source, columns: Sequence[Column], request: QueryRequest, *, rounded: bool) -> QueryRead:
    groups = [(each, find_column(columns, each.column)) for each in request.group_by]
    measures = [(each, None if each.column is None else find_column(columns, each.column)) for each in request.measures]
    figured = [(begin, op, each, column) for each, column in measures for begin, op in expanded(each)]
    needed = list(dict.fromkeys([c.name for _, c in groups] + [c.name for _, c in measures if c is not None]))
    names = _unique([c.name for _, c in groups] + [begin if c is None else f"{begin}_{c.name}" for begin, _, _, c in figured])
    selection = Selection(source, columns, request.filters)
    frame: pl.DataFrame | pl.LazyFrame
    total: pl.Expr = pl.lit(source.rows)
    whole = selection.whole(needed)
    if whole is not None:
        frame, schema = whole
        total = pl.len()
    elif not needed and not request.filters:
        frame = pl.DataFrame({_ROW: []}, schema={_ROW: pl.Int64})
        schema = frame.schema
    else:
        frame = selection.gather(needed)
        schema, total = frame.schema, pl.lit(frame.height)
    position = {name: i for i, name in enumerate(needed)}

    def place(column: Column) -> Place:
        name = f"c{position[column.name]}"
        summed = any(each.op == "sum" and each.column == column.name for each in request.measures)
        return Place(column, schema[name], pl.col(name), summed and isinstance(source, KeptSource) and source.is_narrow(column.name), rounded)

    def figure(op: str, measure: Measure, column: Column | None) -> pl.Expr | BoxPart:
        if measure.op == "box" and column is not None:
            return boxed(op, place(column))
        if not groups and column is not None and (q := quantile_of(measure)) is not None:
            every = [found for each, its in measures if its is column and (found := quantile_of(each)) is not None]
            return quantiled(q, list(dict.fromkeys(every)), place(column)) or measured(measure, place(column))
        return measured(measure, None if column is None else place(column))

    figures = [figure(op, each, column) for _, op, each, column in figured]
    if not groups:
        looks, parts_of_boxes = arranged([total if each[3] is None else found for found, each in zip(figures, figured, strict=True)])
        answer = frame.lazy().select(looks).with_columns(parts_of_boxes).collect()
        return QueryRead(version=0, columns=names, rows=to_rows(answer.select([f"m{i}" for i in range(len(figures))])))
    grouped = Grouped(frame, [(each, place(column)) for each, column in groups], figures, [op for _, op, _, _ in figured])
    answers, truncated = grouped.collect(request.limit)
    bins = {names[at]: [row[0] for row in to_rows(edges.to_frame())] for at, edges in grouped.bins().items()}
    return QueryRead(version=0, columns=names, rows=to_rows(answers), truncated=truncated, bins=bins)


def filtered_batches(source: Source, columns: Sequence[Column], wanted: Sequence[str], filters: Sequence[Filter]) -> Selection:
    """The rows that pass all filters, a part at a time, to be sent away.

    Raises
    ------
    ColumnUnknown, Invalid
        As for :func:`select_rows`; at once, before anything is read.
    """
    return Selection(source, columns, filters, shown=choose_columns(columns, wanted))


def choose_columns(columns: Sequence[Column], wanted: Sequence[str] | None) -> list[Column]:
    """The wanted columns in the wanted order, all where left out; one that is named twice comes once."""
    if wanted is None:
        return list(columns)
    if not wanted:
        raise Invalid("Choose at least one column.")
    return [find_column(columns, name) for name in dict.fromkeys(wanted)]


class Selection:
    """Rows of a source that pass filters and a search.

    Iterating gives Arrow tables of the columns shown, at least one, which may be without rows.

    Attributes
    ----------
    columns : list of Column
        The columns shown.
    """

    def __init__(self, source: Source, columns: Sequence[Column], filters: Sequence[Filter], text: str = "", shown: Sequence[Column] | None = None) -> None:
        self._source = source
        self._filters = list(filters)
        self._text = text
        self.columns = list(columns if shown is None else shown)
        asked = [find_column(columns, each.column) for each in filters] + (self.columns if text else [])
        self._asked = {column.name: column for column in asked}
        self._check()

    def __iter__(self) -> Iterator[pa.Table]:
        names = [column.name for column in self.columns]
        reading = list(dict.fromkeys([*names, *self._asked]))
        for table in self._source.batches(reading) if self._source.rows else [self._source.read(reading)]:
            passing = self._passing(table)
            yield (table if passing is None else table.filter(passing)).select(names)

    def count(self) -> int:
        """How many rows pass."""
        return self.gather([]).height if self._asked else self._source.rows

    def whole(self, names: Sequence[str]) -> tuple[pl.LazyFrame, pl.Schema] | None:
        """Columns ``c0``, ``c1``, … of the passing rows, to be gone on with; none where they are not kept ready as a whole."""
        reading = list(dict.fromkeys([*names, *self._asked]))
        frame = self._source.frame(reading) if isinstance(self._source, KeptSource) else None
        if frame is None:
            return None
        test = self._test(frame.schema, reading)
        return (frame.lazy() if test is None else frame.lazy().filter(test)), frame.schema

    def gather(self, names: Sequence[str]) -> pl.DataFrame:
        """Columns ``c0``, ``c1``, … of the passing rows, and ``row``: their numbers in the source."""
        reading = list(dict.fromkeys([*names, *self._asked])) or self._source.schema.names[:1]
        kept = self._source.frame(reading) if isinstance(self._source, KeptSource) else None
        if kept is not None:
            test = self._test(kept.schema, reading)
            numbered = kept.lazy().with_row_index(_ROW)
            return (numbered if test is None else numbered.filter(test)).select([*(f"c{i}" for i in range(len(names))), _ROW]).collect()
        found: list[pl.DataFrame] = []
        start = 0
        for table in parts(self._source, reading):
            frame = as_frame(table).with_row_index(_ROW, offset=start)
            start += table.num_rows
            test = self._test(frame.schema, reading)
            rows = frame.lazy() if test is None else frame.lazy().filter(test)
            found.append(rows.select([*(f"c{i}" for i in range(len(names))), _ROW]).collect())
        return pl.concat(found, rechunk=False)

    def _passing(self, table: pa.Table) -> pa.Array | None:
        if not self._asked:
            return None
        asked = list(self._asked)
        frame = as_frame(table.select(asked))
        test = self._test(frame.schema, asked)
        return None if test is None else frame.select(test.fill_null(False)).to_series().to_arrow()

    def _test(self, schema: pl.Schema, reading: Sequence[str]) -> pl.Expr | None:
        places = {
            name: Place(self._asked[name], kind := schema[f"c{i}"], pl.col(f"c{i}"), known=self._known(name, kind))
            for i, name in enumerate(reading)
            if name in self._asked
        }
        tests = [condition(places[each.column], each) for each in self._filters]
        if self._text:
            tests.append(search([places[column.name] for column in self.columns], self._text))
        return pl.all_horizontal(tests) if tests else None

    def _known(self, name: str, kind: pl.DataType) -> pl.Series | None:
        return self._source.known(name) if kind == pl.Categorical and isinstance(self._source, KeptSource) else None

    def _check(self) -> None:
        """Refuse what does not fit before anything is read."""
        names = list(self._asked)
        if names:
            empty = pa.schema([self._source.schema.field(name) for name in names]).empty_table()
            self._test(as_frame(empty).schema, names)


def _unique(names: Sequence[str]) -> list[str]:
    """Names made different by a number where they are the same."""
    out: list[str] = []
    for name in names:
        free, number = name, 2
        while free in out:
            free, number = f"{name}_{number}", number + 1
        out.append(free)
    return out
