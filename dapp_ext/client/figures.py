"""Figures and tables on their way to the dashboard: a PNG drawn here, in the kernel, and the numbers behind it.

What is sent is a picture and a table, never HTML or script. matplotlib and seaborn draw their own picture; HoloViews is
drawn by its matplotlib backend; plotly and Bokeh by their own exporters where these work (they need a browser), else
their marks are drawn again with matplotlib (:mod:`dapp_ext.client.redrawing`).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from dapp_ext.errors import DappError, FileUnreadable, Invalid, TooLarge
from dapp_ext.schema.insights import PICTURE_LIMIT, TABLE_COLUMNS, TABLE_ROWS, TableWrite

DPIS = (144, 100, 72, 48)
_EXACT = 2**53
_KINDS = "a matplotlib, seaborn, plotly, Bokeh or HoloViews figure, or a pandas, polars or Arrow table"


@dataclass(frozen=True)
class Rendered:
    """What is published of a figure: the library it came from, a PNG, and its numbers."""

    source: str
    picture: bytes | None
    table: TableWrite | None


def render(thing: Any) -> Rendered:
    """A figure or table as a picture and rows.

    Raises
    ------
    Invalid
        If it is neither, or there is nothing in it.
    TooLarge
        If the picture is too large even at a low resolution.
    """
    library = next((name for name in map(_library, type(thing).__mro__) if name in _LIBRARIES), "")
    if library:
        return _LIBRARIES[library](thing)
    if isinstance(thing, (bytes, bytearray)) and bytes(thing[:8]) == b"\x89PNG\r\n\x1a\n":
        return Rendered("png", _fitting([lambda: bytes(thing)]), None)
    if callable(getattr(thing, "savefig", None)):
        return _matplotlib(thing)
    table = table_of(thing)
    if table is None:
        raise Invalid(f"A value of the type {type(thing).__name__} cannot be published. Give {_KINDS}.")
    return Rendered("table", None, table)


def table_of(thing: Any) -> TableWrite | None:
    """The first rows of any table; ``None`` where it is none."""
    from dapp_ext.client.frames import arrow_table

    if type(thing).__module__.partition(".")[0] == "pandas" and type(thing).__name__ == "Series":
        thing = thing.to_frame(thing.name if thing.name is not None else "value")
        if any(name is None for name in thing.index.names):
            thing = thing.rename_axis(thing.index.name or "index") if thing.index.dtype == object else thing
    try:
        table = arrow_table(thing)
    except FileUnreadable:
        raise
    except DappError:
        return None
    if table.num_columns == 0:
        raise Invalid("The table has no columns. Publish one with something in it.")
    names = table.column_names[:TABLE_COLUMNS]
    columns = [[_cell(value) for value in table.column(at)[:TABLE_ROWS].to_pylist()] for at in range(len(names))]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return TableWrite(columns=names, rows=rows, total=table.num_rows)


def table_from(columns: Mapping[str, Sequence[Any]]) -> TableWrite | None:
    """Columns of unequal length as one table; ``None`` when there are none."""
    kept = {name: list(values) for name, values in list(columns.items())[:TABLE_COLUMNS] if len(values)}
    if not kept:
        return None
    total = max(len(values) for values in kept.values())
    rows = [[_cell(values[at]) if at < len(values) else None for values in kept.values()] for at in range(min(total, TABLE_ROWS))]
    return TableWrite(columns=list(kept), rows=rows, total=total)


def _library(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _cell(value: Any) -> bool | int | float | str | None:
    """A value as JSON can carry it without loss."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else value[:10_000]
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)[:10_000]


def _fitting(drawings: Sequence[Callable[[], bytes]]) -> bytes:
    """The first drawing that is small enough to send."""
    for draw in drawings:
        data = draw()
        if len(data) <= PICTURE_LIMIT:
            return data
    raise TooLarge(f"The picture is larger than {PICTURE_LIMIT // 2**20} MiB even at a low resolution. Draw fewer points, or a smaller figure.")


def saved(figure: Any) -> bytes:
    """A matplotlib figure as PNG, on white: the dashboard may be dark, and axes are drawn in black."""

    def at(dpi: int) -> bytes:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", facecolor="white", metadata={"Software": None})
        return buffer.getvalue()

    return _fitting([lambda dpi=dpi: at(dpi) for dpi in DPIS])  # type: ignore[misc]


def _matplotlib(thing: Any) -> Rendered:
    """A figure, axes, an array of axes, an artist of one, or one of seaborn's grids."""
    if hasattr(thing, "flat") and len(thing):
        thing = thing.flat[0]  # what plt.subplots gives for several
    figure = getattr(thing, "figure", thing)
    if not callable(getattr(figure, "savefig", None)):
        raise Invalid(f"A {type(thing).__name__} has no figure to publish. Give the figure, or its axes.")
    source = "seaborn" if _library(type(thing)) == "seaborn" else "matplotlib"
    from dapp_ext.client.redrawing import numbers_of_axes

    axes = getattr(figure, "axes", None) or []
    return Rendered(source, saved(figure), table_from(numbers_of_axes(axes)))


def _holoviews(thing: Any) -> Rendered:
    import holoviews as hv
    from matplotlib import pyplot as plt

    loaded, current = hv.Store.loaded_backends(), hv.Store.current_backend
    if "matplotlib" not in loaded:
        hv.extension("matplotlib", logo=False)
    try:
        hv.Store.set_current_backend("matplotlib")
        # Options that belong to Bokeh, such as tools, mean nothing here.
        figure = hv.render(thing.opts.clear(clone=True) if hasattr(thing, "opts") else thing, backend="matplotlib")
        picture = saved(figure)
        plt.close(figure)
    finally:
        hv.Store.set_current_backend(current if current in hv.Store.loaded_backends() else "matplotlib")
    columns: dict[str, Sequence[Any]] = {}
    for element in thing.traverse(lambda each: each, [hv.Element]):
        for dimension in element.dimensions():
            if not isinstance(element, (hv.Raster, hv.Graph, hv.Text)):
                columns.setdefault(dimension.pprint_label, list(element.dimension_values(dimension)))
    return Rendered("holoviews", picture, table_from(columns))


def _plotly(thing: Any) -> Rendered:
    from dapp_ext.client.redrawing import plotly_marks, redraw

    marks = plotly_marks(thing)
    try:
        picture = _fitting([lambda scale=scale: thing.to_image(format="png", scale=scale) for scale in (2, 1)])  # type: ignore[misc]
    except (ImportError, OSError, RuntimeError, ValueError):  # kaleido is not installed, or finds no browser
        picture = redraw(marks)
    return Rendered("plotly", picture, table_from(marks.columns()))


def _bokeh(thing: Any) -> Rendered:
    from dapp_ext.client.redrawing import bokeh_marks, redraw

    marks = bokeh_marks(thing)
    return Rendered("bokeh", redraw(marks), table_from(marks.columns()))


def _table(thing: Any) -> Rendered:
    table = table_of(thing)
    if table is None:
        raise Invalid(f"A value of the type {type(thing).__name__} cannot be published. Give {_KINDS}.")
    return Rendered("table", None, table)


def _styled(thing: Any) -> Rendered:
    return _table(thing.data if type(thing).__name__ == "Styler" else thing)


_LIBRARIES: dict[str, Callable[[Any], Rendered]] = {
    "matplotlib": _matplotlib,
    "seaborn": _matplotlib,
    "numpy": _matplotlib,
    "holoviews": _holoviews,
    "plotly": _plotly,
    "bokeh": _bokeh,
    "pandas": _styled,
    "polars": _table,
    "pyarrow": _table,
}
