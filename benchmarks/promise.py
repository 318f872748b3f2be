"""Is the promise kept? The score told with its 95 % interval against the score on rows that nobody has seen.

Usage::

    python benchmarks/promise.py [--folder FOLDER] [--only NAME ...] [--seeds 20] [--rows 2000] [--threads 1]

Each table gives, for each seed, that many rows to train on (with the locked test part among them); all other rows are
unseen. Counted is how often the score on the unseen rows lies in the interval that the training told. Target: 90 % or more.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from automl import METRICS, Quiet, made_tables, real_tables
from learning_floor import kind_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.domain.learning import Recipe, train
from dapp_ext.domain.learning.metrics import Truth, score_of
from dapp_ext.schema.datasets import Column


def kept(frame: pd.DataFrame, target: str, seed: int, sizes: tuple[int, int]) -> tuple[bool, float, float, float]:
    """Whether the score on unseen rows lies in the interval told; the score and the interval."""
    rows, threads = sizes
    order = np.random.default_rng(seed).permutation(len(frame))
    seen, unseen = frame.iloc[order[:rows]], frame.iloc[order[rows:]]
    table = pa.Table.from_pandas(seen, preserve_index=False)
    columns = [Column(name=f.name, kind=kind_of(f.type)) for f in table.schema]
    recipe = Recipe(target=target, time_budget=120.0, trials=2, seed=seed, threads=threads, families=["linear", "lightgbm"], allow=list(frame.columns))
    trained = train(table, columns, recipe, Quiet())
    told = trained.facts["scores"][0]
    answers = trained.predictor.predict(pa.Table.from_pandas(unseen.drop(columns=[target]), preserve_index=False))[0]
    classes = trained.facts["classes"]
    if classes:
        out = np.column_stack([answers[f"probability_{c}"].to_numpy() for c in classes])
        truth = np.asarray([classes.index(str(v)) for v in unseen[target]])
    else:
        out, truth = answers["prediction"].to_numpy(), unseen[target].to_numpy(dtype=float)
    score = score_of(METRICS[trained.facts["task"]], Truth(trained.facts["task"], truth, out))
    return told.low <= score <= told.high, score, told.low, told.high


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = real_tables(given.folder, given.only) if given.folder else made_tables()
    total: list[bool] = []
    for name, (frame, target) in tables.items():
        frame = frame[frame[target].notna()].reset_index(drop=True)
        rows = min(given.rows, len(frame) * 2 // 3)
        found = [kept(frame, target, seed, (rows, given.threads)) for seed in range(given.seeds)]
        total += [f[0] for f in found]
        width = np.mean([(high - low) / 2 for _, _, low, high in found])
        print(f"{name:14} {sum(f[0] for f in found)} of {len(found)} kept, score {np.mean([f[1] for f in found]):.4g} ± {width:.2g}", flush=True)
    print(f"\nkept in {100 * np.mean(total):.0f} % of {len(total)} trainings (target: 90 %)")


if __name__ == "__main__":
    main()
