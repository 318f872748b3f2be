"""Score at a time budget against other AutoML tools: the same rows, the same budget, the same cores, one table with mean ranks.

Usage::

    python benchmarks/automl.py [--folder FOLDER] [--only NAME ...] [--seconds 60] [--threads 2] [--peers PYTHON | TOOL=PYTHON ...] [--tools NAME ...]

FOLDER holds tables with a manifest (see learning_floor.py); without it, tables that scikit-learn makes are used. PYTHON is
the interpreter of an environment of its own with the peers in it (``flaml[automl]``, ``autogluon.tabular``,
``mljar-supervised``, ``h2o``; each is optional), or one for each where they do not go together: each of them runs in a
process of its own. LightGBM with its defaults and scikit-learn's HistGradientBoosting run from here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as a worker does, before the libraries load

import numpy as np
import pandas as pd
import pyarrow as pa
from learning_floor import kind_of, read
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.domain.learning.measures import MEASURES
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.domain.learning.recipe import Wishes
from dapp_ext.schema.datasets import Column

METRICS = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


class Quiet:
    """A watch that only counts."""

    def __init__(self) -> None:
        self.trials = 0

    def began(self, task: str, metric: str) -> None: ...
    def guards(self, guards: list[Any]) -> None: ...
    def progress(self, fraction: float, message: str) -> None: ...
    def should_stop(self) -> bool:
        return False

    def wishes(self) -> Wishes:
        return Wishes()

    def trial(self, trial: Any, seconds_left: float | None) -> None:
        self.trials += 1


def made_tables() -> dict[str, tuple[pd.DataFrame, str]]:
    """Tables of scikit-learn: name → (frame, target)."""
    from sklearn import datasets

    tables: dict[str, tuple[pd.DataFrame, str]] = {}
    for name, load in (("cancer", datasets.load_breast_cancer), ("wine", datasets.load_wine), ("diabetes", datasets.load_diabetes)):
        data = load()
        frame = pd.DataFrame(data.data, columns=[f"x{i}" for i in range(data.data.shape[1])])
        frame["y"] = data.target if name == "diabetes" else [f"c{v}" for v in data.target]
        tables[name] = (frame, "y")
    X, y = datasets.make_classification(8000, 30, n_informative=12, n_redundant=6, n_classes=3, flip_y=0.05, random_state=1)
    tables["made_classes"] = (pd.DataFrame(X).add_prefix("x").assign(y=[f"c{v}" for v in y]), "y")
    X, y = datasets.make_friedman1(8000, 20, noise=1.0, random_state=1)
    tables["made_numbers"] = (pd.DataFrame(X).add_prefix("x").assign(y=y), "y")
    return tables


def real_tables(folder: Path, only: list[str] | None) -> dict[str, tuple[pd.DataFrame, str]]:
    """The tables of a manifest, without time series."""
    entries = json.loads((folder / "tables.json").read_text())["tables"]
    wanted = [e for e in entries if e["task"] != "timeseries" and (not only or e["name"] in only)]
    return {e["name"]: (read(e, folder)[0].to_pandas(), e["target"]) for e in wanted}


class Case:
    """One table, divided: what is learned from, what is tested on, and the truth as codes or values."""

    def __init__(self, frame: pd.DataFrame, target: str) -> None:
        frame = frame[frame[target].notna()].reset_index(drop=True)
        words = not pd.api.types.is_numeric_dtype(frame[target])
        self.task = ("binary" if frame[target].nunique() == 2 else "multiclass") if words else "regression"
        if words:
            frame[target] = frame[target].astype(str)
        self.target = target
        self.train, self.test = train_test_split(frame, test_size=0.25, random_state=0, stratify=frame[target] if words else None)
        self.classes = sorted(frame[target].unique()) if words else []
        self.y = np.asarray([self.classes.index(v) for v in self.test[target]]) if words else self.test[target].to_numpy(dtype=float)

    def score(self, out: np.ndarray) -> float:
        """The headline metric of outputs: probabilities in the order of the sorted classes, or values."""
        return score_of(METRICS[self.task], Truth(self.task, self.y, out))  # type: ignore[arg-type]


def ours(case: Case, seconds: float, threads: int) -> tuple[np.ndarray, str]:
    """The learning engine. Its own locked test part is taken from the rows that the others learn from."""
    table = pa.Table.from_pandas(case.train, preserve_index=False)
    columns = [Column(name=f.name, kind=kind_of(f.type)) for f in table.schema]
    watch = Quiet()
    recipe = Recipe(target=case.target, task=case.task, time_budget=seconds, threads=threads, allow=list(case.train.columns))  # type: ignore[arg-type]
    trained = train(table, columns, recipe, watch)
    answers = trained.predictor.predict(pa.Table.from_pandas(case.test.drop(columns=[case.target]), preserve_index=False))[0]
    if case.task == "regression":
        return answers["prediction"].to_numpy(), f"{watch.trials} trials, {trained.facts['best'].label}"
    return np.column_stack([answers[f"probability_{c}"].to_numpy() for c in case.classes]), f"{watch.trials} trials, {trained.facts['best'].label}"


def _coded(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    both = pd.concat([case.train, case.test]).drop(columns=[case.target])
    made = {}
    for name, column in both.items():
        if pd.api.types.is_datetime64_any_dtype(column):
            for part in ("year", "month", "day", "dayofweek", "hour"):
                made[f"{name}_{part}"] = getattr(column.dt, part).astype(float)
        elif pd.api.types.is_numeric_dtype(column):
            made[str(name)] = column.astype(float)
        else:
            made[str(name)] = column.astype(str).astype("category")
    coded = pd.DataFrame(made)
    coded.columns = [f"f{i}" for i in range(coded.shape[1])]
    return coded.iloc[: len(case.train)], coded.iloc[len(case.train) :]


def lightgbm_defaults(case: Case, seconds: float, threads: int) -> tuple[np.ndarray, str]:
    """LightGBM as it comes."""
    import lightgbm

    learned, tested = _coded(case)
    kind = lightgbm.LGBMRegressor if case.task == "regression" else lightgbm.LGBMClassifier
    model = kind(n_jobs=threads, verbosity=-1).fit(learned, case.train[case.target])
    return (model.predict(tested) if case.task == "regression" else model.predict_proba(tested)), ""


def hist_gradient_boosting(case: Case, seconds: float, threads: int) -> tuple[np.ndarray, str]:
    """scikit-learn's boosting as it comes, categories with few values native."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    learned, tested = _coded(case)
    for name in learned.columns:
        if isinstance(learned[name].dtype, pd.CategoricalDtype) and learned[name].nunique() > 250:
            learned, tested = learned.assign(**{name: learned[name].cat.codes}), tested.assign(**{name: tested[name].cat.codes})
    kind = HistGradientBoostingRegressor if case.task == "regression" else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=0).fit(learned, case.train[case.target])
    return (model.predict(tested) if case.task == "regression" else model.predict_proba(tested)), ""


