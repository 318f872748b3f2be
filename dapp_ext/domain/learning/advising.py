"""What a training would do, said before it starts: task, metric, validation, and the findings that columns alone show."""

from __future__ import annotations

import pyarrow as pa

from dapp_ext.domain.learning.disguised import check_disguised, mark
from dapp_ext.domain.learning.families import check_params
from dapp_ext.domain.learning.guards import check_columns
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.measures import measure
from dapp_ext.domain.learning.ordering import guard_groups, guard_time
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.staging import check_wishes, find_way
from dapp_ext.domain.learning.targets import read_target
from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Advice

WORDS = {"binary": "which of two it is", "multiclass": "which of several it is", "regression": "an amount"}


def advise(table: pa.Table, columns: list[Column], recipe: Recipe, all_rows: int | None = None) -> Advice:
    """Check a request against a table, or a sample of it, without learning anything.

    Parameters
    ----------
    table : pyarrow.Table
        All rows, or some of them: the counts of the checks are then those of the sample.
    all_rows : int, optional
        How many there are where the table is a sample.

    Raises
    ------
    TargetUnusable, ColumnUnknown, Invalid
        What would end the training at once: an unusable target, an unknown column, family, parameter or metric, a split
        that cannot be made.
    """
    columns = check_wishes(table, columns, recipe)
    table = mark(table, recipe.missing)
    target = read_target(next(c for c in columns if c.name == recipe.target), table.column(recipe.target), recipe.task)
    facts = measure(recipe.metric, target.task)
    check_params(recipe.params, Problem(target.task, len(target.labels), facts.name, 1, recipe.seed))
    rows = table.take(pa.array(target.rows)) if len(target.rows) < table.num_rows else table
    others = [c for c in columns if c.name != recipe.target]
    way = find_way(rows, others, target, recipe)
    checks = check_columns(rows, [c for c in others if c.name not in recipe.exclude], recipe)
    if not checks.kept:
        raise Invalid("No column is left to learn from. Exclude fewer columns, or use a table with more columns.")
    guards = [
        *checks.guards,
        guard_groups(rows, way.group, way.validation, target),
        guard_time(way.date, way.validation),
        check_disguised(rows, checks.kept, target.rows, recipe),
    ]
    columns_told = "one column" if len(checks.kept) == 1 else f"{len(checks.kept):,} columns"
    sentence = f"The model will say {WORDS[target.task]} from {columns_told} and "
    if all_rows is None or all_rows == table.num_rows:
        sentence += f"{len(target.rows):,} rows."
    else:
        known = round(len(target.rows) / table.num_rows * all_rows)
        sentence += f"about {known:,} rows. {table.num_rows:,} of all {all_rows:,} were looked at for this; the training looks at all of them."
    if not target.guess.certain:
        sentence += " Please look at this: it was guessed."
    return Advice(
        target=recipe.target,
        task=target.guess,
        metric=facts.name,
        metric_label=facts.label,
        validation=way.advised,
        guards=guards,
        sentence=sentence,
    )
