"""What is shown in a notebook: nothing from the data may act there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from dapp_ext.client import charts, drawing
from dapp_ext.client.answers import Dependents, Fit, Policy, Usage
from dapp_ext.client.drawing import ago, amount, duration, number, size_text, with_spread
from dapp_ext.client.leaderboard import board_html, board_text
from dapp_ext.client.objects import Listing, failure
from dapp_ext.client.profiles import DatasetProfile
from dapp_ext.client.results import Results
from dapp_ext.errors import FileUnreadable, JobFailed, MemoryExceeded
from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column, ColumnProfile, Finding, Histogram, Profile, ValueCount
from dapp_ext.schema.models import Confusion, Curve, Guard, Importance, Leaderboard, ModelRead, Scatter, Score, Split, Trial
from dapp_ext.schema.models import Results as ResultsRead
from dapp_ext.schema.serving import Renamed, Retyped

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&"
AT = datetime(2024, 1, 31, 12, tzinfo=UTC)
SAFE_TAGS = {
    "style",
    "div",
    "h4",
    "h5",
    "p",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "section",
    "details",
    "summary",
    "ul",
    "li",
    "svg",
    "title",
    "line",
    "circle",
    "polyline",
    "text",
    "rect",
    "progress",
    "br",
}


class Reader(HTMLParser):
    """Collects tags and attributes, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(html: str) -> Reader:
    """The page read as a browser does; it holds known tags only and nothing that acts or loads."""
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert reader.tags <= SAFE_TAGS, reader.tags - SAFE_TAGS
    assert not {name for name in reader.attributes if name.startswith("on") or name in ("src", "href")}
    return reader


def trial(number: int, score: float | None = 0.9, **more: object) -> Trial:
    return Trial.model_validate({"number": number, "family": "linear", "label": EVIL, "score": score, "std": 0.01, "at": AT, **more})


def results(**more: object) -> ResultsRead:
    named = Named(id="1", name=EVIL)
    values = {
        "model": named,
        "dataset": named,
        "dataset_version": 1,
        "target": EVIL,
        "task": "binary",
        "task_reason": EVIL,
        "sentence": EVIL,
        "metric": "roc_auc",
        "scores": [Score(name="roc_auc", label="ROC AUC", value=0.9, low=0.85, high=0.95, baseline=0.5, greater_is_better=True)],
        "guards": [Guard(code=state, state=state, severity="warning", sentence=EVIL) for state in ("passed", "done", "alerted")],
        "leaderboard": [trial(1), trial(2, None, status="failed", error=EVIL)],
        "importances": [Importance(column=EVIL, value=0.2, std=0.01), Importance(column="b", value=-0.01, std=0.01)],
        "curves": [Curve(kind="roc", label=EVIL, x=[0, 0.5, 1], y=[0, 0.9, 1], x_label=EVIL, y_label=EVIL)],
        "confusion": Confusion(classes=[EVIL, "b"], counts=[[5, 1], [2, 9]]),
        "best": trial(1),
        "split": Split(validation="random", folds=5, rows_train=80, rows_test=20, seed=0, sentence=EVIL),
        "features": [Column(name=EVIL, kind="integer")],
        "seconds": 12.0,
    }
    return ResultsRead.model_validate({**values, **more})


def model(status: str, **more: object) -> ModelRead:
    named = Named(id="1", name=EVIL)
    values = {"id": "m", "name": EVIL, "version": 1, "status": status, "owner": named, "visibility": "team", "dataset": named, "dataset_version": 1}
    return ModelRead.model_validate({**values, "target": EVIL, "time_budget": 60, "created_at": AT, "updated_at": AT, **more})


def test_results_show_everything_and_let_nothing_act() -> None:
    shown = Results(results())
    reader = checked(shown._repr_html_())
    assert {"svg", "polyline", "table"} <= reader.tags
    for part in ("ROC AUC", "95 % interval", "guessing", "Importance", "Leaderboard", "true \\ predicted", "look at this"):
        assert part in reader.text
    assert "script" in reader.text  # as text
    assert "ROC AUC" in repr(shown)


def test_results_of_a_regression_draw_points() -> None:
    read = results(task="regression", confusion=None, scatter=Scatter(actual=[1, 2, float("nan")], predicted=[1.1, 2.2, 3]), curves=[])
    assert "circle" in checked(Results(read)._repr_html_()).tags


def test_results_without_anything_optional() -> None:
    read = results(guards=[], importances=[], curves=[], confusion=None, leaderboard=[])
    assert "Evidence" not in checked(Results(read)._repr_html_()).text


def test_results_as_frames() -> None:
    shown = Results(results())
    assert shown.metrics.loc["roc_auc", "value"] == 0.9
    assert list(shown.leaderboard["number"]) == [1, 2]
    assert shown.importances.iloc[0]["column"] == EVIL
    assert shown.confusion is not None
    assert shown.confusion.loc["b", "b"] == 9
    assert Results(results(confusion=None)).confusion is None


