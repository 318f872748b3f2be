"""Filters and searches as expressions, checked against what a column holds.

Nothing that a user wrote becomes program text: values are parsed into typed literals, columns are known by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from dapp_ext.domain.cells import iso_texts
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.datasets import Column, Filter

_COMPARISONS = {"lt": "__lt__", "le": "__le__", "gt": "__gt__", "ge": "__ge__"}
_MOST_VALUES = 10_000
_MOST_DIGITS = 38
_HOLDS = {
    "integer": "whole numbers",
    "decimal": "numbers",
    "boolean": "true and false",
    "category": "texts",
    "text": "texts",
    "date": "dates such as 2024-12-31",
    "datetime": "date-times such as 2024-12-31T18:30:00",
    "time": "times of day such as 18:30:00",
    "duration": "spans of time, given in seconds",
}


@dataclass(frozen=True)
class Place:
    """A column of a working frame: its expression and what is known of it. ``narrow``: no sum of its whole numbers is beyond 64 bits. ``rounded``: sums may be. ``known``: its different values."""

    column: Column
    kind: pl.DataType
    expression: pl.Expr
    narrow: bool = False
    rounded: bool = False
    known: pl.Series | None = None

    @property
    def text(self) -> pl.Expr:
        return self.expression if self.kind == pl.String else self.expression.cast(pl.String)

    @property
    def is_text(self) -> bool:
        return self.kind in (pl.String, pl.Categorical, pl.Enum)


def find_column(columns: Sequence[Column], name: str) -> Column:
    """The column of that name.

    Raises
    ------
    ColumnUnknown
        If there is none.
    """
    for column in columns:
        if column.name == name:
            return column
    raise ColumnUnknown(f"The dataset has no column named {name!r}. Choose one of its columns.")


def condition(place: Place, filter: Filter) -> pl.Expr:
    """Whether a row passes one filter.

    Texts are contained without regard to case. ``ne`` lets rows pass where the value is missing; every other comparison does not.
    Either end of ``between`` may be null for an open range; both ends are inside.

    Raises
    ------
    Invalid
        If the value or the operator does not fit the column.
    """
    expression = place.expression
    if place.kind == pl.Null and filter.op != "is_null":
        return pl.lit(filter.op == "ne")
    if filter.op in ("is_null", "not_null"):
        return expression.is_null() if filter.op == "is_null" else expression.is_not_null()
    if filter.op == "contains":
        if not place.is_text:
            raise Invalid(f"Column {place.column.name!r} holds {_HOLDS[place.column.kind]}, so it cannot contain a text. Use another condition.")
        if not isinstance(filter.value, str):
            raise Invalid(f"Give a text that {place.column.name!r} should contain.")
        wanted = filter.value
        if place.kind == pl.String or not wanted:
            return _contains(place.expression, wanted)
        return _looked_at_once(place, lambda values: _of_texts(values, lambda text: _contains(text, wanted)))
    if filter.op == "in":
        return _one_of(place, filter.value)
    if filter.op == "between":
        return _between(place, filter.value)
    value = _literal(place, filter.value)
    if filter.op == "eq":
        return expression == value
    if filter.op == "ne":
        return expression.ne_missing(value)
    return _compare(place, filter.op, value)


def search(places: Sequence[Place], text: str) -> pl.Expr:
    """Whether some column of a row contains the text, without regard to case; numbers and dates as they are shown."""
    wanted = text.strip()
    lowered = wanted.lower()
    found = [shown for place in places if (shown := _shown_contains(place, wanted, lowered)) is not None]
    return pl.any_horizontal([each.fill_null(False) for each in found]) if found else pl.lit(False)


def _shown_contains(place: Place, wanted: str, lowered: str) -> pl.Expr | None:
    """Whether what is shown of a column contains the text; nothing for a column that never can."""
    kind = place.kind
    if kind == pl.String:
        return _contains(place.expression, wanted)
    if place.is_text:
        return _looked_at_once(place, lambda values: _of_texts(values, lambda text: _contains(text, wanted)))
    if not set(lowered) <= _letters(kind):
        return None
    written = lowered.upper().replace(" ", "T") if kind in (pl.Date, pl.Datetime) else lowered
    return _looked_at_once(place, lambda values: _shown(values).str.contains(written, literal=True))


def _letters(kind: pl.DataType) -> set[str]:
    """What can stand in the values of a column as they are shown; a search for anything else need not look at it."""
    if kind == pl.Boolean:
        return set("truefals")
    if kind in (pl.Date, pl.Datetime, pl.Time):
        return set("0123456789-:.t +")
    return set("0123456789.+-e") if kind.is_numeric() else set()


def _looked_at_once(place: Place, test: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """A test of values, made once for each different value where there are few."""

    if place.known is not None:
        return place.expression.is_in(place.known.filter(test(place.known)).implode())

    def tested(values: pl.Series) -> pl.Series:
        different = values.unique()
        if different.len() * 4 > values.len():
            return test(values)
        return values.is_in(different.filter(test(different)).implode())

    return place.expression.map_batches(tested, return_dtype=pl.Boolean)


def _of_texts(values: pl.Series, test: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """A test of the texts behind codes."""
    return values.cast(pl.String).to_frame("v").select(test(pl.col("v"))).to_series()


def _shown(values: pl.Series) -> pl.Series:
    return iso_texts(values) if values.dtype in (pl.Date, pl.Datetime, pl.Time) else values.cast(pl.String)


def _contains(expression: pl.Expr, text: str) -> pl.Expr:
    if not text:
        return expression.is_not_null()
    return expression.str.contains("(?i)" + pl.escape_regex(text))


def _one_of(place: Place, values: Any) -> pl.Expr:
    if not isinstance(values, list | tuple) or not values or len(values) > _MOST_VALUES:
        raise Invalid(f"Give a list of 1 to {_MOST_VALUES:,} values that {place.column.name!r} may have.")
    present = [_value(place, value) for value in values if value is not None]
    found = _is_in(place, present)
    return found | place.expression.is_null() if len(present) < len(values) else found


def _is_in(place: Place, values: list[Any]) -> pl.Expr:
    kind = place.kind
    if kind.is_integer():
        # A value beyond the column's range, or one with a fraction, cannot be in it.
        wide = pl.Int128() if kind == pl.UInt64 else pl.Int64()
        most = 2**64 if kind == pl.UInt64 else 2**63
        whole = [int(value) for value in values if value == int(value) and -most <= value < most]
        return place.expression.cast(wide).is_in(pl.Series(whole, dtype=wide).implode())
    if kind.is_float():
        return place.expression.cast(pl.Float64).is_in(pl.Series([float(value) for value in values], dtype=pl.Float64).implode())
    if place.is_text:
        texts = pl.Series(values, dtype=pl.String).implode()
        if kind == pl.String:
            return place.expression.is_in(texts)
        return _looked_at_once(place, lambda found: _of_texts(found, lambda text: text.is_in(texts)))
    return pl.any_horizontal([place.expression == _as_literal(place, value) for value in values[:_MOST_VALUES]]) if values else pl.lit(False)


def _between(place: Place, values: Any) -> pl.Expr:
    if not isinstance(values, list | tuple) or len(values) != 2 or all(value is None for value in values):
        raise Invalid(f"Give the lowest and the highest value for {place.column.name!r}; one of them may be null.")
    low, high = values
    found = pl.lit(True)
    if low is not None:
        found = _compare(place, "ge", _literal(place, low))
    if high is not None:
        found = found & _compare(place, "le", _literal(place, high))
    return found


def _compare(place: Place, op: str, value: pl.Expr) -> pl.Expr:
    if place.kind == pl.Boolean:
        raise Invalid(f"Column {place.column.name!r} holds true and false, which are not smaller or larger than each other. Use eq.")

    def compared(left: pl.Expr) -> pl.Expr:
        found: pl.Expr = getattr(left, _COMPARISONS[op])(value)
        return found

    if place.is_text and place.kind != pl.String:
        return _looked_at_once(place, lambda values: _of_texts(values, compared))
    return compared(place.expression)


def _literal(place: Place, value: Any) -> pl.Expr:
    if value is None:
        raise Invalid(f"Give a value to compare {place.column.name!r} with, or use is_null.")
    return _as_literal(place, _value(place, value))


def _as_literal(place: Place, value: Any) -> pl.Expr:
    if isinstance(place.kind, pl.Datetime):
        found = pl.lit(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value, dtype=pl.Datetime("us"))
        zone = place.kind.time_zone
        if zone is None:
            return found
        if value.tzinfo:
            return found.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        return found.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return pl.lit(value)


def _value(place: Place, value: Any) -> Any:
    """The value as the column holds it.

    Raises
    ------
    Invalid
        If it cannot be one.
    """
    kind = place.kind
    try:
        if kind.is_numeric():
            return _as_number(kind, value)
        if kind == pl.Boolean:
            return {"true": True, "false": False}[str(value).lower()]
        if place.is_text:
            if isinstance(value, bool | list | dict):
                raise TypeError
            return str(value)
        if kind == pl.Date:
            return datetime.fromisoformat(value).date() if len(value) > 10 else date.fromisoformat(value)
        if isinstance(kind, pl.Datetime):
            return datetime.fromisoformat(value)
        if kind == pl.Time:
            return time.fromisoformat(value)
        if kind == pl.Duration:
            return timedelta(seconds=_as_number(pl.Float64(), value))
        return str(value)
    except (ValueError, TypeError, KeyError, OverflowError, InvalidOperation):
        raise Invalid(f"{value!r:.60} does not fit column {place.column.name!r}, which holds {_HOLDS[place.column.kind]}.") from None


def _as_number(kind: pl.DataType, value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        # Numbers that a double cannot hold travel as texts.
        number = Decimal(value)
        value = int(number) if number == number.to_integral_value() else number if kind.is_decimal() else float(number)
    if not isinstance(value, int | float | Decimal) or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError
    if isinstance(value, int) and abs(value) >= 2**127:
        value = float(value)
    return _as_decimal(value) if isinstance(kind, pl.Decimal) and kind.scale else value


def _as_decimal(value: int | float | Decimal) -> float | Decimal:
    """Exactly what was written: 0.1 and not the double beside it. What has more digits than polars takes is the nearest double."""
    found = value if isinstance(value, Decimal) else Decimal(repr(value))
    _, digits, exponent = found.as_tuple()
    fraction = max(0, -exponent) if isinstance(exponent, int) else _MOST_DIGITS
    return found if max(len(digits), fraction) + max(0, found.adjusted()) < _MOST_DIGITS else float(value)
