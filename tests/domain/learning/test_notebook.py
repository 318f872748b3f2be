"""The notebook behind the click runs by itself and reaches the score that was told; the card is one page that needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapp_ext.domain.learning.card import make_card
from dapp_ext.domain.learning.notebook import code_of, make_notebook, tolerance
from dapp_ext.errors import Invalid
from dapp_ext.schema.models import Results
from tests.domain.learning.conftest import results_of


def run(table: pa.Table, results: Results, folder: Path) -> dict[str, Any]:
    """Run the notebook's code as it stands, on the table as a file; it ends with an assertion of its own."""
    pq.write_table(table, folder / "table.parquet")  # type: ignore[no-untyped-call]
    notebook = make_notebook(results, str(folder / "table.parquet"))
    assert "dapp" not in code_of(notebook)
    names: dict[str, Any] = {}
    exec(compile(code_of(notebook), "notebook", "exec"), names)
    return names


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", ["linear", "lightgbm", "forest"])
def test_a_notebook_reaches_the_score(quick: Any, people: pa.Table, tmp_path: Path, family: str) -> None:
    table = pa.concat_tables([people, people.slice(0, 60)])
    params = {"lightgbm": {"rounds": 60}, "forest": {"trees": 40}}
    results = results_of(quick(table, "stays", families=[family], params={k: v for k, v in params.items() if k == family}))
    names = run(table, results, tmp_path)
    assert len(names["test"]) == results.split.rows_test
    assert abs(names["score"] - results.scores[0].value) <= tolerance(results.scores[0])
    if family == "linear":
        assert names["score"] == pytest.approx(results.scores[0].value, rel=1e-3), "the same rows, the same learner"


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_of_a_blend_of_numbers_by_time(quick: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    n = 600
    X = rng.normal(size=(n, 4))
    y = 4 * X[:, 0] + 4 * (X[:, 1] > 0) * (X[:, 2] > 0) + rng.normal(size=n)
    days = np.datetime64("2023-01-01T00:00", "us") + np.arange(n)[::-1].astype("timedelta64[D]")
    words = [f"{w} and more of it {i}" for i, w in enumerate(rng.choice(["red", "blue"], n))]
    table = pa.table({**{f"x{i}": X[:, i] for i in range(4)}, "day": pa.array(days), "told": words, "y": y})
    results = results_of(quick(table, "y", trials=2, families=["linear", "lightgbm"], params={"lightgbm": {"rounds": 60}}, validation="time"))
    names = run(table, results, tmp_path)
    assert sorted(names["test"].tolist()) == list(range(len(names["test"]))), "the latest rows are tested on"


def test_what_was_not_searched_for_has_no_notebook(quick: Any, people: pa.Table) -> None:
    results = results_of(quick(people, "stays"))
    foreign = results.model_copy(update={"best": results.best.model_copy(update={"family": "registered"})})
    with pytest.raises(Invalid, match="no recipe"):
        make_notebook(foreign)


def test_the_card_stands_alone_and_quotes_what_is_in_names(quick: Any, people: pa.Table) -> None:
    table = people.rename_columns(["age", "months", "<script>alert(1)</script>", "noise", "stays"])
    results = results_of(quick(table, "stays"))
    page = make_card(results, {"Owner": "Ann & Bob"})
    assert "<script" not in page
    assert "Ann &amp; Bob" in page
    assert "@media print" in page
    assert not re.search(r"(src|href)\s*=|url\(|@import", page)
    assert results.sentence.replace("“", "“") in page
    assert "ROC AUC" in page