def test_results_as_holoviews() -> None:
    import holoviews as hv

    layout = Results(results(scatter=Scatter(actual=[1, 2], predicted=[1, 2]))).plot()
    assert isinstance(layout, hv.Layout)
    assert len(layout) == 3
    assert hv.render(layout, backend="bokeh") is not None


@pytest.mark.parametrize("status", ["queued", "training", "ready", "failed"])
def test_leaderboard_in_every_state(status: str) -> None:
    board = Leaderboard(model="m", status=status, metric="roc_auc", metric_label="ROC AUC", trials=[trial(1), trial(2, 0.8)], seconds_left=20, time_budget=60)
    reader = checked(board_html(model(status, sentence="Fine.", error="Bad."), board))
    assert "0.900" in reader.text
    line = board_text(model(status, sentence="Fine.", error="Bad."), board)
    assert "\n" not in line
    if status == "training":
        assert "2 trials" in line
        assert "20 s left" in line


def test_profile_in_html_and_text() -> None:
    column = ColumnProfile(
        name=EVIL, kind="category", missing=1, distinct=2, top=[ValueCount(value=EVIL, count=3)], histogram=Histogram(edges=[0, 1, 2], counts=[1, 3])
    )
    number_column = ColumnProfile(name="n", kind="integer", missing=0, distinct=4, minimum=1, maximum=4, mean=2.5, std=1.1, quantiles={"0.5": 2.5})
    profile = DatasetProfile(EVIL, Profile(rows=4, columns=[column, number_column], findings=[Finding(code="x", severity="warning", sentence=EVIL)]))
    assert "25.0%" in checked(profile._repr_html_()).text
    assert "mean 2.500" in repr(profile)
    frame = profile.to_frame()
    assert frame.loc["n", "q0.5"] == 2.5


def test_amounts_say_what_they_are_counted_in() -> None:
    price = ColumnProfile(name="price", kind="decimal", missing=0, distinct=4, minimum=1, maximum=4, mean=2.5)
    profile = DatasetProfile("sales", Profile(rows=4, columns=[price]), {"price": "€"})
    assert "price (€)" in repr(profile)
    assert "price (€)" in checked(profile._repr_html_()).text
    read = results()
    first = read.importances[0].column
    features = [Column(name=first, kind="decimal", unit="€")]
    assert f"{first} (€)" in checked(Results(read.model_copy(update={"features": features}))._repr_html_()).text


def test_listings_draw_themselves() -> None:
    listing = Listing([EVIL] * 60, EVIL, {"name": lambda each: each, "size": len})
    reader = checked(listing._repr_html_())
    assert "40 more" in reader.text
    assert "40 earlier" in repr(Listing(range(60), "Numbers", {"n": str}, newest_last=True))
    assert repr(Listing([], "Things", {})) == "Things: none"
    assert checked(Listing([], "Things", {})._repr_html_()).text.count("None") == 1


def test_charts_are_well_formed_and_stay_inside() -> None:
    curve = Curve(kind="lift", label="Lift", x=[0, 1e6], y=[1, float("inf")], x_label="x", y_label="y")
    (chart,) = charts.curves_svg([curve])
    ElementTree.fromstring(chart)
    assert charts.curves_svg([Curve(kind="roc", label="", x=[], y=[], x_label="", y_label="")]) == []
    many = Curve(kind="residuals", label="R", x=list(range(5000)), y=list(range(5000)), x_label="x", y_label="y")
    assert charts.curves_svg([many])[0].count(",") <= 450


def test_curves_of_one_kind_share_a_chart() -> None:
    curves = [
        Curve(kind="roc", label=f"{EVIL}{at}", x=[0, 1], y=[0, 1], x_label="Share of the others", y_label=f"Share of “{EVIL}{at}” found") for at in range(10)
    ]
    (chart,) = charts.curves_svg(curves)
    reader = checked(chart)
    assert chart.count("<polyline") == 8
    assert "and 2 more" in reader.text
    assert "Share of the class found" in reader.text


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 17.0), (0.0, 1e-9), (1e8, 3e9), (5.0, 5.0)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = charts.ticks(low, high)
    assert 1 <= len(found) <= 6
    assert all(low - 1e-9 * abs(low) <= value <= high * (1 + 1e-9) for value in found)


