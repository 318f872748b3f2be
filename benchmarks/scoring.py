"""A whole dataset scored, sealed reading and writing and the profile of the answer included, against the bare pipeline.

Usage::

    python benchmarks/scoring.py [--rows N] [--columns N]

The bare pipeline is what a notebook does: the same fitted pipeline's ``predict_proba`` on the same frame, in memory.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.datasets import DatasetUpload
from dapp_ext.schema.models import BatchPredictRequest
from dapp_ext.schema.registry import RegisterRequest
from dapp_ext.services import Services, open_services
from dapp_ext.services.work import Wanted, perform
from dapp_ext.settings import Settings


def table(rows: int, columns: int) -> pd.DataFrame:
    """Numbers, and a target that hangs on some of them."""
    rng = np.random.default_rng(0)
    found = pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"c{number}" for number in range(columns)])
    found["y"] = np.where(found.c0 + found.c1 * found.c2 + rng.normal(size=rows) * 0.5 > 0, "gone", "stays")
    return found


def work(services: Services) -> float:
    """Do all waiting jobs; how long the last one took, in seconds."""
    worker, took = services.jobs.enlist(), 0.0
    while (job := services.jobs.claim(worker)) is not None:
        began = time.perf_counter()
        services.settling.begin(job)
        services.settling.settle(job, perform(services.settling.order(job), lambda _message: None, Wanted))
        took = time.perf_counter() - began
    return took


def upload(services: Services, owner: Actor, frame: pd.DataFrame, name: str) -> None:
    data = io.BytesIO()
    frame.to_parquet(data)
    incoming = services.datasets.begin_upload(owner, DatasetUpload(filename=f"{name}.parquet"))
    incoming.write(data.getvalue())
    incoming.finish()
    work(services)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    options = parser.parse_args()
    import skops.io
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = table(options.rows, options.columns)
    some, X = frame.head(20_000), frame.drop(columns="y")
    pipeline = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0)).fit(some.drop(columns="y"), some.y)
    with tempfile.TemporaryDirectory() as folder, open_services(Settings(home=Path(folder) / "home", start_worker=False)) as services:
        owner = services.system.shell_actor()
        upload(services, owner, X, "rows")
        upload(services, owner, some, "some")
        incoming = services.registering.begin(owner, RegisterRequest(name="brought", dataset="some", target="y"))
        incoming.write(skops.io.dumps(pipeline))
        model = incoming.finish()
        work(services)
        pipeline.predict_proba(X.head(1000))
        began = time.perf_counter()
        pipeline.predict_proba(X)
        bare = time.perf_counter() - began
        services.predictions.predict_batch(owner, model.id, BatchPredictRequest(dataset="rows"))
        scored = work(services)
    print("| what | seconds | rows/s |\n|---|---|---|")
    print(f"| bare pipeline, in memory | {bare:.1f} | {options.rows / bare:,.0f} |")
    print(f"| sealed dataset to sealed dataset | {scored:.1f} | {options.rows / scored:,.0f} |")
    print(f"{scored / bare:.2f} times the bare pipeline (aim 1.3).")


if __name__ == "__main__":
    main()