PEER = """
import json, sys, time, numpy as np, pandas as pd
tool, folder, target, task, seconds, threads = sys.argv[1:7]
seconds, threads = float(seconds), int(threads)
train, test = pd.read_parquet(f"{folder}/train.parquet"), pd.read_parquet(f"{folder}/test.parquet")
classes = sorted(train[target].astype(str).unique()) if task != "regression" else []
X, y = train.drop(columns=[target]), train[target]
if tool == "flaml":
    from flaml import AutoML
    model = AutoML()
    model.fit(X, y, task="regression" if task == "regression" else "classification", time_budget=seconds, n_jobs=threads, seed=0, verbose=0,
              metric="rmse" if task == "regression" else "log_loss")
    out = model.predict(test) if not classes else model.predict_proba(test)
    order = [str(c) for c in model.classes_] if classes else []
elif tool == "autogluon":
    from autogluon.tabular import TabularPredictor
    kind = {"regression": "regression", "binary": "binary", "multiclass": "multiclass"}[task]
    model = TabularPredictor(target, problem_type=kind, eval_metric="rmse" if task == "regression" else "log_loss", path=folder + "/ag", verbosity=0)
    model.fit(train, time_limit=seconds, num_cpus=threads)
    out = model.predict(test).to_numpy() if not classes else model.predict_proba(test)
    order = [str(c) for c in out.columns] if classes else []
elif tool == "mljar":
    from supervised.automl import AutoML
    model = AutoML(total_time_limit=int(seconds), n_jobs=threads, results_path=folder + "/mljar", verbose=0, mode="Compete",
                   eval_metric="rmse" if task == "regression" else "logloss")
    model.fit(X, y)
    out = model.predict(test) if not classes else model.predict_proba(test)
    order = classes
elif tool == "h2o":
    import h2o
    from h2o.automl import H2OAutoML
    h2o.init(nthreads=threads, bind_to_localhost=True)
    frame, held = h2o.H2OFrame(train), h2o.H2OFrame(test)
    if classes:
        frame[target] = frame[target].asfactor()
    model = H2OAutoML(max_runtime_secs=int(seconds), seed=0)
    model.train(y=target, training_frame=frame)
    told = model.predict(held).as_data_frame()
    out = told["predict"].to_numpy() if not classes else told.drop(columns=["predict"]).to_numpy()
    order = [c for c in told.columns if c != "predict"] if classes else []
out = np.asarray(out, dtype=float)
if classes:
    out = out[:, [order.index(c) for c in classes]]
np.save(f"{folder}/out.npy", out)
"""