def test_numbers_and_amounts_read_well() -> None:
    assert [number(value) for value in (None, 3, 1234567, 0.91234, 12.3456, 98765.4, 0.00001, float("nan"), 5.0, "x", True)] == [
        "", "3", "1,234,567", "0.9123", "12.35", "98,765", "1.00e-05", "–", "5", "x", "True",
    ]  # fmt: skip
    assert (amount(1, "row"), amount(2, "row"), amount(None, "row"), amount(2, "entry", "entries")) == ("1 row", "2 rows", "rows", "2 entries")
    assert (size_text(5), size_text(1234), size_text(5e6), size_text(3.2e12)) == ("5 bytes", "1.2 kB", "5.0 MB", "3200 GB")
    assert (duration(5), duration(125), duration(7300)) == ("5.0 s", "2 min 05 s", "2 h 01 min")
    now = datetime.now(UTC)
    assert [ago(now - timedelta(seconds=s)) for s in (1, 61, 7200, 90_000)] == ["just now", "1 minute ago", "2 hours ago", "1 day ago"]


def test_what_stands_side_by_side_is_even() -> None:
    assert [number(value, 0.756) for value in (0.756, 2.6923, 0.05, 1, 0.0)] == ["0.7560", "2.6923", "0.0500", "1.0000", "0.0000"]
    assert [number(value, 51_514_698.2) for value in (51_514_698.2, 661_024_866, 5e6)] == ["51.51 million", "661.02 million", "5.00 million"]
    assert drawing.between(39_253_567, 168_743_869, 51_514_698) == "39.25 … 168.74 million"
    assert drawing.between(0.6472, 0.87, 0.756) == "0.6472 … 0.8700"
    assert drawing.between(118.25, 1234.5, 345.678) == "118.2 … 1,234.5"
    assert [number(value) for value in (1122.98, 1.5e18, 4_503_389_508_803.0)] == ["1,123", "1.50e+18", "4,503,389,508,803"]
    assert (number(0.0, 0.0), number(0.3, 0.0), number(float("nan"), 2.0)) == ("0", "0.3000", "–")


def test_spread_decides_the_digits() -> None:
    assert with_spread(0.00098, 0.00039, like=0.0065) == "0.0010 ± 0.0004"
    assert with_spread(0.084263, 0.006654) == "0.0843 ± 0.0067"
    assert with_spread(1234.5, 120.0) == "1,234 ± 120"
    assert (with_spread(None, 0.1), with_spread(0.5, None), with_spread(0.5, 0.0)) == ("–", "0.5000", "0.500 ± 0.000")


def test_failures_become_their_class() -> None:
    assert type(failure("Row 3 is cut.", "file_unreadable")) is FileUnreadable
    assert failure("Row 3 is cut.", "file_unreadable").message == "Row 3 is cut."
    assert type(failure(MemoryExceeded.sentence, None)) is MemoryExceeded
    assert type(failure(None, None)) is JobFailed
    assert drawing.escape(EVIL).count("<") == 0


def test_a_column_of_numbers_is_even() -> None:
    rows = [["a", 0.7037, 1500, True, None], ["b", -12.5, 3.0, False, 1e-7], ["c", 0.041, 7, True, 2.0]]
    assert drawing.even_rows(rows) == (
        [["a", "0.7037", "1,500", "True", ""], ["b", "-12.5000", "3", "False", "0.000"], ["c", "0.0410", "7", "True", "2.000"]],
        [1, 2, 4],
    )
    assert drawing.text_table(["name"], [["n" * 200]]).endswith("n…")
    assert drawing.even_rows([]) == ([], [])


def test_short_answers_draw_themselves() -> None:
    usage = Usage(used=5_000_000, datasets=4_000_000, models=1_000_000, quota=10_000_000, free=5_000_000, upload_limit=2_000_000_000)
    assert repr(usage).startswith("Storage: 5.0 MB stored of 10.0 MB; 5.0 MB are free.")
    named = Named(id="1", name="<b>huge</b>")
    fit = Fit(
        model=named, model_version=2, usable=True, sentence="One is missing.", matched=["a"], missing=["b"], new=["c"],
        retyped=[Retyped(column="d", expected="integer", given="text")], renamed=[Renamed(missing="b", perhaps="B")],
    )  # fmt: skip
    for part in ("One is missing.", "b → B", "d: integer was learned from, text is given"):
        assert part in repr(fit)
        assert part in fit._repr_html_()
    assert "<b>" not in fit._repr_html_()
    assert repr(Dependents(bytes=10)) == "Dependents: Nothing was made from it. 10 bytes in 1 version."
    made = Dependents(models=[named], unseen=2, later=[3], jobs=1, people=2, bytes=10)
    assert all(part in repr(made) for part in ("<b>huge</b>", "2 people", "1 job", "later versions"))
    policy = Policy(
        model=named, model_version=1, version=1, by="value", threshold=0.35, positive="yes", sentence="Named from 35 % on.", named=120.0, set_by=named, at=datetime.now(UTC),
    )  # fmt: skip
    assert "“yes” from 0.3500 on: Named from 35 % on." in repr(policy)
    assert "120" in repr(policy)
