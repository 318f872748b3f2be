"""What came out of a training: as frames, as text, and drawn in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapp_ext.client.charts import TITLES, confusion_html, curves_svg, scatter_svg, score_svg
from dapp_ext.client.drawing import (
    Html,
    amount,
    badge,
    bar,
    between,
    card,
    duration,
    escape,
    labelled,
    number,
    paragraph,
    section,
    table,
    text_table,
    with_spread,
)
from dapp_ext.client.leaderboard import trials_html
from dapp_ext.schema import models as shapes

if TYPE_CHECKING:
    import pandas as pd

_GUARD_TONES = {"passed": "good", "done": "calm", "alerted": "bad"}
_MOST_IMPORTANT = 15


class Results:
    """All that is known about a trained model.

    ``metrics``, ``leaderboard``, ``importances`` and ``confusion`` are pandas frames, made when asked for;
    ``sentence`` says it in words; :meth:`plot` gives HoloViews charts; the object draws itself in a notebook.

    Parameters
    ----------
    read : schema.models.Results
        The results as they came over the wire.
    """

    def __init__(self, read: shapes.Results) -> None:
        self.read = read

    @property
    def sentence(self) -> str:
        """The result in one sentence for anyone."""
        return self.read.sentence

    @property
    def target(self) -> str:
        return self.read.target

    @property
    def task(self) -> str:
        return self.read.task

    @property
    def guards(self) -> list[shapes.Guard]:
        """The checks made before anything was scored."""
        return self.read.guards

    @property
    def curves(self) -> list[shapes.Curve]:
        """ROC, precision and recall, calibration and others, as points."""
        return self.read.curves

    @property
    def best(self) -> shapes.Trial:
        """The winning trial of the search."""
        return self.read.best

    @property
    def metrics(self) -> pd.DataFrame:
        """Scores on rows that the search never saw: value, 95 % interval, what guessing reaches; indexed by name."""
        import pandas as pd

        columns = ("label", "value", "low", "high", "baseline", "greater_is_better")
        rows = [{name: getattr(score, name) for name in columns} for score in self.read.scores]
        return pd.DataFrame(rows, columns=list(columns), index=pd.Index([score.name for score in self.read.scores], name="metric"))

    @property
    def leaderboard(self) -> pd.DataFrame:
        """The trials, best first."""
        from dapp_ext.client.models import trials_frame

        return trials_frame(self.read.leaderboard)

    @property
    def importances(self) -> pd.DataFrame:
        """How much worse the score gets when a column is shuffled; the most important first."""
        import pandas as pd

        return pd.DataFrame(
            [{"column": each.column, "importance": each.value, "std": each.std} for each in self._ranked()], columns=["column", "importance", "std"]
        )

    @property
    def confusion(self) -> pd.DataFrame | None:
        """Counts of true (rows) against predicted classes (columns); ``None`` for a regression."""
        import pandas as pd

        matrix = self.read.confusion
        if matrix is None:
            return None
        return pd.DataFrame(matrix.counts, index=pd.Index(matrix.classes, name="true"), columns=pd.Index(matrix.classes, name="predicted"))

    @property
    def equally_good(self) -> list[shapes.Trial]:
        """The candidates that are not clearly worse than the best one, the best among them; :attr:`recommended` is the simplest."""
        return [trial for trial in self.read.leaderboard if trial.near_best]

    @property
    def recommended(self) -> shapes.Trial | None:
        """The candidate that is advised: as good as the best, and simpler; the best itself where nothing simpler is as good."""
        return next((trial for trial in self.read.leaderboard if trial.number == self.read.recommended), None)

    def _advice(self) -> str:
        near, advised = self.equally_good, self.recommended
        if len(near) < 2 or advised is None:
            return ""
        if advised.number == self.read.best.number:
            others = ", ".join(trial.label for trial in near if trial is not advised)
            return f"{len(near)} candidates are equally good; this is the simplest of them. Its score cannot be told from that of {others}."
        said = f"{advised.label} would do as well: {len(near)} candidates are not clearly worse than the best ({self.read.best.label})."
        return f"{said} It is the simplest of them, easier to explain and quicker to ask."

    def plot(self) -> Any:
        """The charts as a HoloViews layout, drawn with Bokeh.

        Returns
        -------
        holoviews.Layout
            Importances, the curves, and predicted against actual values where there are any.
        """
        import holoviews as hv

        if "bokeh" not in hv.Store.loaded_backends():
            hv.extension("bokeh", logo=False)
        top = self._ranked()[:_MOST_IMPORTANT][::-1]
        size = {"frame_width": 320, "frame_height": 260, "tools": ["hover"]}
        bars = hv.Bars([(each.column, each.value) for each in top], "column", "importance", label="Importance of each column")
        plots: list[Any] = [bars.opts(invert_axes=True, **size)]
        for curve in self.read.curves:
            plots.append(hv.Curve((curve.x, curve.y), curve.x_label, curve.y_label, label=f"{TITLES.get(curve.kind, curve.kind)}: {curve.label}").opts(**size))
        if self.read.scatter is not None:
            points = (self.read.scatter.actual, self.read.scatter.predicted)
            plots.append(hv.Scatter(points, "actual", "predicted", label="Predicted against actual").opts(**size))
        return hv.Layout(plots).cols(3).opts(shared_axes=False)

    def _label(self, column: str) -> str:
        return labelled(column, next((each.unit for each in self.read.features if each.name == column), None))

    def _ranked(self) -> list[shapes.Importance]:
        return sorted(self.read.importances, key=lambda each: -each.value)

    def __repr__(self) -> str:
        read = self.read
        parts = [f"{read.model.name}: predicts {read.target!r} from {read.dataset.name!r} (version {read.dataset_version})", read.sentence]
        lines = [(each.label, *_figures(each)) for each in read.scores]
        parts.append(text_table(("score", "value", "95 % interval", "guessing"), lines, numeric=(1, 2, 3)))
        parts += [f"! {guard.sentence}" for guard in read.guards if guard.state == "alerted"]
        parts.append(f"Best: {read.best.label}. {read.split.sentence}")
        parts += [said] if (said := self._advice()) else []
        top = self._ranked()[:5]
        if top:
            parts.append("Most important: " + ", ".join(f"{each.column} ({number(each.value, top[0].value)})" for each in top))
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        read = self.read
        facts = [f"{read.dataset.name} (version {read.dataset_version})", read.best.label, amount(len(read.leaderboard), "trial"), duration(read.seconds)]
        if read.stopped_early:
            facts.append("stopped early")
        return card(
            f"{read.model.name} · predicts {read.target}",
            paragraph(read.sentence, "lead"),
            paragraph(" · ".join(facts), "soft"),
            paragraph(said) if (said := self._advice()) else "",
            section("Scores on rows that the search never saw", _scores(read.scores), paragraph(f"{read.split.sentence} {read.task_reason}", "soft")),
            _guards(read.guards),
            section("Importance of each column", self._bars()) if read.importances else "",
            _charts(read),
            section("Leaderboard", trials_html(read.leaderboard, self._metric_label(), greater_is_better=self._greater())),
            badge=badge(read.task),
        )

    def _bars(self) -> str:
        ranked = self._ranked()
        top = max((each.value for each in ranked), default=0.0)
        shown = ranked[:_MOST_IMPORTANT]
        like = sorted(each.std for each in shown)[len(shown) // 2] if shown else None
        lines = [(self._label(each.column), bar(each.value / top if top > 0 else 0.0), with_spread(each.value, each.std, like)) for each in shown]
        more = len(ranked) - _MOST_IMPORTANT
        return table(("column", "", "worse by when shuffled"), lines, numeric=(2,)) + (
            paragraph(f"… and {amount(more, 'more column')}", "soft") if more > 0 else ""
        )

    def _headline(self) -> shapes.Score | None:
        return next((score for score in self.read.scores if score.name == self.read.metric), None)

    def _metric_label(self) -> str:
        headline = self._headline()
        return headline.label if headline else self.read.metric

    def _greater(self) -> bool:
        headline = self._headline()
        return headline.greater_is_better if headline else True


def _figures(score: shapes.Score) -> tuple[str, str, str]:
    """Value, interval and what guessing reaches, with the same decimals where they are of one size."""
    value, guessing = score.value, score.baseline
    return number(value, value), between(score.low, score.high, value), number(guessing, guessing if abs(guessing) >= 1000 * abs(value) else value)


def _scores(scores: list[shapes.Score]) -> str:
    lines = [
        (
            score.label + ("" if score.greater_is_better else " (less is better)"),
            *_figures(score),
            Html(score_svg(score)),
        )
        for score in scores
    ]
    return table(("score", "value", "95 % interval", "guessing", ""), lines, numeric=(1, 2, 3))


def _guards(guards: list[shapes.Guard]) -> str:
    told = [guard for guard in guards if guard.state != "passed"]
    passed = len(guards) - len(told)
    lines = "".join(
        f"<p>{badge('look at this' if guard.state == 'alerted' else 'taken care of', _GUARD_TONES[guard.state])} {escape(guard.sentence)}</p>" for guard in told
    )
    rest = "".join(f"<li>{escape(guard.sentence)}</li>" for guard in guards if guard.state == "passed")
    if rest:
        lines += f"<details><summary>{amount(passed, 'check')} passed</summary><ul>{rest}</ul></details>"
    return section("Checks", lines) if lines else ""


def _charts(read: shapes.Results) -> str:
    drawn = curves_svg(read.curves)
    if read.scatter is not None:
        drawn += [each for each in (scatter_svg(read.scatter),) if each]
    if read.confusion is not None:
        drawn.append(f'<div><p class="dapp-soft">True against predicted classes</p>{confusion_html(read.confusion)}</div>')
    return section("Evidence", f'<div class="dapp-row">{"".join(drawn)}</div>') if drawn else ""
