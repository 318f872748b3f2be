"""Arrow types and the kinds of columns: which type each kind is stored in, and how other types become one of them."""

from __future__ import annotations

import json
import zoneinfo
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.schema.datasets import ColumnKind

INT64_DIGITS = 18
"""Every whole number of so many digits fits 64 bits."""
DOUBLE_DIGITS = 15
"""Every decimal of so many digits has a double of its own (IEEE 754)."""


def stored_type(given: pa.DataType) -> pa.DataType:
    """The Arrow type in which values of a type are kept, as far as the type alone tells."""
    if pa.types.is_dictionary(given) or pa.types.is_run_end_encoded(given):
        return stored_type(given.value_type)
    if isinstance(given, pa.BaseExtensionType):
        return stored_type(given.storage_type)
    if pa.types.is_boolean(given) or pa.types.is_null(given):
        return pa.string() if pa.types.is_null(given) else given
    if pa.types.is_uint64(given):
        return pa.decimal128(38, 0)
    if pa.types.is_integer(given):
        return pa.int64()
    if pa.types.is_floating(given):
        return pa.float64()
    if pa.types.is_decimal(given):
        return _stored_decimal(given)
    return _stored_time(given)


def _stored_decimal(given: pa.DataType) -> pa.DataType:
    if given.scale > 0:
        return pa.float64() if given.precision <= DOUBLE_DIGITS else exact_type(given.precision - given.scale, given.scale)
    digits = given.precision - given.scale
    if digits <= INT64_DIGITS:
        return pa.int64()
    return pa.decimal128(38, 0) if digits <= 38 else pa.decimal256(76, 0)


def exact_type(whole: int, fraction: int) -> pa.DataType:
    """The type that keeps decimals of so many digits before and behind the decimal sign; doubles where none does."""
    if whole + fraction > 76:
        return pa.float64()
    return pa.decimal128(38, fraction) if whole + fraction <= 38 else pa.decimal256(76, fraction)


def _stored_time(given: pa.DataType) -> pa.DataType:
    if pa.types.is_date(given):
        return pa.date32()
    if pa.types.is_timestamp(given):
        return pa.timestamp("us", given.tz if given.tz is None or known_zone(given.tz) else "UTC")
    if pa.types.is_time(given):
        return pa.time64("us")
    if pa.types.is_duration(given):
        return pa.duration("us")
    return pa.string()


@cache
def known_zone(name: str) -> bool:
    """Whether a zone has a name that every calendar knows; a bare offset has none."""
    return name == "UTC" or name in zoneinfo.available_timezones()


def kind_of(stored: pa.DataType) -> ColumnKind:
    """The kind of a column of a stored type; text for strings, which may turn out to be categories."""
    if pa.types.is_boolean(stored):
        return "boolean"
    if pa.types.is_integer(stored) or (pa.types.is_decimal(stored) and stored.scale == 0):
        return "integer"
    if pa.types.is_floating(stored) or pa.types.is_decimal(stored):
        return "decimal"
    if pa.types.is_date(stored):
        return "date"
    if pa.types.is_timestamp(stored):
        return "datetime"
    if pa.types.is_time(stored):
        return "time"
    return "duration" if pa.types.is_duration(stored) else "text"


def stored_values(array: pa.Array, target: pa.DataType) -> pa.Array:
    """Values in their stored type; a fraction of a microsecond is cut, NaN becomes missing, lists become JSON texts."""
    if isinstance(array, pa.ExtensionArray):
        return stored_values(array.storage, target)
    given = array.type
    if pa.types.is_dictionary(given):
        return stored_values(array.dictionary_decode(), target)
    if pa.types.is_run_end_encoded(given):
        return stored_values(pc.run_end_decode(array), target)
    if pa.types.is_floating(given):
        values = pc.cast(array, pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    if pa.types.is_string(target) and not (pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_string_view(given)):
        return _as_text(array)
    if pa.types.is_decimal(given) and pa.types.is_floating(target):
        # Arrow's own way from decimals to doubles is off by the last bit now and then; that over texts is not.
        return pc.cast(pc.cast(array, pa.string()), target)
    safe = not (pa.types.is_temporal(given) or pa.types.is_decimal(given))
    return pc.cast(array, target, safe=safe)


def as_texts(array: pa.Array) -> pa.Array:
    """Values of any type as texts; an empty text is missing."""
    stored = stored_values(array, stored_type(array.type))
    if not pa.types.is_string(stored.type):
        stored = pc.cast(stored, pa.string())
    return pc.if_else(pc.equal(pc.binary_length(stored), 0), pa.scalar(None, pa.string()), stored)


def _as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), pa.string())
    return pa.array([None if value is None else as_text(value) for value in array.to_pylist()], pa.string())


def as_text(value: Any) -> str:
    """A value of any type as one text: texts and bytes as they are, lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _bytes_as_text(value)
    return json.dumps(value, ensure_ascii=False, default=_scalar_as_text)


def _bytes_as_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "0x" + value.hex()


def _scalar_as_text(value: Any) -> str:
    return _bytes_as_text(value) if isinstance(value, bytes) else str(value)
