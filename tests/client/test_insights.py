"""Figures of each library, published over a real server: a picture, a table, never a script."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from dapp_ext.client import DAPPClient, sample_path
from dapp_ext.client.figures import render
from dapp_ext.errors import InsightNotFound, Invalid, TooLarge

from .test_drawing import checked


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return pd.read_csv(sample_path("penguins")).dropna()


@pytest.fixture(autouse=True)
def _quiet_libraries() -> Any:
    """The drawing libraries warn of each other's next releases; that is for their own tests."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield
    from matplotlib import pyplot

    pyplot.close("all")


def of_matplotlib(frame: pd.DataFrame) -> Any:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    axes.scatter(frame.bill_length_mm, frame.bill_depth_mm, label="penguins")
    axes.set_xlabel("bill length")
    return axes


def of_seaborn(frame: pd.DataFrame) -> Any:
    import seaborn

    return seaborn.relplot(frame, x="bill_length_mm", y="bill_depth_mm", hue="species")


def of_plotly(frame: pd.DataFrame) -> Any:
    import plotly.express as px

    return px.scatter(frame, x="bill_length_mm", y="bill_depth_mm", color="species", title="Bills")


def of_bokeh(frame: pd.DataFrame) -> Any:
    from bokeh.plotting import figure

    plot = figure(title="Bills", x_axis_label="length", y_axis_label="depth")
    plot.scatter("bill_length_mm", "bill_depth_mm", source=dict(frame[["bill_length_mm", "bill_depth_mm"]]), legend_label="penguins")
    return plot


def of_holoviews(frame: pd.DataFrame) -> Any:
    import holoviews as hv

    return hv.Scatter(frame, "bill_length_mm", "bill_depth_mm") * hv.Curve([(35, 15), (50, 20)])


FIGURES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "matplotlib": of_matplotlib,
    "seaborn": of_seaborn,
    "plotly": of_plotly,
    "bokeh": of_bokeh,
    "holoviews": of_holoviews,
}


@pytest.mark.parametrize("library", FIGURES)
def test_a_figure_becomes_a_picture_and_its_numbers(client: DAPPClient, penguins: pd.DataFrame, library: str) -> None:
    made = client.publish(FIGURES[library](penguins), f"Bills of penguins ({library})", note="Longer bills are deeper.")
    assert made.read.source == library
    picture = made.picture
    assert picture is not None
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert image.width > 300
    assert image.getpixel((2, 2)) == (255, 255, 255)
    assert len(set(image.resize((120, 90)).getdata())) > 20, "there is nothing in the picture"
    table = made.table()
    assert table is not None
    numbers = {round(value, 1) for name in table for value in pd.to_numeric(table[name], errors="coerce").dropna()}
    assert {39.1, 18.7} <= numbers, "the first penguin is not in the table"
    assert made.title in repr(made)
    html, pictures = re.subn(r'<img alt="[^"<>]*" style="[^"<>]*" src="data:image/png;base64,[A-Za-z0-9+/=]+"/>', "", made._repr_html_())
    assert pictures == 1
    assert "Longer bills" in checked(html).text
    assert "<script" not in json.dumps(made.read.model_dump(mode="json"))


@pytest.mark.parametrize("make", [lambda frame: frame, pl.from_pandas, lambda frame: pl.from_pandas(frame).to_arrow()], ids=["pandas", "polars", "arrow"])
def test_a_table_of_any_kind(client: DAPPClient, penguins: pd.DataFrame, make: Callable[[pd.DataFrame], Any], capsys: pytest.CaptureFixture[str]) -> None:
    made = client.publish(make(penguins), "Penguins")
    assert made.picture is None
    pd.testing.assert_frame_equal(made.table(), penguins.reset_index(drop=True), check_dtype=False)
    assert "as a table" in capsys.readouterr().out
    assert "bill_length_mm" in repr(made)


def test_a_series_keeps_what_it_counts(client: DAPPClient, penguins: pd.DataFrame) -> None:
    table = client.publish(penguins.species.value_counts(), "How many of each").table()
    assert table is not None
    assert dict(zip(table.species, table["count"], strict=True)) == dict(penguins.species.value_counts())


def test_a_long_table_says_how_long_it_was(client: DAPPClient) -> None:
    made = client.publish(pd.DataFrame({"a": range(5000)}), "Long")
    table = made.table()
    assert (len(table) if table is not None else 0, made.read.rows) == (1000, 5000)
    assert "5,000 rows" in repr(made)


