"""Arrow columns of any type as numbers, texts or moments; what cannot be read becomes missing and is counted."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
YES = frozenset({"true", "yes", "y", "1", "1.0", "t", "on"})
NO = frozenset({"false", "no", "n", "0", "0.0", "f", "off"})


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as a single array without dictionaries."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], type=array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array


def as_texts(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Values as strings; whole decimals lose their ``.0`` so that ``5`` and ``5.0`` are the same category."""
    array = one_array(column)
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_floating(kind):
        return pa.array([None if v is None or v != v else f"{v:.15g}" for v in array.to_pylist()], type=pa.string())
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], type=pa.string())


def as_numbers(column: pa.ChunkedArray | pa.Array) -> tuple[Array, int]:
    """Values as float32 with NaN for missing, and how many values were there but are no numbers.

    Booleans become 0 and 1, durations seconds, times of day hours, infinities missing (and counted).
    """
    array = one_array(column)
    kind = array.type
    unread = 0
    if pa.types.is_boolean(kind):
        array = array.cast(pa.float32())
    elif pa.types.is_duration(kind):
        array = pc.divide(array.cast(pa.duration("ms"), safe=False).cast(pa.int64()).cast(pa.float64()), 1000.0)
    elif pa.types.is_time(kind):
        array = pc.divide(array.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 3_600_000_000.0)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        array, unread = _parse_numbers(array)
    values = np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    with np.errstate(over="ignore"):
        out = values.astype(np.float32)
    endless = np.isinf(out)  # infinite, or too large for 32 bits
    out[endless] = np.nan
    return out, unread + int(endless.sum())


def _parse_numbers(array: pa.Array) -> tuple[pa.Array, int]:
    if pa.types.is_null(array.type):
        return array.cast(pa.float64()), 0
    try:
        return array.cast(pa.float64()), 0
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    values = [_number(v) for v in as_texts(array).to_pylist()]
    unread = sum(1 for v, given in zip(values, array.is_valid().to_pylist(), strict=True) if v is None and given)
    return pa.array(values, type=pa.float64()), unread


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    word = text.strip().lower()
    if word in ("true", "false"):
        return float(word == "true")
    try:
        return float(word)
    except ValueError:
        return None


def as_flags(column: pa.ChunkedArray | pa.Array) -> tuple[Array, int]:
    """Values as 0 and 1 (NaN for missing), from booleans, numbers or words like yes and no."""
    array = one_array(column)
    if pa.types.is_boolean(array.type) or pa.types.is_null(array.type):
        return as_numbers(array)
    words = [None if v is None else v.strip().lower() for v in as_texts(array).to_pylist()]
    values = [np.nan if w is None or w not in YES | NO else float(w in YES) for w in words]
    unread = sum(1 for w in words if w is not None and w not in YES | NO)
    return np.asarray(values, dtype=np.float32), unread


def as_moments(column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, int]:
    """Values as ``timestamp[us]`` in the local time of their zone, and how many could not be read as dates."""
    array = one_array(column)
    kind = array.type
    if pa.types.is_timestamp(kind):
        local = pc.local_timestamp(array) if kind.tz else array
        return local.cast(pa.timestamp("us"), safe=False), 0
    if pa.types.is_date(kind) or pa.types.is_null(kind):
        return array.cast(pa.timestamp("us")), 0
    texts = as_texts(array).to_pylist()
    values = [_moment(t) for t in texts]
    unread = sum(1 for v, t in zip(values, texts, strict=True) if v is None and t is not None)
    return pa.array(values, type=pa.timestamp("us")), unread


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key that puts numbers inside texts in order of size."""
    return [(0, int(piece), "") if piece.isdigit() and piece.isascii() else (1, 0, piece) for piece in re.split(r"(\d{1,18})", text)]
