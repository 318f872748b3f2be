"""Figures of plotly and Bokeh drawn again with matplotlib, so that no browser is needed to make a picture of them.

Only what carries the data is drawn: points, lines, bars, boxes, heat maps and pies, with titles and names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dapp_ext.errors import Invalid

Kind = Literal["points", "line", "bars", "box", "heat", "pie", "histogram"]
_SIZE = (8.0, 5.0)


@dataclass(frozen=True)
class Mark:
    """One series: what it is, its values, and how it is called."""

    kind: Kind
    x: list[Any]
    y: list[Any]
    name: str = ""
    color: str | None = None
    sideways: bool = False
    z: list[list[Any]] | None = None


@dataclass
class Marks:
    """All series of one figure."""

    title: str = ""
    x_label: str = ""
    y_label: str = ""
    marks: list[Mark] = field(default_factory=list)
    bar_mode: str = "group"

    def columns(self) -> dict[str, Sequence[Any]]:
        """The numbers by name, as a table shows them."""
        found: dict[str, Sequence[Any]] = {}
        for at, mark in enumerate(self.marks, 1):
            stem = mark.name or (f"{at}" if len(self.marks) > 1 else "")
            for label, values in ((self.x_label or "x", mark.x), (self.y_label or "y", mark.y)):
                if values:
                    found[f"{stem}: {label}" if stem else label] = values
            for number, row in enumerate(mark.z or []):
                found[f"{mark.y[number] if number < len(mark.y) else number}"] = row
        return found


def redraw(marks: Marks) -> bytes:
    """A PNG of the marks.

    Raises
    ------
    Invalid
        If there is nothing that can be drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from dapp_ext.client.figures import saved

    if not marks.marks:
        raise Invalid("There is nothing in this figure that can be drawn as a picture. Publish its numbers as a table instead.")
    figure = Figure(figsize=_SIZE)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    bars = [mark for mark in marks.marks if mark.kind == "bars"]
    for mark in marks.marks:
        _DRAWN[mark.kind](axes, mark, bars, marks.bar_mode)
    axes.set_title(marks.title)
    axes.set_xlabel(marks.x_label)
    axes.set_ylabel(marks.y_label)
    if all(mark.kind == "pie" for mark in marks.marks):
        axes.set_axis_off()
    else:
        axes.spines[["top", "right"]].set_visible(False)
        if any(isinstance(value, str) and len(value) > 8 for mark in marks.marks for value in mark.x[:50]):
            figure.autofmt_xdate(rotation=30)
    if len([mark for mark in marks.marks if mark.name]) > 1:
        axes.legend(frameon=False)
    return saved(figure)