def test_values_that_json_does_not_know(client: DAPPClient) -> None:
    frame = pd.DataFrame({"when": pd.to_datetime(["2024-02-29T12:30"]), "big": [2**60], "missing": [float("nan")], "no": [float("inf")], "set": [True]})
    table = client.publish(frame, "Odd").table()
    assert table is not None
    assert table.iloc[0].tolist()[:2] == ["2024-02-29T12:30:00", str(2**60)]
    assert table.iloc[0].isna().tolist() == [False, False, True, True, False]


def test_what_is_published_belongs_to_a_dataset(client: DAPPClient, penguins: pd.DataFrame) -> None:
    data = client.upload_file(penguins, name="penguins to publish", visibility="private")
    made = client.publish(of_matplotlib(penguins), "Private bills", dataset=data)
    assert (made.read.visibility, made.read.dataset.name if made.read.dataset else "") == ("private", data.name)
    assert [each.id for each in client.insights(data)] == [made.id]
    assert "Private bills" in repr(client.insights(data))
    assert client.insight(made).share("team").read.visibility == "team"
    assert made.refresh().rename("Bills").describe(None).title == "Bills"
    made.delete()
    with pytest.raises(InsightNotFound):
        client.insight(made)


@pytest.mark.parametrize(
    ("trace", "kind"),
    [
        ({"type": "bar", "x": ["a", "b"], "y": [1, 2]}, "bars"),
        ({"type": "bar", "y": ["a", "b"], "x": [1, 2], "orientation": "h"}, "bars"),
        ({"type": "histogram", "x": [1, 2, 2, 3]}, "histogram"),
        ({"type": "box", "y": [1, 2, 9], "name": "b"}, "box"),
        ({"type": "heatmap", "z": [[1, 2], [3, None]], "x": ["a", "b"], "y": ["c", "d"]}, "heat"),
        ({"type": "pie", "labels": ["a", "b"], "values": [1, 2]}, "pie"),
        ({"type": "scatter", "y": [3, 1, 2], "mode": "lines"}, "line"),
    ],
)
def test_plotlys_kinds_without_a_browser(trace: dict[str, Any], kind: str) -> None:
    import plotly.graph_objects as go

    from dapp_ext.client.redrawing import plotly_marks, redraw

    marks = plotly_marks(go.Figure([trace, trace] if kind == "bars" else [trace]))
    assert {mark.kind for mark in marks.marks} == {kind}
    assert len(set(Image.open(io.BytesIO(redraw(marks))).convert("RGB").resize((160, 100)).getdata())) > 8


def test_what_is_no_figure(client: DAPPClient) -> None:
    import plotly.graph_objects as go

    for nothing in (object(), 3, "a text", [1, 2], go.Figure(), pd.DataFrame()):
        with pytest.raises(Invalid, match=r"(cannot be published|nothing in this figure|no columns)"):
            client.publish(nothing, "x")
    with pytest.raises(Invalid, match="title"):
        client.publish(pd.DataFrame({"a": [1]}), " ")


def test_several_axes_are_one_picture() -> None:
    from matplotlib import pyplot

    _, axes = pyplot.subplots(1, 2)
    axes[0].plot([1, 2], [3, 4], label="left")
    axes[1].bar(["a", "b"], [5, 6])
    found = render(axes)
    assert found.picture is not None
    assert found.table is not None
    assert {cell for row in found.table.rows for cell in row} >= {3, 4, 5, 6}


def test_a_picture_that_is_too_large_is_drawn_coarser() -> None:
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 14))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.random.default_rng(7).random((2000, 2000, 3)))
    found = render(figure).picture
    assert found is not None
    assert len(found) < 3 * 2**20
    with pytest.raises(TooLarge, match="low resolution"):
        render(b"\x89PNG\r\n\x1a\n" + bytes(4 * 2**20))


def test_over_the_wire_only_a_png_is_taken_and_given(client: DAPPClient) -> None:
    http = httpx.Client(
        base_url=f"{client.url}/dapp/api/v1/".replace("//dapp", "/dapp"), headers=client.connection.transport.sign_in.headers(), trust_env=False
    )
    refused = http.post("insights", json={"title": "x", "picture": "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid")
    made = client.publish(of_matplotlib(pd.DataFrame({"bill_length_mm": [1.0], "bill_depth_mm": [2.0]})), "x")
    answer = http.get(f"insights/{made.id}/picture")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    http.close()
