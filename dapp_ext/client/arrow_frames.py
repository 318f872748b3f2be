"""Arrow and polars tables on their way out: what Parquet has no type for becomes what it has, or is refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dapp_ext.errors import FileUnreadable

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_DIGITS = 38


def from_polars(frame: pl.DataFrame) -> pa.Table:
    """A polars frame as an Arrow table; whole numbers of 128 bits become decimals.

    Raises
    ------
    FileUnreadable
        If a column holds Python objects, whose addresses would be sent in place of what they are.
    """
    import polars as pl

    wide = {getattr(pl, name, None) for name in ("Int128", "UInt128")}
    for name, dtype in frame.schema.items():
        if dtype == pl.Object:
            raise FileUnreadable(f"Column {name!r} holds Python objects. Make texts or numbers of them, or leave the column out: frame.drop({name!r})")
        if dtype in wide:
            try:
                frame = frame.with_columns(frame[name].cast(pl.Decimal(_DIGITS, 0)))
            except pl.exceptions.InvalidOperationError as error:
                raise FileUnreadable(f"Column {name!r} holds numbers of more than {_DIGITS} digits. Make texts of them.") from error
    return frame.to_arrow()


def storable(table: pa.Table) -> pa.Table:
    """The table with every column of a type that Parquet has.

    Raises
    ------
    FileUnreadable
        If two columns have one name, or a column is of a type that Parquet has not; says which.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    distinct(table.column_names)
    for at, field in enumerate(table.schema):
        if pa.types.is_run_end_encoded(field.type):
            pieces = [pc.run_end_decode(piece) for piece in table.column(at).chunks]
            table = table.set_column(at, field.name, pa.chunked_array(pieces, field.type.value_type))
        elif pa.types.is_interval(field.type):
            raise FileUnreadable(f"Column {field.name!r} holds spans of months, days and seconds in one. Give it durations, or texts.")
        elif pa.types.is_union(field.type):
            raise FileUnreadable(f"Column {field.name!r} holds values of several types. Give it values of one kind, such as texts.")
    return table


def distinct(names: Sequence[str]) -> None:
    """Refuse names that could not be told apart; spaces around a name do not count, as the server drops them.

    Raises
    ------
    FileUnreadable
        If two are the same.
    """
    seen: dict[str, str] = {}
    for name in filter(None, names):
        other = seen.get(name.strip())
        if other == name:
            raise FileUnreadable(f"Two columns are named {name!r}. Rename one of them.")
        if other is not None:
            raise FileUnreadable(f"The columns {other!r} and {name!r} differ by spaces only. Rename one of them.")
        seen[name.strip()] = name
