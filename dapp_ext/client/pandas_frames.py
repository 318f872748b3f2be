"""Pandas frames on their way out: what Arrow has no type for becomes what a person would have written instead."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dapp_ext.client.arrow_frames import distinct
from dapp_ext.errors import FileUnreadable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_NAMED_KINDS = 4


def from_pandas(frame: pd.DataFrame, *, keep_index: bool) -> pa.Table:
    """A pandas frame as an Arrow table.

    Periods become the moment at which they begin, intervals and UUIDs their text, sparse columns dense ones, whole
    numbers of more than 64 bits decimals; levels of column names are joined by ``_``. An index that says more than a row
    number (it has a name, or it is of texts, times or several levels) becomes columns, unless ``keep_index`` is off.

    Raises
    ------
    FileUnreadable
        If two columns have one name, or a column mixes kinds of values; says which, and what to do.
    """
    import pyarrow as pa

    if keep_index:
        frame = _with_index(frame)
    names = [_name(each) for each in frame.columns]
    distinct(names)
    # set_axis makes a shallow copy: the caller's frame keeps its names.
    plain = _plain(frame.set_axis(range(len(names)), axis=1))
    try:
        table = pa.Table.from_pandas(plain, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        table = pa.table([_array(plain[at], name) for at, name in enumerate(names)], names=names)
    for at, field in enumerate(table.schema):
        if isinstance(field.type, pa.UuidType):
            table = table.set_column(at, field.name, [[None if each is None else str(each) for each in table.column(at).to_pylist()]])
    return table.rename_columns(names).replace_schema_metadata(None)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns, where that says more than the number of a row."""
    import pandas as pd

    index = frame.index
    if all(name is None for name in index.names) and not isinstance(index, pd.MultiIndex) and index.inferred_type in ("integer", "empty"):
        return frame
    clash = [str(name) for name in index.names if name is not None and name in frame.columns]
    if clash:
        raise FileUnreadable(f"The index and a column are both named {clash[0]!r}. Rename one of them, or leave the index out: frame.reset_index(drop=True)")
    return frame.reset_index()


def _name(given: Any) -> str:
    """A column's name as a text; none where there is none, which the server makes up for."""
    if isinstance(given, tuple):
        return "_".join(part for part in map(_name, given) if part)
    return "" if given is None or given != given else str(given)  # only NaN and NaT differ from themselves


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every column of a kind that Arrow and Parquet have."""
    import pandas as pd

    changed = {name: better for name, dtype in frame.dtypes.items() if (better := _better(frame[name], dtype)) is not None}
    if not changed:
        return frame
    return pd.DataFrame({name: changed.get(name, frame[name]) for name in frame.columns}, copy=False)


def _better(column: Any, dtype: Any) -> Any:
    """The column as another kind, or nothing where it can stay."""
    import numpy as np
    import pandas as pd

    kind = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    if isinstance(kind, pd.PeriodDtype):
        return pd.to_datetime(column.astype(object).map(lambda each: each.to_timestamp(), na_action="ignore"))
    if isinstance(kind, pd.IntervalDtype):
        return column.astype(object).map(str, na_action="ignore")
    if isinstance(dtype, pd.SparseDtype):
        return column.sparse.to_dense()
    if dtype in (np.dtype("longdouble"), np.dtype("float16")):
        return column.astype("float64")
    return None


def _array(column: pd.Series[Any], name: str) -> pa.Array | pa.ChunkedArray:
    """One column by itself, where the whole frame was refused."""
    import pyarrow as pa

    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        values = [None if _is_missing(each) else each for each in column.tolist()]
        kinds = sorted({type(each).__name__ for each in values if each is not None})
        if kinds == ["int"]:
            return pa.array([None if each is None else Decimal(each) for each in values])
        if isinstance(error, UnicodeError):
            raise FileUnreadable(f"Column {name!r} holds a text that is no valid Unicode. Mend it, or leave the column out.") from error
        why, way = f"values of the kind {kinds[0]}, which no table has", "Make texts of them"
        if len(kinds) > 1:
            why, way = f"values of several kinds ({_listed(kinds)}), which cannot stand in one column of a table", "Give it values of one kind, such as texts"
        raise FileUnreadable(f"Column {name!r} holds {why}. {way}: frame[{name!r}] = frame[{name!r}].astype(str)") from error


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _listed(kinds: list[str]) -> str:
    return f"{', '.join(kinds[:_NAMED_KINDS])}{', …' if len(kinds) > _NAMED_KINDS else ''}"
