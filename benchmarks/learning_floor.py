"""The learning engine against reference scores: each family's first settings, and the whole search, on one fixed split.

Usage::

    python benchmarks/learning_floor.py FOLDER [--only NAME ...] [--families linear lightgbm forest] [--search SECONDS] [--threads N]

FOLDER holds tables, a manifest ``tables.json`` (a list ``tables`` of objects with name, file, format, read, dates, target,
task, metric, positive, drop) and, if there are any, ``reference_scores.json`` (``tables`` → name → ``models`` → metric).
The split is ``train_test_split(test_size=0.25, random_state=0)`` of the rows whose target is known, stratified by class.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as a worker does, before the libraries load

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.domain.learning.adjusting import long_tailed
from dapp_ext.domain.learning.blending import as_pipeline, choose_blend, pipeline_outputs
from dapp_ext.domain.learning.clock import Clock
from dapp_ext.domain.learning.families import KINDS, Shape
from dapp_ext.domain.learning.features import TableEncoder
from dapp_ext.domain.learning.fitting import Finals, final_seconds
from dapp_ext.domain.learning.guards import check_columns
from dapp_ext.domain.learning.learners import Problem
from dapp_ext.domain.learning.measures import MEASURES, default_metric
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.domain.learning.recipe import Recipe
from dapp_ext.domain.learning.search import Ground, Search
from dapp_ext.domain.learning.sizing import plan_search
from dapp_ext.domain.learning.splits import Rows, cross_folds, sample_rows
from dapp_ext.domain.learning.targets import read_target
from dapp_ext.schema.datasets import Column

SMALL = 1000
REFERENCES = {
    "linear": ("logistic_regression", "ridge"),
    "lightgbm": ("hist_gradient_boosting",),
    "forest": ("random_forest",),
}
SHOWN = {
    "binary": ("roc_auc", "average_precision", "log_loss", "accuracy"),
    "multiclass": ("log_loss", "accuracy", "macro_f1"),
    "regression": ("r2", "rmse", "mae"),
}


def read(entry: dict[str, Any], folder: Path) -> tuple[pa.Table, list[Column]]:
    """The table of a manifest entry, with the kinds of its columns."""
    path, options = folder / entry["file"], dict(entry.get("read", {}))
    readers = {
        "csv": lambda: pd.read_csv(path, low_memory=False, **options),
        "xlsx": lambda: pd.read_excel(path, engine="openpyxl", **options),
        "parquet": lambda: pd.read_parquet(path),
        "json": lambda: pd.read_json(path, orient="records"),
        "jsonl": lambda: pd.read_json(path, orient="records", lines=True),
    }
    frame = readers[entry["format"]]()
    for column, form in entry.get("dates", {}).items():
        frame[column] = pd.to_datetime(frame[column], format=form or None)
    frame = frame[frame[entry["target"]].notna()].reset_index(drop=True).drop(columns=entry.get("drop", []))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table, [Column(name=f.name, kind=kind_of(f.type)) for f in table.schema]


def kind_of(kind: pa.DataType) -> Any:
    """The kind of an Arrow type."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "decimal"
    return "datetime" if pa.types.is_timestamp(kind) else "category"


