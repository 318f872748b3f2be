"""How the model answers to its columns: dependence on one column over rows, and the reasons of one row's answer.

Both only ask the model, so they hold for any learner and any blend. Dependence is Friedman's (2001) with single rows
(Goldstein et al. 2015). Reasons are sampled Shapley values (Štrumbelj and Kononenko 2014): columns are set to those of
typical rows in random order, and each column is charged with the change that it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.learning.clock import Allowance
from dapp_ext.domain.learning.features import Encoded, Place, TableEncoder
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.domain.learning.targets import label_text
from dapp_ext.errors import RowsMismatch
from dapp_ext.schema.models import Dependence, Reason, Reasons

Array = npt.NDArray[Any]
ROWS, LINES, STEPS = 200, 20, 12
ORDERS, MOST_COLUMNS, BACKGROUND = 12, 40, 30


@dataclass(frozen=True)
class Asked:
    """A model as a function of encoded rows, and the class (by its code) or amount that is looked at."""

    encoder: TableEncoder
    outputs: Callable[[Encoded], Array]
    classes: Sequence[str]
    looked_at: int

    def answer(self, X: Encoded) -> Array:
        """Probability of the class, or the amount, for each row."""
        out = self.outputs(X)
        return out[:, self.looked_at] if self.classes else out

    @property
    def label(self) -> str:
        """What the numbers are."""
        return f"Probability of “{self.classes[self.looked_at]}”" if self.classes else "Predicted amount"


def dependences(asked: Asked, X: Encoded, names: Sequence[str], allowance: Allowance) -> list[Dependence]:
    """Partial dependence of the first columns named that numbers or categories are in, while time is left."""
    rows = X.take(np.sort(np.random.default_rng(8).permutation(len(X))[:ROWS]))
    made: list[Dependence] = []
    for name in names:
        place = asked.encoder.places[name]
        step = next(s for s in asked.encoder.plan_ if s["name"] == name)
        if place.array == "texts" or step["role"] == "moment":
            continue
        if made and allowance.over():
            break
        values, shown = _grid(getattr(rows, place.array)[:, place.columns[0]], step)
        if len(values) < 2:
            continue
        lines = asked.answer(Encoded.joined([_moved(rows, place, value) for value in values])).reshape(len(values), len(rows)).T
        made.append(
            Dependence(
                column=name,
                values=shown,
                mean=[_short(v) for v in lines.mean(axis=0)],
                rows=[[_short(v) for v in line] for line in lines[:LINES]],
                label=asked.label,
            )
        )
    return made


def _moved(rows: Encoded, place: Place, value: Any) -> Encoded:
    moved = getattr(rows, place.array).copy()
    moved[:, place.columns[0]] = value
    return replace(rows, **{place.array: moved})


def _short(value: Any) -> float:
    return float(f"{float(value):.6g}")


def _grid(column: Array, step: dict[str, Any]) -> tuple[Array, list[Any]]:
    if step["role"] == "category":
        counts = np.bincount(column[column >= 0], minlength=1)
        common = np.sort(np.argsort(-counts, kind="stable")[: min(STEPS, int((counts > 0).sum()))])
        return common.astype(np.int32), [step["values"][i] for i in common]
    known = column[~np.isnan(column)]
    if not len(known):
        return np.empty(0), []
    distinct = np.unique(known)
    grid = distinct if len(distinct) <= STEPS else np.unique(np.quantile(known, np.linspace(0.02, 0.98, STEPS)))
    return grid.astype(np.float32), [_short(v) for v in grid]


def reasons(predictor: Predictor, row: pa.Table, background: Encoded, seed: int = 0) -> Reasons:
    """Why the model says what it says about one row.

    Parameters
    ----------
    row : pyarrow.Table
        One row with the columns that the model uses; what is missing counts as missing.
    background : Encoded
        Typical rows, such as :attr:`Predictor.background`.
    """
    if row.num_rows != 1:
        raise RowsMismatch("Reasons are given for one row at a time.")
    one = predictor.encoder.transform(row)
    out = predictor.outputs(one)
    classes = predictor.classes or []
    looked_at = 0 if not classes else (1 if len(classes) == 2 else int(out[0].argmax()))
    asked = Asked(predictor.encoder, predictor.outputs, classes, looked_at)
    typical = background.take(np.sort(np.random.default_rng([seed, 71]).permutation(len(background))[:BACKGROUND]))
    sampler = Sampler(asked.answer, lambda rows, name: _set(rows, one, asked, [name]), _stack, lambda rows, count: rows.take(np.arange(count)))
    return told(sampler, typical, list(predictor.encoder.places), Told(row, asked.label, float(asked.answer(one)[0]), seed))


@dataclass(frozen=True)
class Sampler:
    """A model to be asked about rows of any form.

    ``answer`` gives a number for each row; ``swap`` sets one column of all rows to that of the row that is explained;
    ``stack`` puts several such rows under one another, ``take`` gives the first few.
    """

    answer: Callable[[Any], Array]
    swap: Callable[[Any, str], Any]
    stack: Callable[[list[Any]], Any]
    take: Callable[[Any, int], Any]


@dataclass(frozen=True)
class Told:
    """The row as it was given, what the answer is, and how much it is."""

    row: pa.Table
    label: str
    output: float
    seed: int = 0


def told(sampler: Sampler, typical: Any, names: list[str], about: Told) -> Reasons:
    """Reasons from a sampler; ``typical`` are some rows, at least five where there are many columns."""
    names = _movers(sampler, typical, names)
    effects, base = _sampled(sampler, typical, names, np.random.default_rng([about.seed, 72]))
    given = {n: _plain(about.row.column(n)[0].as_py()) for n in names if n in about.row.column_names}
    made = [Reason(column=n, value=given.get(n), effect=_short(e)) for n, e in zip(names, effects, strict=True)]
    made.sort(key=lambda r: (-abs(r.effect), r.column))
    method = f"Shapley values sampled over {ORDERS} orders of the columns, against {len(typical)} typical rows."
    return Reasons(base=_short(base), output=_short(about.output), label=about.label, reasons=made, method=method)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else label_text(value)


def _set(rows: Encoded, other: Encoded, asked: Asked, names: Sequence[str]) -> Encoded:
    """Rows with these columns taken from the other ones (one row, or as many)."""
    arrays = {k: getattr(rows, k).copy() for k in ("numbers", "codes", "texts")}
    for name in names:
        place = asked.encoder.places[name]
        arrays[place.array][:, place.columns] = getattr(other, place.array)[:, place.columns]
    return Encoded(**arrays)


def _stack(parts: list[Encoded]) -> Encoded:
    return Encoded(*(np.concatenate([getattr(part, k) for part in parts]) for k in ("numbers", "codes", "texts")))


def _movers(sampler: Sampler, typical: Any, names: list[str]) -> list[str]:
    """The columns worth sampling: of many, those that move the answer most when they alone are set."""
    if len(names) <= MOST_COLUMNS:
        return names
    few = sampler.take(typical, min(len(typical), 5))
    base = sampler.answer(few)
    moved = {n: float(np.abs(sampler.answer(sampler.swap(few, n)) - base).mean()) for n in names}
    return sorted(names, key=lambda n: -moved[n])[:MOST_COLUMNS]


def _sampled(sampler: Sampler, typical: Any, names: list[str], rng: np.random.Generator) -> tuple[Array, float]:
    """Effects of the columns. The model is asked once for each order, about all its steps together."""
    effects = np.zeros(len(names))
    base = float(sampler.answer(typical).mean())
    for turn in range(ORDERS):
        order = rng.permutation(len(names))
        if turn % 2:
            order = order[::-1]
        now, steps = typical, []
        for i in order:
            now = sampler.swap(now, names[i])
            steps.append(now)
        means = sampler.answer(sampler.stack(steps)).reshape(len(order), -1).mean(axis=1)
        effects[order] += np.diff(means, prepend=base)
    return effects / ORDERS, base
