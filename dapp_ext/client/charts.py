"""Charts as SVG inside HTML: nothing to load, nothing that runs, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dapp_ext.client.drawing import BLUE, GREEN, GREY, ORANGE, RED, escape, number
from dapp_ext.schema.models import Confusion, Curve, Scatter, Score

_WIDTH, _HEIGHT = 300, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 22, 40
_MOST_POINTS = 400
_LINES = (BLUE, ORANGE, GREEN, RED, "#8e63ce", "#1f9aa8", "#c9578f", "#9c7a4b")
TITLES = {"roc": "ROC", "precision_recall": "Precision and recall", "calibration": "Calibration", "gain": "Gain", "residuals": "Residuals"}
# Curves whose reference is the diagonal of guessing or of being right.
_DIAGONAL = {"roc", "calibration", "gain", "scatter"}


@dataclass(frozen=True)
class _Scale:
    """Data values to pixels along one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def curves_svg(curves: Sequence[Curve]) -> list[str]:
    """A line chart for each kind of curve, with a line for each class and the reference line where there is one."""
    kinds = dict.fromkeys(curve.kind for curve in curves)
    return [drawn for kind in kinds if (drawn := _kind_svg(kind, [curve for curve in curves if curve.kind == kind]))]


def _kind_svg(kind: str, curves: list[Curve]) -> str:
    lines = [(curve, _finite(curve.x, curve.y)) for curve in curves[: len(_LINES)]]
    lines = [(curve, points) for curve, points in lines if points]
    if not lines:
        return ""
    unit = kind in ("roc", "precision_recall", "calibration", "gain")
    x_scale, y_scale = _scales([point for _, points in lines for point in points], unit=unit)
    marks = _reference(kind, x_scale, y_scale)
    for color, (_, points) in zip(_LINES, lines, strict=False):
        path = " ".join(f"{x_scale(x):.1f},{y_scale(y):.1f}" for x, y in points)
        marks += f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2" stroke-linejoin="round"/>'
    first = lines[0][0]
    title = TITLES.get(kind, kind.replace("_", " ").capitalize())
    if len(lines) == 1:
        return _frame(f"{title}: {first.label}" if first.label else title, (first.x_label, first.y_label), (x_scale, y_scale), marks)
    chart = _frame(title, (_without(first.x_label, first.label), _without(first.y_label, first.label)), (x_scale, y_scale), marks)
    legend = "".join(f'<span style="color:{color}">●</span> {escape(_cut(curve.label, 30))} ' for color, (curve, _) in zip(_LINES, lines, strict=False))
    more = f"… and {len(curves) - len(_LINES)} more" if len(curves) > len(_LINES) else ""
    return f'<div style="max-width:{_WIDTH}px">{chart}<div class="dapp-soft" style="font-size:11px">{legend}{more}</div></div>'


def scatter_svg(scatter: Scatter, label: str = "Predicted against actual") -> str:
    """Points of predicted against actual values, with the line where both are equal."""
    points = _finite(scatter.actual, scatter.predicted)
    if not points:
        return ""
    both = [value for point in points for value in point]
    x_scale, y_scale = _scales([(min(both), min(both)), (max(both), max(both))])
    marks = "".join(f'<circle cx="{x_scale(x):.1f}" cy="{y_scale(y):.1f}" r="2.2" fill="{BLUE}" fill-opacity=".5"/>' for x, y in points)
    return _frame(label, ("actual", "predicted"), (x_scale, y_scale), _reference("scatter", x_scale, y_scale) + marks)


def score_svg(score: Score) -> str:
    """One score on a line: the interval as a bar, the score as a dot, guessing as a mark."""
    values = [score.low, score.high, score.value, score.baseline]
    if not all(math.isfinite(value) for value in values):
        return ""
    low, high = min(values), max(values)
    if score.greater_is_better and low >= 0 and high <= 1:
        low, high = min(low, 0.5) if low >= 0.4 else 0.0, 1.0
    at = _Scale(low, high if high > low else low + 1.0, 6, 154)
    label = f"{score.label} {number(score.value)}, 95 % between {number(score.low)} and {number(score.high)}, guessing {number(score.baseline)}"
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="160" height="18" viewBox="0 0 160 18"><title>{escape(label)}</title>'
        f'<line x1="6" y1="9" x2="154" y2="9" stroke="{GREY}" stroke-opacity=".5"/>'
        f'<line x1="{at(score.baseline):.1f}" y1="3" x2="{at(score.baseline):.1f}" y2="15" stroke="{ORANGE}" stroke-width="2.5"/>'
        f'<line x1="{at(score.low):.1f}" y1="9" x2="{at(score.high):.1f}" y2="9" stroke="{BLUE}" stroke-width="5" stroke-opacity=".45" stroke-linecap="round"/>'
        f'<circle cx="{at(score.value):.1f}" cy="9" r="4" fill="{BLUE}"/></svg>'
    )