def peer(tool: str, python: str) -> Callable[[Case, float, int], tuple[np.ndarray, str]]:
    """A tool in an environment of its own."""

    def run(case: Case, seconds: float, threads: int) -> tuple[np.ndarray, str]:
        with tempfile.TemporaryDirectory() as folder:
            case.train.to_parquet(f"{folder}/train.parquet")
            case.test.drop(columns=[case.target]).to_parquet(f"{folder}/test.parquet")
            theirs = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
            order = [python, "-c", PEER, tool, folder, case.target, case.task, str(seconds), str(threads)]
            done = subprocess.run(order, env=theirs, capture_output=True, text=True, timeout=seconds * 5 + 300, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{tool} ended with {done.returncode}")
            return np.load(f"{folder}/out.npy"), ""

    return run


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", nargs="*", default=[], help="the Python of an environment with the peers in it, or TOOL=PYTHON for each")
    parser.add_argument("--tools", nargs="*", default=["flaml", "autogluon", "mljar", "h2o"])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    runners: dict[str, Callable[[Case, float, int], tuple[np.ndarray, str]]] = {
        "dapp": ours,
        "lightgbm": lightgbm_defaults,
        "histgb": hist_gradient_boosting,
    }
    own = dict(each.split("=", 1) for each in given.peers if "=" in each)
    shared = next((each for each in given.peers if "=" not in each), None)
    runners |= {tool: peer(tool, own.get(tool) or str(shared)) for tool in given.tools if own.get(tool) or shared}
    tables = real_tables(given.folder, given.only) if given.folder else {k: v for k, v in made_tables().items() if not given.only or k in given.only}
    places: dict[str, list[float]] = {name: [] for name in runners}
    for name, (frame, target) in tables.items():
        case, found = Case(frame, target), dict[str, float]()
        for tool, run in runners.items():
            started = time.monotonic()
            try:
                out, note = run(case, given.seconds, given.threads)
                found[tool] = case.score(out)
                print(f"{name:14} {tool:10} {METRICS[case.task]} {found[tool]:.5g} | {time.monotonic() - started:.1f} s | {note}", flush=True)
            except (RuntimeError, ValueError, TypeError, OSError, subprocess.SubprocessError) as error:  # it has no rank on this table
                print(f"{name:14} {tool:10} failed: {type(error).__name__}: {str(error)[:100]}", flush=True)
        sign = -1 if MEASURES[METRICS[case.task]].greater_is_better else 1
        for tool, value in found.items():
            places[tool].append(1 + sum(sign * other < sign * value for other in found.values()))
    print("\nmean rank")
    for tool, ranks in sorted(places.items(), key=lambda item: np.mean(item[1]) if item[1] else np.inf):
        if ranks:
            print(f"  {tool:10} {np.mean(ranks):.2f} over {len(ranks)} tables")


if __name__ == "__main__":
    main()
