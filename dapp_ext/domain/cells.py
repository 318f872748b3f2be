"""Cells as JSON can carry them without loss.

Missing and not-a-number are null, dates and times ISO 8601 texts, spans of time seconds. A whole or decimal number that
a double cannot hold exactly is a text, and so are the infinities (``Infinity``, ``-Infinity``).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import polars as pl

EXACT = 2**53
ISO_DATE = "%Y-%m-%d"
ISO_DATETIME = "%Y-%m-%dT%H:%M:%S%.f"
ISO_TIME = "%H:%M:%S%.f"


def to_rows(frame: pl.DataFrame, text_limit: int | None = None) -> list[list[Any]]:
    """The rows of a frame as lists of cells; longer texts are cut and end with an ellipsis."""
    if text_limit is not None:
        texts = pl.col(pl.String)
        frame = frame.with_columns(pl.when(texts.str.len_chars() > text_limit).then(texts.str.head(text_limit) + "…").otherwise(texts).name.keep())
    columns = [to_cells(frame.to_series(i)) for i in range(frame.width)]
    return [list(row) for row in zip(*columns, strict=True)]


def to_cells(series: pl.Series) -> list[Any]:
    """One column as cells."""
    kind = series.dtype
    if kind.is_temporal():
        if kind == pl.Duration:
            return seconds(series).to_list()
        return iso_texts(series).to_list()
    if kind.is_float():
        if kind != pl.Float64:
            # 0.1 of single precision is meant as 0.1, not as 0.10000000149011612.
            series = series.cast(pl.String).cast(pl.Float64)
        values = series.to_list()
        return values if bool(series.is_finite().all()) else [_number(value) for value in values]
    if kind.is_integer():
        values = series.to_list()
        small = kind in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
        return values if small else [value if value is None or -EXACT <= value <= EXACT else str(value) for value in values]
    if kind.is_decimal():
        return [None if value is None else _decimal(value) for value in series.to_list()]
    if kind in (pl.Boolean, pl.String, pl.Null):
        return series.to_list()
    return series.cast(pl.String).to_list()


def iso_texts(series: pl.Series) -> pl.Series:
    """Dates, date-times or times of day as ISO 8601 texts; with an offset where the column has a time zone."""
    kind = series.dtype
    if kind == pl.Date:
        return series.dt.to_string(ISO_DATE)
    if kind == pl.Time:
        return series.dt.to_string(ISO_TIME)
    zoned = isinstance(kind, pl.Datetime) and kind.time_zone is not None
    return series.dt.to_string(ISO_DATETIME + "%:z" if zoned else ISO_DATETIME)


def seconds(series: pl.Series) -> pl.Series:
    """Spans of time as seconds."""
    if isinstance(series.dtype, pl.Duration) and series.dtype.time_unit == "ns":
        return series.dt.total_nanoseconds() / 1e9
    return series.dt.total_microseconds() / 1e6


def _number(value: float | None) -> Any:
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _decimal(value: Decimal) -> Any:
    number = float(value)
    if value == value.to_integral_value() and abs(value) <= EXACT:
        return int(value)
    return number if math.isfinite(number) and Decimal(repr(number)) == value else written(value)


def decimal_texts(series: pl.Series) -> pl.Series:
    """Decimals as texts with all their digits, without zeros at the end of their fractions."""
    texts = series.cast(pl.String)
    whole = not bool(texts.str.contains(".", literal=True).any())
    return texts if whole else texts.str.replace(r"\.0+$|(\.[0-9]*[1-9])0+$", "$1")


def written(value: Decimal) -> str:
    """All digits of a decimal, without zeros at the end of its fraction."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