def confusion_html(confusion: Confusion) -> str:
    """A table of true against predicted classes; the share of its row shades each cell."""
    head = "".join(f'<th class="dapp-num">{escape(name)}</th>' for name in confusion.classes)
    lines = []
    for at, (name, counts) in enumerate(zip(confusion.classes, confusion.counts, strict=True)):
        total = sum(counts) or 1
        cells = "".join(
            f'<td class="dapp-num" style="background:rgba({"47,127,214" if at == column else "200,116,26"},{0.5 * count / total:.2f});'
            f'padding-left:10px" title="{count / total:.0%} of true {escape(name)}">{count:,}</td>'
            for column, count in enumerate(counts)
        )
        lines.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        '<div class="dapp-scroll"><table class="dapp-table"><thead><tr><th class="dapp-soft">true \\ predicted</th>'
        f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values between two others, about ``count`` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (step * factor) <= count)
    first = math.ceil(low / step - 1e-9)
    return [round(at * step, 12) for at in range(first, math.floor(high / step + 1e-9) + 1)]


def _scales(points: Sequence[tuple[float, float]], *, unit: bool = False) -> tuple[_Scale, _Scale]:
    def ends(values: list[float]) -> tuple[float, float]:
        low, high = min(values), max(values)
        if unit and low >= 0 and high <= 1:
            return 0.0, 1.0
        margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        return low - margin, high + margin

    x_low, x_high = ends([x for x, _ in points])
    y_low, y_high = ends([y for _, y in points])
    return _Scale(x_low, x_high, _LEFT, _WIDTH - _RIGHT), _Scale(y_low, y_high, _HEIGHT - _BOTTOM, _TOP)


def _reference(kind: str, x: _Scale, y: _Scale) -> str:
    style = f'stroke="{GREY}" stroke-width="1.5" stroke-dasharray="4 3"'
    if kind in _DIAGONAL:
        low, high = max(x.low, y.low), min(x.high, y.high)
        return f'<line x1="{x(low):.1f}" y1="{y(low):.1f}" x2="{x(high):.1f}" y2="{y(high):.1f}" {style}/>'
    if kind in ("residuals", "lift"):
        level = 0.0 if kind == "residuals" else 1.0
        if y.low <= level <= y.high:
            return f'<line x1="{x.start}" y1="{y(level):.1f}" x2="{x.end}" y2="{y(level):.1f}" {style}/>'
    return ""


def _frame(title: str, labels: tuple[str, str], scales: tuple[_Scale, _Scale], marks: str) -> str:
    x, y = scales
    base, middle_x, middle_y = _HEIGHT - _BOTTOM, (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    parts = []
    for value in ticks(x.low, x.high):
        parts.append(f'<line x1="{x(value):.1f}" y1="{_TOP}" x2="{x(value):.1f}" y2="{base}" stroke="currentColor" stroke-opacity=".12"/>')
        parts.append(f'<text x="{x(value):.1f}" y="{base + 14}" text-anchor="middle">{_tick(value)}</text>')
    for value in ticks(y.low, y.high):
        parts.append(f'<line x1="{_LEFT}" y1="{y(value):.1f}" x2="{_WIDTH - _RIGHT}" y2="{y(value):.1f}" stroke="currentColor" stroke-opacity=".12"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(value) + 3.5:.1f}" text-anchor="end">{_tick(value)}</text>')
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        'style="max-width:100%;font:10px system-ui,sans-serif" fill="currentColor">'
        f'<text x="{middle_x:.0f}" y="12" text-anchor="middle" font-size="11.5" font-weight="600">{escape(_cut(title, 44))}</text>{"".join(parts)}'
        f'<text x="{middle_x:.0f}" y="{_HEIGHT - 8}" text-anchor="middle" opacity=".75">{escape(_cut(labels[0], 44))}</text>'
        f'<text transform="translate(11 {middle_y:.0f}) rotate(-90)" text-anchor="middle" opacity=".75">{escape(_cut(labels[1], 40))}</text>'
        f"{marks}</svg>"
    )


def _tick(value: float) -> str:
    if value and abs(value) >= 10_000:
        for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:g}{unit}"
    return f"{value:g}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _without(label: str, name: str) -> str:
    """An axis label that fits every class."""
    return label.replace(f"“{name}”", "the class") if name else label


def _finite(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    """The points that can be drawn, no more than the eye can tell apart."""
    points = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x) and math.isfinite(y)]
    if len(points) <= _MOST_POINTS:
        return points
    step = (len(points) - 1) / (_MOST_POINTS - 1)
    return [points[round(at * step)] for at in range(_MOST_POINTS)]
