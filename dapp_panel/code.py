"""The Python that draws a chart of Explore in a notebook, from the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dapp_ext.schema.boards import ChartRequest
from dapp_ext.schema.datasets import DatasetRead, Filter

_AGGREGATES = {"mean": "mean", "median": "median", "sum": "sum", "min": "min", "max": "max", "distinct": "nunique", "count": "count"}
_PERIODS = {"year": "Y", "quarter": "Q", "month": "M", "week": "W", "day": "D", "hour": "h"}
_NUMBERS = ("integer", "decimal", "duration")


def chart_code(dataset: DatasetRead, chart: ChartRequest, filters: Sequence[Filter]) -> str:
    """A program that needs nothing but what is installed with the platform.

    Parameters
    ----------
    dataset : DatasetRead
        The dataset at the version that is shown.
    chart : ChartRequest
        The chart.
    filters : sequence of Filter
        All conditions that the chart shows rows by.
    """
    kinds = {column.name: column.kind for column in dataset.schema_}
    columns = list(dict.fromkeys(name for name in (chart.x, chart.y, chart.color) if name is not None))
    conditions = [f"    Filter(column={each.column!r}, op={each.op!r}, value={each.value!r})," for each in filters]
    lines = [
        f"# {_one_line(dataset.name)}, version {dataset.version}, as it was drawn on the dashboard.",
        "import holoviews as hv",
        "",
        "from dapp_ext.client import DAPPClient",
        "from dapp_ext.schema.datasets import Filter",
        "",
        'hv.extension("bokeh")',
        "client = DAPPClient()",
        "filters: list[Filter] = [" if conditions else "filters: list[Filter] = []",
        *([*conditions, "]"] if conditions else []),
        f"data = client.get_processed_data({dataset.id!r}, columns={columns!r}, filter=filters)",
        *_drawn(chart, kinds),
        "chart",
    ]
    return "\n".join(lines) + "\n"


def _drawn(chart: ChartRequest, kinds: Mapping[str, str]) -> list[str]:
    x, y, color = chart.x, chart.y, chart.color
    if chart.shape == "histogram":
        if chart.log:
            return [
                "import numpy as np",
                f"numbers = data[{x!r}].dropna().astype(float)",
                "numbers = numbers[numbers > 0]",
                f"counts, edges = np.histogram(numbers, bins=np.geomspace(numbers.min(), numbers.max(), {chart.bins + 1}))",
                f'chart = hv.Histogram((edges, counts), kdims=[hv.Dimension("x", label={x!r})], vdims="rows")',
                'chart = chart.opts(width=800, height=400, logx=True, tools=["hover"])',
            ]
        return [
            "import numpy as np",
            f"counts, edges = np.histogram(data[{x!r}].dropna().astype(float), bins={chart.bins})",
            f'chart = hv.Histogram((edges, counts), kdims=[hv.Dimension("x", label={x!r})], vdims="rows").opts(width=800, height=400, tools=["hover"])',
        ]
    if chart.shape == "scatter":
        return [
            f"numbers = data.dropna(subset=[{x!r}, {y!r}]).astype({{{x!r}: float, {y!r}: float}})",
            "# Many points hide each other: beyond a few thousand they are counted in small cells.",
            f'dimensions = [hv.Dimension("x", label={x!r}), hv.Dimension("y", label={y!r})]',
            "if len(numbers) > 3_000:",
            f"    chart = hv.HexTiles((numbers[{x!r}], numbers[{y!r}]), kdims=dimensions)",
            '    chart = chart.opts(width=800, height=400, colorbar=True, logz=True, tools=["hover"])',
            "else:",
            f'    chart = hv.Points((numbers[{x!r}], numbers[{y!r}]), kdims=dimensions).opts(width=800, height=400, size=6, tools=["hover"])',
        ]
    if chart.shape == "box":
        return [
            f"boxes = data[[{x!r}, {y!r}]].dropna().astype({{{x!r}: str, {y!r}: float}})",
            f'chart = hv.BoxWhisker((boxes[{x!r}], boxes[{y!r}]), kdims=[hv.Dimension("x", label={x!r})], '
            f'vdims=[hv.Dimension("y", label={y!r})]).opts(width=800, height=400)',
        ]
    return _grouped(chart, kinds, color if chart.shape != "heat" else y)


def _grouped(chart: ChartRequest, kinds: Mapping[str, str], second: str | None) -> list[str]:
    """Bars, lines and heat maps: groups and one figure for each."""
    keys = [name for name in (chart.x, second) if name is not None]
    value = chart.color if chart.shape == "heat" else chart.y
    measured = value if chart.measure != "count" else None
    lines = ["import pandas as pd"]
    names = []
    for number, name in enumerate(keys):
        key = f"key_{number}"
        names.append(key)
        lines.append(f"{key} = {_key(name, kinds.get(name, 'text'), chart)}")
    groups = f"data.groupby([{', '.join(names)}], observed=True)"
    figure = f"{groups}[{measured!r}].{_AGGREGATES[chart.measure]}()" if measured is not None else f"{groups}.size()"
    lines.append(f'table = {figure}.rename("figure").rename_axis({["x", "part"][: len(keys)]!r}).reset_index()')
    label = f"{chart.measure} of {measured}" if measured is not None else "rows"
    figure_dimension = f'hv.Dimension("figure", label={label!r})'
    x_dimension = f'hv.Dimension("x", label={chart.x!r})'
    if chart.shape == "heat":
        part = f'hv.Dimension("part", label={second!r})'
        element = f"hv.HeatMap(table, kdims=[{x_dimension}, {part}], vdims=[{figure_dimension}])"
        return [*lines, f'chart = {element}.opts(width=800, height=400, colorbar=True, xrotation=45, tools=["hover"])']
    kind = "Bars" if chart.shape == "bar" else "Curve"
    if len(keys) == 1:
        element = f"hv.{kind}(table, kdims=[{x_dimension}], vdims=[{figure_dimension}])"
        return [*lines, f'chart = {element}.opts(width=800, height=400, xrotation=45, tools=["hover"])']
    return [
        *lines,
        f"parts = {{str(name): hv.{kind}(rows, kdims=[{x_dimension}], vdims=[{figure_dimension}], label=str(name)) "
        'for name, rows in table.groupby("part", observed=True)}',
        "chart = hv.NdOverlay(parts, kdims=[hv.Dimension(" + repr(second) + ")])"
        if chart.shape == "line"
        else f"chart = hv.Bars(table, kdims=[{x_dimension}, hv.Dimension('part', label={second!r})], vdims=[{figure_dimension}])",
        'chart = chart.opts(width=800, height=400, xrotation=45, legend_position="right")'
        if chart.shape == "bar"
        else 'chart = chart.opts(hv.opts.NdOverlay(width=800, height=400, legend_position="right"))',
    ]


def _key(name: str, kind: str, chart: ChartRequest) -> str:
    if kind in ("date", "datetime"):
        period = _PERIODS[chart.bucket or "month"]
        return f"pd.to_datetime(data[{name!r}]).dt.tz_localize(None).dt.to_period({period!r}).dt.start_time"
    if kind in _NUMBERS and chart.shape == "heat":
        return f"pd.cut(data[{name!r}], min({chart.bins}, max(2, data[{name!r}].nunique()))).map(lambda part: part.left, na_action='ignore').astype(float)"
    return f"data[{name!r}].astype(str)"


def _one_line(text: str) -> str:
    return " ".join(text.split())
