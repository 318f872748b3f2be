"""Checks of rows: duplicates, contradicting answers, missing targets, rare classes, imbalance, too few rows; and their cleaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dapp_ext.domain.learning.features import role_of
from dapp_ext.domain.learning.fixes import Asked, change_of, clean_rows
from dapp_ext.domain.learning.guards import guard, name_list
from dapp_ext.domain.learning.reading import as_moments, as_numbers, as_texts, one_array
from dapp_ext.domain.learning.splits import group_by_content
from dapp_ext.domain.learning.targets import Target, label_text
from dapp_ext.errors import TargetUnusable
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, GuardState

Array = npt.NDArray[Any]
RARE_ROWS = 10
FEW_ROWS = 500
# Below so many different rows, each of which comes that often, equal rows are what the columns are like and no copies.
FEW_CONTENTS, ROWS_OF_ONE = 50, 5
OTHER = "other"


@dataclass(frozen=True)
class RowChecks:
    """The target after cleaning, a number per row that equal rows share, which rows of the table are left, and the guards."""

    target: Target
    groups: Array
    kept: Array
    guards: list[Guard]


def check_rows(table: pa.Table, columns: list[Column], target: Target, asked: Asked) -> RowChecks:
    """Look at the rows, clean them as asked, and tell of both. ``table`` holds the rows whose target is known."""
    groups = group_by_content([_content(column, table.column(column.name)) for column in columns])
    if not len(groups):
        groups = np.arange(len(target.rows))
    cleaned, kept, done = _clean(target, groups, asked)
    groups = groups[kept]
    guards = [_missing_target(target), *done]
    codes = {g.code for g in done}
    seen = len(np.unique(groups))
    few = seen < FEW_CONTENTS and len(groups) > ROWS_OF_ONE * seen
    repeated = _few_contents(seen) if few else _duplicates(groups, cleaned, asked)
    found = [repeated, *_class_guards(groups, cleaned, asked), _few_rows(cleaned, asked)]
    return RowChecks(cleaned, np.arange(len(groups)) if few else groups, kept, guards + [g for g in found if g.code not in codes])


def _content(column: Column, values: pa.ChunkedArray) -> Array:
    role = role_of(column.kind, 0, 1, 0.0)
    if role == "category":
        return np.asarray(as_texts(values).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    if role == "moment":
        return np.asarray(as_moments(values)[0].cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    array = one_array(values)
    if pa.types.is_integer(array.type):
        return np.asarray(array.cast(pa.int64(), safe=False).fill_null(-(2**62)).to_numpy(zero_copy_only=False), dtype=np.int64)
    numbers = as_numbers(values)[0]
    return np.where(np.isnan(numbers), np.float32(-7.77e37), numbers + np.float32(0)).astype(np.float32).view(np.int32).astype(np.int64)


def _clean(target: Target, groups: Array, asked: Asked) -> tuple[Target, Array, list[Guard]]:
    """The target after the cleaning that was asked for, the places of the rows that are left, and a guard for each step."""
    kept, done = np.arange(len(target.rows)), []
    if "drop_conflicts" in asked.clean:
        torn = _torn(groups, target.y)
        if torn.any():
            sentence = f"{_rows(torn.sum())} equal in every column that differ in “{target.name}” were left out."
            done.append(guard("conflicting_labels", "done", "info", sentence, columns=[target.name], rows=target.rows[torn]))
            kept = kept[~torn]
    if "drop_duplicates" in asked.clean:
        again = _repeats(group_by_content([groups[kept], _as_codes(target.y[kept])]))
        if again.any():
            sentence = f"{_rows(again.sum())} that repeat an earlier one were left out."
            done.append(guard("duplicates", "done", "info", sentence, rows=target.rows[kept][again]))
            kept = kept[~again]
    target = replace(target, rows=target.rows[kept], y=target.y[kept])
    if target.labels and {"drop_rare", "merge_rare"} & set(asked.clean):
        target, left, told = _clean_rare(target, merge="merge_rare" in asked.clean)
        kept, done = kept[left], done + told
    return target, kept, done


def _clean_rare(target: Target, merge: bool) -> tuple[Target, Array, list[Guard]]:
    counts = np.bincount(target.y, minlength=len(target.labels))
    rare = counts < RARE_ROWS
    everything = np.arange(len(target.y))
    if not rare.any():
        return target, everything, []
    names = name_list([label_text(v) for v, r in zip(target.labels, rare, strict=True) if r])
    hit = rare[target.y]
    if merge:
        if not isinstance(target.labels[0], str):
            raise TargetUnusable(f"The rare values of “{target.name}” are numbers and cannot be put together under a name. Leave their rows out instead.")
        labels = [*(v for v, r in zip(target.labels, rare, strict=True) if not r), OTHER]
        new = np.where(rare, len(labels) - 1, np.cumsum(~rare) - 1)
        sentence = f"{names} in “{target.name}” were put together as “{OTHER}” ({_rows(hit.sum())})."
        told = guard("rare_classes", "done", "info", sentence, columns=[target.name], rows=target.rows[hit])
        return replace(target, y=new[target.y], labels=labels, task="multiclass" if len(labels) > 2 else "binary"), everything, [told]
    labels = [v for v, r in zip(target.labels, rare, strict=True) if not r]
    if len(labels) < 2:
        raise TargetUnusable(f"Without its rare values “{target.name}” has fewer than two values left, so there is nothing to predict. Choose another column.")
    new = np.cumsum(~rare) - 1
    sentence = f"{_rows(hit.sum())} with {names} in “{target.name}” were left out; the model will never answer with them."
    told = guard("rare_classes", "done", "info", sentence, columns=[target.name], rows=target.rows[hit])
    task = target.task if len(labels) > 2 else "binary"
    return replace(target, rows=target.rows[~hit], y=new[target.y[~hit]], labels=labels, task=task), everything[~hit], [told]


def _rows(n: Any) -> str:
    return "1 row" if n == 1 else f"{int(n):,} rows"


def _as_codes(y: Array) -> Array:
    return y if y.dtype == np.int64 else y.astype(np.float64).view(np.int64)


def _missing_target(target: Target) -> Guard:
    n = len(target.missing)
    if not n:
        return guard("missing_target", "passed", "info", f"Every row has a value in “{target.name}”.")
    share = n / (n + len(target.rows))
    rows = "1 row has" if n == 1 else f"{n:,} rows have"
    sentence = f"{rows} no value in “{target.name}” and {'was' if n == 1 else 'were'} left out. The trained model can predict them."
    return guard("missing_target", "done", "warning" if share > 0.2 else "info", sentence, columns=[target.name], rows=target.missing)


def _repeats(groups: Array) -> Array:
    """Whether each row repeats an earlier one."""
    _, first = np.unique(groups, return_index=True)
    again = np.ones(len(groups), dtype=bool)
    again[first] = False
    return again


def _duplicates(groups: Array, target: Target, asked: Asked) -> Guard:
    again = _repeats(groups)
    n = int(again.sum())
    if not n:
        return guard("duplicates", "passed", "info", "No row repeats another one.")
    share = n / len(groups)
    what = "1 row repeats an earlier one (a duplicate)" if n == 1 else f"{n:,} rows repeat earlier ones (duplicates)"
    sentence = f"{what} in everything that the model sees. Equal rows were kept on the same side, so the model is never tested on a row it has learned."
    fixes = [clean_rows(asked, "drop_duplicates")]
    return guard("duplicates", "done", "warning" if share > 0.1 else "info", sentence, rows=target.rows[again], fixes=fixes)


def _few_contents(seen: int) -> Guard:
    sentence = (
        f"The columns have so few values that there are only {seen} different rows; each comes many times. "
        "So equal rows are on both sides of the split, as they will be when the model is used."
    )
    return guard("duplicates", "passed", "info", sentence)


def _class_guards(groups: Array, target: Target, asked: Asked) -> list[Guard]:
    if target.task == "regression":
        return [_conflicts(groups, target, asked)]
    counts = np.bincount(target.y, minlength=len(target.labels))
    return [_conflicts(groups, target, asked), _rare(counts, target, asked), _imbalance(counts, target)]


def _torn(groups: Array, y: Array) -> Array:
    """Rows that are equal to another one in everything but the target."""
    seen, inverse = np.unique(groups, return_inverse=True)
    low, high = np.full(len(seen), np.inf), np.full(len(seen), -np.inf)
    np.minimum.at(low, inverse, y)
    np.maximum.at(high, inverse, y)
    return np.asarray((low != high)[inverse])


def _conflicts(groups: Array, target: Target, asked: Asked) -> Guard:
    torn = _torn(groups, target.y)
    n = int(torn.sum())
    if not n:
        return guard("conflicting_labels", "passed", "info", "Rows that are equal have equal answers.")
    share = n / len(groups)
    state: GuardState = "alerted" if share > 0.01 else "done"
    sentence = f"{n:,} rows are equal in every column but differ in “{target.name}”; no model can tell them apart."
    where = {"columns": [target.name], "rows": target.rows[torn], "fixes": [clean_rows(asked, "drop_conflicts")] if n < len(groups) / 2 else []}
    return guard("conflicting_labels", state, "warning" if share > 0.01 else "info", sentence, **where)


def _rare(counts: Array, target: Target, asked: Asked) -> Guard:
    rare = np.flatnonzero(counts < RARE_ROWS)
    if not len(rare):
        return guard("rare_classes", "passed", "info", f"Every value of “{target.name}” occurs at least {RARE_ROWS} times.")
    names = [(target.classes or [])[i] for i in rare]
    sentence = f"{name_list(names)} {'occurs' if len(rare) == 1 else 'occur'} fewer than {RARE_ROWS} times in “{target.name}”: too few to learn or to check."
    common = len(counts) - len(rare)
    fixes = [clean_rows(asked, "merge_rare")] if len(rare) > 1 and common and isinstance(target.labels[0], str) else []
    fixes += [clean_rows(asked, "drop_rare")] if common > 1 else []
    rows = target.rows[np.isin(target.y, rare)]
    return guard("rare_classes", "alerted", "warning", sentence, columns=[target.name], rows=rows, fixes=fixes)


def _imbalance(counts: Array, target: Target) -> Guard:
    share = counts.min() / counts.sum()
    name = (target.classes or [])[int(counts.argmin())]
    if share >= 0.2 or (target.task == "multiclass" and share >= 0.4 / len(counts)):
        return guard("imbalance", "passed", "info", f"All values of “{target.name}” are common enough.")
    percent = f"{100 * share:.1f}".removesuffix(".0") if share < 0.1 else f"{100 * share:.0f}"
    often = (target.classes or [])[int(counts.argmax())]
    sentence = (
        f"Only {percent}% of the rows are “{name}”. The share of right answers says little here: "
        f"always saying “{often}” would be right in {100 * counts.max() / counts.sum():.0f}% of the rows."
    )
    metric = ("average_precision", "average precision") if target.task == "binary" else ("macro_f1", "macro F1, where every value counts alike")
    fixes = [change_of("set_metric", f"Search by {metric[1]}", metric=metric[0])]
    rows = target.rows[target.y == int(counts.argmin())]
    return guard("imbalance", "alerted", "warning" if share < 0.05 else "info", sentence, columns=[target.name], rows=rows, fixes=fixes)


def _few_rows(target: Target, asked: Asked) -> Guard:
    n = len(target.rows)
    if n >= FEW_ROWS:
        return guard("few_rows", "passed", "info", f"{n:,} rows are enough to learn from and to check on.")
    fixes = [] if getattr(asked, "families", None) == ["linear"] else [change_of("simple_models", "Keep to the simplest models", families=["linear"])]
    sentence = f"There are only {n} rows, so every score is uncertain. Look at the intervals, and add rows if you can."
    return guard("few_rows", "alerted", "warning", sentence, fixes=fixes)