class Bench:
    """One table, split and encoded."""

    def __init__(self, entry: dict[str, Any], folder: Path, threads: int) -> None:
        table, columns = read(entry, folder)
        target_column = next(c for c in columns if c.name == entry["target"])
        self.target = read_target(target_column, table.column(entry["target"]), entry["task"])
        checks = check_columns(table, [c for c in columns if c.name != entry["target"]])
        classes = len(self.target.labels)
        train, test = train_test_split(np.arange(table.num_rows), test_size=0.25, random_state=0, stratify=self.target.y if classes else None)
        self.problem = Problem(self.target.task, classes, default_metric(self.target.task), threads, 0, not classes and long_tailed(self.target.y))
        self.encoder = TableEncoder(checks.kept)
        self.X = self.encoder.fit_transform(table.take(pa.array(train)))
        self.X_test = self.encoder.transform(table.take(pa.array(test)))
        self.y, self.y_test = self.target.y[train], self.target.y[test]
        strata = self.y if classes else np.zeros(len(self.y), dtype=np.int64)
        self.rows = Rows(strata, np.arange(len(self.y)))

    def first_settings(self, family: Any) -> int:
        """How many settings a family starts with: on small tables all of them, where they cost nothing, else the first."""
        rows = len(self.y)
        return len(KINDS[family].firsts(self.problem, Shape(rows, self.X.shape[1]))) if rows < SMALL else 1

    def run(self, families: list[Any], budget: float, trials: int | None) -> tuple[dict[str, float], float, str]:
        """Scores on the test part after a search, its seconds, and what won."""
        clock = Clock(budget, lambda: False)
        plan = plan_search(self.X, self.problem, Recipe(target=self.target.name, time_budget=budget, threads=self.problem.threads), False)
        chosen = sample_rows(self.rows, plan.rows, 0)
        folds = cross_folds(self.rows.take(chosen), plan.folds, plan.repeats, 0)
        search = Search(Ground(self.X.take(chosen), self.y[chosen], folds, self.problem), clock, lambda trial: None, {}, families)
        search.run(trials, lambda best: plan.explain_seconds + (final_seconds(best, plan, len(self.y)) if best else 0.0))
        plan = plan.with_folds(len(search.ground.folds))
        blend = choose_blend(search.checked, search.ground.y, self.problem)
        final = Finals(self.X, self.y, self.rows, self.problem, plan, clock).fit(search.best(), blend, search)
        seconds = clock.spent()
        pipeline = as_pipeline(self.encoder, final.members, final.weights, self.problem.classes)
        out = pipeline_outputs(pipeline, self.X_test, self.problem.classes)
        truth = Truth(self.problem.task, self.y_test, out)
        tried = f"{final.trial.label}, {len(search.checked)} tried, {plan.folds}x{plan.repeats} folds of {plan.rows}, cv {final.trial.score:.5g}"
        return {name: score_of(name, truth) for name in SHOWN[self.problem.task]}, seconds, tried


def line(name: str, what: str, scores: dict[str, float], wanted: dict[str, float], metric: str) -> str:
    """One line of the printed table; the mark says whether the headline metric reaches the wanted value within 1 %."""
    cells = [f"{m} {v:.4g}" + (f" ({wanted[m]:.4g})" if m in wanted else "") for m, v in scores.items()]
    mark = ""
    if metric in wanted:
        reached = scores[metric] >= 0.99 * wanted[metric] if MEASURES[metric].greater_is_better else scores[metric] <= 1.01 * wanted[metric]
        mark = "ok  " if reached else "LOW "
    return f"{mark:4} {name:13} {what:9} {'  '.join(cells)}"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--families", nargs="*", default=list(REFERENCES))
    parser.add_argument("--search", type=float, help="also search for so many seconds with all families")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    entries = json.loads((given.folder / "tables.json").read_text())["tables"]
    scores_file = given.folder / "reference_scores.json"
    known = json.loads(scores_file.read_text())["tables"] if scores_file.exists() else {}
    for entry in entries:
        if entry["task"] == "timeseries" or (given.only and entry["name"] not in given.only):
            continue
        bench = Bench(entry, given.folder, given.threads)
        models = known.get(entry["name"], {}).get("models", {})
        for family in given.families:
            scores, seconds, tried = bench.run([family], 1800.0, bench.first_settings(family))
            wanted = next((models[n] for n in REFERENCES[family] if n in models), {})
            print(line(entry["name"], family, scores, wanted, entry["metric"]), f"| {seconds:.1f} s | {tried}", flush=True)
        if given.search:
            started = time.monotonic()
            scores, seconds, tried = bench.run(list(KINDS), given.search, None)
            best = known.get(entry["name"], {}).get("best", {})
            print(line(entry["name"], "search", scores, {best["metric"]: best["score"]} if best else {}, entry["metric"]), end=" ")
            print(f"| {time.monotonic() - started:.1f} s | {tried}", flush=True)


if __name__ == "__main__":
    main()
