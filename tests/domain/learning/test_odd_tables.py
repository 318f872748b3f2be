"""Tables as they come: every one ends with a model that answers, or with one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dapp_ext.domain.learning import Recipe, load_predictor, train
from dapp_ext.errors import DappError, TargetUnusable
from tests.domain.learning.conftest import Notebook, columns_of, results_of

N = 240
SIGNAL = np.random.default_rng(12).normal(size=N)


def table_of(target: Any, **columns: Any) -> pa.Table:
    return pa.table({**(columns or {"x": SIGNAL, "other": np.random.default_rng(99).normal(size=N)}), "the target": target})


def words(rows: int) -> list[str]:
    rng = np.random.default_rng(13)
    pool = ["late", "broken", "fine", "again", "price", "call", "thanks", "never", "always", "shop"]
    return [" ".join(rng.choice(pool, 8)) + f" {i}" for i in range(rows)]


LEARNED: dict[str, Callable[[], pa.Table]] = {
    "labels with spaces and signs": lambda: table_of([" yes, it is " if s > 0 else "no\n(really)" for s in SIGNAL]),
    "labels of other alphabets": lambda: table_of(["да" if s > 0 else "いいえ" for s in SIGNAL]),
    "booleans": lambda: table_of((SIGNAL > 0).tolist()),
    "whole numbers with 15 values": lambda: table_of(np.clip(np.round(SIGNAL * 3), -7, 7).astype(np.int64)),
    "decimals of two values": lambda: table_of(np.where(SIGNAL > 0, 2.5, 1.5)),
    "large amounts": lambda: table_of(SIGNAL * 1e25),
    "small amounts": lambda: table_of(SIGNAL * 1e-12),
    "amounts with infinite ones": lambda: table_of(np.where(np.arange(N) % 50 == 0, np.inf, SIGNAL)),
    "a feature that is empty": lambda: table_of(SIGNAL, x=SIGNAL, empty=pa.nulls(N, pa.float64()), none=pa.nulls(N)),
    "a feature that is constant": lambda: table_of(SIGNAL, x=SIGNAL, same=np.ones(N), word=["a"] * N),
    "features that repeat": lambda: table_of(SIGNAL + np.random.default_rng(101).normal(size=N), x=SIGNAL, again=SIGNAL, more=SIGNAL),
    "features without bounds": lambda: table_of(
        SIGNAL + np.random.default_rng(102).normal(size=N), x=np.where(np.random.default_rng(103).random(N) < 0.3, -np.inf, SIGNAL), y=SIGNAL * 1e300
    ),
    "one feature": lambda: table_of((SIGNAL + np.random.default_rng(104).normal(size=N) > 0).tolist(), x=SIGNAL),
    "one category": lambda: table_of((SIGNAL > 0).tolist(), x=np.where(SIGNAL + np.random.default_rng(105).normal(size=N) > 0, "a", "b").tolist()),
    "texts alone": lambda: table_of(["bad" if "late" in w or "broken" in w else "good" for w in words(N)], told=words(N)),
    "thirty rows": lambda: table_of(SIGNAL[:30], x=SIGNAL[:30] + np.random.default_rng(106).normal(size=30), z=np.random.default_rng(107).normal(size=30)),
    "far more columns than rows": lambda: pa.table(
        {**{f"x{i}": np.random.default_rng(i).normal(size=60) for i in range(200)}, "the target": np.random.default_rng(109).choice(["a", "b"], 60).tolist()}
    ),
    "one in a thousand": lambda: pa.table({"x": np.random.default_rng(110).normal(size=12_000), "the target": np.arange(12_000) % 1000 == 0}),
    "twenty-five classes": lambda: pa.table(
        {
            "x": np.repeat(np.arange(25.0), 12) + 0.3 * np.random.default_rng(111).normal(size=300),
            "the target": [f"c{k}" for k in np.repeat(np.arange(25), 12)],
        }
    ),
    "a target that is mostly missing": lambda: table_of([float(s) if i % 6 == 0 else None for i, s in enumerate(SIGNAL)]),
}


@pytest.mark.parametrize("name", LEARNED)
def test_it_ends_with_a_model_that_answers(name: str) -> None:
    table = LEARNED[name]()
    columns = columns_of(table)
    columns = [c.model_copy(update={"kind": "text"}) if c.name == "told" else c for c in columns]
    families: list[Any] = ["linear", "neighbours", "lightgbm", "neural"]
    params = {"neural": {"epochs": 3, "width": 8}, "lightgbm": {"rounds": 10}}
    watch = Notebook()
    recipe = Recipe(target="the target", time_budget=30.0, trials=4, families=families, params=params)
    trained = train(table, columns, recipe, watch)
    assert [t.status for t in watch.trials if t.family != "ensemble"] == ["done"] * 4
    results = results_of(trained)
    assert all(np.isfinite([s.value, s.low, s.high]).all() for s in results.scores)
    assert results.model_dump_json()
    again = load_predictor(trained.dump())
    answers = again.predict(table.drop_columns(["the target"]))[0]
    assert answers.num_rows == table.num_rows
    assert answers["prediction"].null_count == 0
    if results.classes:
        chances = np.column_stack([answers[f"probability_{c}"].to_numpy() for c in results.classes])
        assert chances.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    else:
        assert np.isfinite(answers["prediction"].to_numpy()).all()


REFUSED: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "four hundred classes": (
        lambda: pa.table({"x": np.random.default_rng(112).normal(size=4000), "the target": [f"c{i % 400}" for i in range(4000)]}),
        "400 different values",
    ),
    "dates": (lambda: table_of(pa.array(np.datetime64("2024-01-01") + np.arange(N).astype("timedelta64[D]"))), "dates"),
    "one value": (lambda: table_of(["same"] * N), "same value"),
    "no value": (lambda: table_of(pa.nulls(N, pa.string())), "no value"),
    "infinite alone": (lambda: table_of(np.full(N, np.inf)), "no value"),
    "endless amounts": (lambda: table_of(SIGNAL * 1e300), "larger than can be learned"),
    "vanishing amounts": (lambda: table_of(SIGNAL * 1e-300), "too little to learn"),
    "29 rows": (lambda: table_of(SIGNAL[:29], x=SIGNAL[:29]), "29 rows"),
    "names": (lambda: table_of([f"person {i}" for i in range(N)]), "different values"),
    "one case": (lambda: table_of([i == 7 for i in range(N)]), "too few"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_sentence(name: str) -> None:
    make, said = REFUSED[name]
    table = make()
    with pytest.raises(TargetUnusable, match=said) as refused:
        train(table, columns_of(table), Recipe(target="the target", time_budget=20.0, trials=1), Notebook())
    assert "Traceback" not in str(refused.value)


def test_columns_without_anything_in_them_are_refused() -> None:
    table = table_of(SIGNAL, empty=pa.nulls(N, pa.float64()), same=np.ones(N))
    with pytest.raises(DappError, match="No column is left"):
        train(table, columns_of(table), Recipe(target="the target", time_budget=20.0, trials=1), Notebook())
