"""What is in a dataset, for people: each column in a line, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dapp_ext.client.drawing import BLUE, Html, amount, badge, card, escape, labelled, number, paragraph, section, table, text_table
from dapp_ext.schema.datasets import ColumnProfile, Finding, Histogram, Profile

if TYPE_CHECKING:
    import pandas as pd

_TONES = {"info": "calm", "warning": "warn", "alert": "bad"}
_HEADERS = ("column", "kind", "missing", "distinct", "typical", "")


class DatasetProfile:
    """The health report of a dataset: ``findings`` to know about, and each column's figures.

    Parameters
    ----------
    name : str
        The dataset's name, for the heading.
    read : Profile
        The report as it came over the wire.
    units : mapping, optional
        What the numbers of a column are counted in, such as ``€``, by its name.
    """

    def __init__(self, name: str, read: Profile, units: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.read = read
        self.units = dict(units or {})

    @property
    def rows(self) -> int:
        return self.read.rows

    @property
    def columns(self) -> list[ColumnProfile]:
        """One profile for each column, in their order."""
        return self.read.columns

    @property
    def findings(self) -> list[Finding]:
        """What a person should know, each with a sentence and the rows that show it."""
        return self.read.findings

    @property
    def likely_target(self) -> str | None:
        return self.read.likely_target

    def to_frame(self) -> pd.DataFrame:
        """One row for each column: kind, missing, distinct, minimum, maximum, mean, standard deviation, quantiles."""
        import pandas as pd

        plain = ("kind", "missing", "distinct", "minimum", "maximum", "mean", "std")
        rows = [{name: getattr(each, name) for name in plain} | {f"q{key}": value for key, value in each.quantiles.items()} for each in self.read.columns]
        return pd.DataFrame(rows, index=pd.Index([each.name for each in self.read.columns], name="column"))

    def _lines(self) -> list[tuple[object, ...]]:
        rows = max(self.read.rows, 1)
        return [
            (
                labelled(each.name, self.units.get(each.name)),
                each.kind,
                f"{each.missing / rows:.1%}" if each.missing else "",
                f"{'' if each.distinct_exact else '≈ '}{each.distinct:,}",
                _typical(each),
            )
            for each in self.read.columns
        ]

    def __repr__(self) -> str:
        lines = [f"Profile of {self.name!r}: {amount(self.rows, 'row')}, {amount(len(self.columns), 'column')}"]
        lines += [f"- {finding.sentence}" for finding in self.findings]
        return "\n".join([*lines, text_table(_HEADERS[:5], self._lines(), numeric=(2, 3))])

    def _repr_html_(self) -> str:
        drawn = [(*line, Html(_spark(each.histogram)) if each.histogram else "") for line, each in zip(self._lines(), self.columns, strict=True)]
        known = "".join(f"<p>{badge(each.severity, _TONES[each.severity])} {escape(each.sentence)}</p>" for each in self.findings)
        return card(
            f"Profile of {self.name}",
            paragraph(f"{amount(self.rows, 'row')} × {amount(len(self.columns), 'column')}", "soft"),
            section("Worth knowing", known) if known else "",
            section("Columns", table(_HEADERS, drawn, numeric=(2, 3))),
        )


def _typical(column: ColumnProfile) -> str:
    if column.top and column.kind in ("category", "text", "boolean"):
        named = (each.value.capitalize() if column.kind == "boolean" else each.value for each in column.top)
        return ", ".join(f"{name} ({each.count:,})" for name, each in zip(named, column.top[:3], strict=False))
    if column.mean is not None:
        return f"{number(column.minimum)} … {number(column.maximum)}, mean {number(column.mean)}"
    if column.minimum is not None:
        return f"{number(column.minimum)} … {number(column.maximum)}"
    return ""


def _spark(histogram: Histogram) -> str:
    most = max(histogram.counts, default=0)
    if not most:
        return ""
    width = 100 / len(histogram.counts)
    bars = "".join(
        f'<rect x="{at * width:.1f}" y="{22 - 20 * count / most:.1f}" width="{max(width - 0.6, 0.6):.1f}" height="{20 * count / most:.1f}" fill="{BLUE}"/>'
        for at, count in enumerate(histogram.counts)
    )
    return f'<svg role="img" aria-label="distribution" width="100" height="22" viewBox="0 0 100 22">{bars}</svg>'