def _points(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    axes.scatter(mark.x, mark.y, s=16, alpha=0.8, label=mark.name or None, color=mark.color)


def _line(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    axes.plot(mark.x, mark.y, label=mark.name or None, color=mark.color)


def _bars(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    names = list(dict.fromkeys(str(value) for each in bars for value in each.x))
    places = {name: at for at, name in enumerate(names)}
    turn = next(at for at, each in enumerate(bars) if each is mark)
    width, shift, bottom = 0.8, 0.0, [0.0] * len(mark.x)
    if len(bars) > 1 and mode == "group":
        width = 0.8 / len(bars)
        shift = (turn - (len(bars) - 1) / 2) * width
    elif len(bars) > 1:
        below = {name: sum(float(y or 0) for each in bars[:turn] for x, y in zip(each.x, each.y, strict=False) if str(x) == name) for name in names}
        bottom = [below[str(value)] for value in mark.x]
    at = [places[str(value)] + shift for value in mark.x]
    values = [value or 0 for value in mark.y]
    if mark.sideways:
        axes.barh(at, values, width, left=bottom, label=mark.name or None, color=mark.color)
        axes.set_yticks(range(len(names)), names)
    else:
        axes.bar(at, values, width, bottom=bottom, label=mark.name or None, color=mark.color)
        axes.set_xticks(range(len(names)), names)


def _box(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    groups: dict[str, list[float]] = {}
    for at, value in enumerate(mark.y):
        if isinstance(value, (int, float)) and value == value:
            groups.setdefault(str(mark.x[at]) if at < len(mark.x) else mark.name, []).append(float(value))
    first = len(axes.get_xticks()) if axes.has_data() else 0
    axes.boxplot(list(groups.values()), positions=range(first, first + len(groups)), tick_labels=list(groups))


def _histogram(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    values = [value for value in (mark.y if mark.sideways else mark.x) if value is not None and value == value]
    axes.hist(values, bins="auto" if all(not isinstance(value, str) for value in values) else None, alpha=0.8, label=mark.name or None, color=mark.color)


def _heat(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    import numpy as np

    grid = np.array([[np.nan if value is None else value for value in row] for row in mark.z or []], dtype=float)
    image = axes.imshow(grid, aspect="auto", cmap="viridis", origin="lower")
    for values, ticks in ((mark.x, axes.set_xticks), (mark.y, axes.set_yticks)):
        if values and len(values) <= 40:
            ticks(range(len(values)), [str(value) for value in values])
    axes.figure.colorbar(image, ax=axes)


def _pie(axes: Any, mark: Mark, bars: list[Mark], mode: str) -> None:
    axes.pie([value or 0 for value in mark.y], labels=[str(value) for value in mark.x], autopct="%.0f %%")


_DRAWN = {"points": _points, "line": _line, "bars": _bars, "box": _box, "histogram": _histogram, "heat": _heat, "pie": _pie}


def plotly_marks(figure: Any) -> Marks:
    """The series of a plotly figure."""
    layout = figure.layout
    found = Marks(_text(layout.title.text), _text(layout.xaxis.title.text), _text(layout.yaxis.title.text), bar_mode=layout.barmode or "group")
    for trace in figure.data:
        kind = _plotly_kind(trace)
        if kind is None:
            continue
        if kind == "pie":
            found.marks.append(Mark("pie", _list(trace.labels), _list(trace.values), _text(trace.name)))
            continue
        x, y, sideways = _list(getattr(trace, "x", None)), _list(getattr(trace, "y", None)), getattr(trace, "orientation", None) == "h"
        if kind == "heat":
            found.marks.append(Mark("heat", x, y, _text(trace.name), z=[_list(row) for row in trace.z]))
            continue
        if kind == "bars" and sideways:
            x, y = y, x
        if kind in ("points", "line", "bars") and not x:
            x = list(range(len(y)))
        color = getattr(getattr(trace, "marker", None), "color", None) or getattr(getattr(trace, "line", None), "color", None)
        found.marks.append(Mark(kind, x, y, _text(trace.name), color if isinstance(color, str) and color.startswith("#") else None, sideways))
    return found


def _plotly_kind(trace: Any) -> Kind | None:
    kind: dict[str, Kind] = {"bar": "bars", "box": "box", "violin": "box", "histogram": "histogram", "heatmap": "heat", "pie": "pie"}
    if trace.type in ("scatter", "scattergl"):
        return "line" if "lines" in (trace.mode or "lines") else "points"
    return kind.get(trace.type)


# Which fields of Bokeh's glyphs hold what; a glyph that is not here draws no data of its own.
_GLYPHS: dict[str, tuple[Kind, str, str]] = {
    "Scatter": ("points", "x", "y"),
    "Circle": ("points", "x", "y"),
    "Line": ("line", "x", "y"),
    "Step": ("line", "x", "y"),
    "VBar": ("bars", "x", "top"),
    "HBar": ("bars", "y", "right"),
    "VArea": ("line", "x", "y2"),
    "Quad": ("bars", "left", "top"),
    "Rect": ("points", "x", "y"),
}


def bokeh_marks(model: Any) -> Marks:
    """The series of a Bokeh figure, or of the first figure in a layout."""
    from bokeh.models import Plot

    plot = next(iter(model.select({"type": Plot})), None) if hasattr(model, "select") else None
    if plot is None:
        raise Invalid("There is no figure in this Bokeh layout. Publish the figure itself.")
    labels = [next((axis.axis_label for axis in axes if getattr(axis, "axis_label", None)), "") for axes in (plot.below + plot.above, plot.left + plot.right)]
    found = Marks(_text(plot.title.text if plot.title else ""), _text(labels[0]), _text(labels[1]))
    names = {each.id: _legend(item) for legend in plot.legend for item in legend.items for each in item.renderers}
    for renderer in plot.renderers:
        glyph = getattr(renderer, "glyph", None)
        known = _GLYPHS.get(type(glyph).__name__)
        if known is None:
            continue
        kind, x, y = known
        data = renderer.data_source.data
        values = [_bokeh_values(getattr(glyph, each), data) for each in (x, y)]
        color = getattr(glyph, "line_color" if kind == "line" else "fill_color", None)
        mark = Mark(kind, values[0], values[1], names.get(renderer.id, ""), color if isinstance(color, str) and color.startswith("#") else None)
        found.marks.append(mark if type(glyph).__name__ != "HBar" else Mark(kind, mark.x, mark.y, mark.name, mark.color, True))
    return found


def _legend(item: Any) -> str:
    label = item.label
    value = getattr(label, "value", None) or (label.get("value") if isinstance(label, dict) else None)
    return _text(value)


def _bokeh_values(spec: Any, data: Mapping[str, Any]) -> list[Any]:
    name = spec if isinstance(spec, str) else getattr(spec, "field", None) or (spec.get("field") if isinstance(spec, dict) else None)
    if name is not None and name in data:
        return _list(data[name])
    length = max((len(column) for column in data.values()), default=0)
    value = getattr(spec, "value", spec)
    return [value] * length if isinstance(value, (int, float)) else []


def numbers_of_axes(axes: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """The numbers that matplotlib's axes draw: of lines, points and bars."""
    found: dict[str, Sequence[Any]] = {}
    for number, each in enumerate(axes, 1):
        stem = f"{number} " if len(axes) > 1 else ""
        x, y = each.get_xlabel() or "x", each.get_ylabel() or "y"
        series = [(line.get_label(), list(line.get_xdata()), list(line.get_ydata())) for line in each.lines]
        for points in each.collections:
            offsets = points.get_offsets() if hasattr(points, "get_offsets") else ()
            if len(offsets) and type(points).__name__ == "PathCollection":
                series.append((points.get_label(), [place[0] for place in offsets], [place[1] for place in offsets]))
        for container in each.containers:
            bars = [bar for bar in container if hasattr(bar, "get_height")]
            if bars:
                series.append((container.get_label(), [bar.get_x() + bar.get_width() / 2 for bar in bars], [bar.get_height() for bar in bars]))
        for at, (label, xs, ys) in enumerate(series, 1):
            name = str(label) if label and not str(label).startswith("_") else (f"{at}" if len(series) > 1 else "")
            prefix = f"{stem}{name}: " if name else stem
            found[f"{prefix}{x}"], found[f"{prefix}{y}"] = [_plain(v) for v in xs], [_plain(v) for v in ys]
    return found


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _list(values: Any) -> list[Any]:
    if values is None:
        return []
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _text(value: Any) -> str:
    return str(value) if value else ""
