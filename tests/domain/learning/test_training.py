"""A training from a table to results: each task, inside its time, repeatable, stoppable and resumable."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

from dapp_ext.domain.learning import Recipe, train, training
from dapp_ext.errors import ColumnUnknown, Invalid, TargetUnusable
from tests.domain.learning.conftest import Notebook, columns_of, results_of


def flowers() -> pa.Table:
    data = load_iris()
    table = {name: data.data[:, i] for i, name in enumerate(data.feature_names)}
    return pa.table({**table, "kind": [str(data.target_names[k]) for k in data.target]})


def large(rows: int = 120_000, columns: int = 40) -> pa.Table:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    y = X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + rng.normal(size=rows) > 0
    return pa.table({**{f"x{i}": X[:, i] for i in range(columns)}, "hit": y})


def wide(rows: int = 800, columns: int = 1500) -> pa.Table:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)
    y = np.where(X[:, :3].sum(axis=1) + 0.5 * rng.normal(size=rows) > 0, "up", "down")
    return pa.table({**{f"x{i}": X[:, i] for i in range(columns)}, "way": y.tolist()})


def test_two_classes(quick: Any, people: pa.Table) -> None:
    watch = Notebook()
    trained = quick(people, "stays", watch, trials=4, families=None)
    results = results_of(trained)
    assert (results.task, results.positive, results.classes) == ("binary", "yes", ["no", "yes"])
    assert [s.name for s in results.scores] == ["log_loss", "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1"]
    assert all(s.low <= s.value <= s.high for s in results.scores)
    auc = results.scores[1]
    assert auc.baseline == 0.5
    assert auc.low > 0.6
    assert results.dataset_version == 3
    assert {t.family for t in watch.trials} - {"ensemble"} == {"lightgbm", "linear", "forest", "neighbours"}
    assert sum(t.is_best for t in results.leaderboard) == 1
    assert results.leaderboard[0].score == min(t.score for t in results.leaderboard if t.score is not None)
    assert np.sum(results.confusion.counts) == results.split.rows_test  # type: ignore[union-attr]
    assert {c.kind for c in results.curves} == {"roc", "precision_recall", "calibration", "gain"}
    assert all(len(c.x) == len(c.y) <= 200 for c in results.curves)
    assert {i.column for i in results.importances} == {"age", "months", "plan", "noise"}
    assert results.importances[-1].column == "noise" or results.importances[-1].value < results.importances[0].value / 5
    assert "Of 100 rows that it calls “yes”" in results.sentence
    assert watch.fractions == sorted(watch.fractions)
    assert watch.fractions[-1] == 1.0


def test_several_classes(quick: Any) -> None:
    results = results_of(quick(flowers(), "kind", trials=3, families=None))
    assert (results.task, results.positive) == ("multiclass", None)
    assert {s.name: s.value for s in results.scores}["accuracy"] > 0.85
    assert results.split.folds == 5
    assert np.shape(results.confusion.counts) == (3, 3)  # type: ignore[union-attr]


def test_numbers(quick: Any, houses: pa.Table) -> None:
    results = results_of(quick(houses, "price", trials=3, families=None))
    assert results.metric == "rmse"
    assert {s.name: s.value for s in results.scores}["r2"] > 0.8
    assert results.scatter is not None
    assert len(results.scatter.actual) == len(results.scatter.predicted) == results.split.rows_test
    assert results.classes is None
    assert results.sentence.startswith("It is typically off by ±")


def test_nothing_to_learn_is_said_plainly(quick: Any) -> None:
    rng = np.random.default_rng(5)
    table = pa.table(
        {"a": rng.normal(size=400), "b": rng.integers(0, 9, 400), "coin": rng.choice(["head", "tail"], 400).tolist(), "dice": rng.normal(size=400)}
    )
    assert "not better than guessing" in results_of(quick(table, "coin", exclude=["dice"])).sentence
    assert "not better than guessing" in results_of(quick(table, "dice", exclude=["coin"])).sentence


def test_the_metric_asked_for_leads(quick: Any, people: pa.Table) -> None:
    results = results_of(quick(people, "stays", metric="roc_auc", trials=3, families=None))
    assert (results.metric, results.scores[0].name) == ("roc_auc", "roc_auc")
    scored = [t.score for t in results.leaderboard if t.score is not None]
    assert scored == sorted(scored, reverse=True)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"target": "nothing"}, ColumnUnknown, "nothing"),
        ({"target": "stays", "exclude": ["nothing"]}, ColumnUnknown, "nothing"),
        ({"target": "stays", "metric": "rmse"}, Invalid, "log_loss"),
        ({"target": "stays", "validation": "time"}, Invalid, "dates"),
        ({"target": "stays", "families": ["magic"]}, Invalid, "lightgbm"),
        ({"target": "stays", "params": {"forest": {"depth": 3}}}, Invalid, "min_samples_leaf"),
        ({"target": "stays", "params": {"lightgbm": {"num_leaves": "many"}}}, Invalid, "num_leaves"),
        ({"target": "stays", "exclude": ["age", "months", "plan", "noise"]}, Invalid, "No column is left"),
        ({"target": "stays", "task": "regression"}, TargetUnusable, "holds words"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(people: pa.Table, given: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        train(people, columns_of(people), Recipe(**given), Notebook())


def test_fixed_parameters_are_kept(quick: Any, people: pa.Table) -> None:
    watch = Notebook()
    quick(people, "stays", watch, trials=3, families=["forest"], params={"forest": {"trees": 7, "min_samples_leaf": 9}})
    assert all((t.params["trees"], t.params["min_samples_leaf"]) == (7, 9) for t in watch.trials if t.family == "forest")


def test_the_same_number_of_trials_and_seed_give_the_same_model(quick: Any, people: pa.Table) -> None:
    one = quick(people, "stays", trials=5, families=None)
    two = quick(people, "stays", trials=5, families=None)
    tried = [[(t.number, t.family, t.params, t.score) for t in results_of(m).leaderboard] for m in (one, two)]
    assert tried[0] == tried[1]
    assert results_of(one).scores == results_of(two).scores
    assert one.predictor.predict(people)[0].equals(two.predictor.predict(people)[0])
    other = results_of(quick(people, "stays", trials=5, families=None, seed=1))
    assert other.scores != results_of(one).scores


def test_finished_trials_are_kept_and_not_run_again(quick: Any, people: pa.Table) -> None:
    first = Notebook()
    whole = results_of(quick(people, "stays", first, trials=5, families=None))
    again = Notebook()
    resumed = results_of(quick(people, "stays", again, trials=5, families=None, finished=first.trials[:3]))
    assert [t.number for t in again.trials][:2] == [4, 5]
    assert [(t.params, t.score) for t in again.trials[:2]] == [(t.params, t.score) for t in first.trials[3:5]]
    assert {t.number for t in resumed.leaderboard} >= {t.number for t in whole.leaderboard if t.family != "ensemble"}


def test_a_resumed_search_that_had_ended_only_fits(quick: Any, people: pa.Table) -> None:
    first = Notebook()
    quick(people, "stays", first, trials=2, families=["linear"])
    again = Notebook()
    results = results_of(quick(people, "stays", again, trials=2, families=["linear"], finished=first.trials))
    assert again.trials == []
    assert results.best.number in (1, 2)


@pytest.mark.parametrize("table", [large, wide], ids=["large", "wide"])
def test_ten_seconds_are_kept_and_there_is_a_model(table: Any) -> None:
    rows = table()
    target = rows.column_names[-1]
    started = time.monotonic()
    trained = train(rows, columns_of(rows), Recipe(target=target, time_budget=10.0), Notebook())
    assert time.monotonic() - started <= 10.0 * 1.1 + 5.0
    assert {s.name: s.value for s in results_of(trained).scores}["roc_auc"] > 0.7


def test_a_wish_to_stop_is_followed_soon_and_keeps_the_best() -> None:
    rows = large(8000, 12)
    watch = Notebook(stop_after=1)
    trained = train(rows, columns_of(rows), Recipe(target="hit", time_budget=300.0), watch)
    assert watch.stop_asked is not None
    assert time.monotonic() - watch.stop_asked < 6.0
    results = results_of(trained)
    assert results.stopped_early
    assert results.best.number == watch.trials[0].number


def test_a_slow_model_is_scored_on_fewer_rows_after_a_stop_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SCORING_SECONDS", 0.0)
    monkeypatch.setattr(training, "FEWEST_SCORED", 100)
    rows = large(2000, 6)
    asked = Recipe(target="hit", time_budget=300.0, families=["linear"])
    results = results_of(train(rows, columns_of(rows), asked, Notebook(stop_after=1)))
    assert results.confusion is not None
    assert sum(map(sum, results.confusion.counts)) == 100
    assert results.split.rows_test == 500
    assert "the scores come from 100 of them, drawn at random" in results.split.sentence
    whole = results_of(train(rows, columns_of(rows), replace(asked, trials=1), Notebook()))
    assert whole.confusion is not None
    assert sum(map(sum, whole.confusion.counts)) == 500, "nobody stopped it"


def test_a_stop_before_the_first_score_still_gives_a_model() -> None:
    rows = large(60_000, 30)
    trained = train(rows, columns_of(rows), Recipe(target="hit", time_budget=300.0), Notebook(stop_seconds=0.0))
    assert results_of(trained).stopped_early
    assert trained.predictor.predict(rows.slice(0, 5))[0].num_rows == 5


def test_by_time_the_test_part_is_the_latest(quick: Any, houses: pa.Table) -> None:
    days = np.datetime64("2023-01-01T00:00", "us") + np.arange(500)[::-1].astype("timedelta64[D]")
    table = houses.append_column("sold", pa.array(days))
    results = results_of(quick(table, "price", validation="time"))
    assert results.split.validation == "time"
    assert "latest" in results.split.sentence
    assert results.split.rows_test == 125


def test_a_blend_is_taken_only_when_it_helps(quick: Any) -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(1500, 6))
    # A slope that lines follow better than trees, and a step that trees follow better than lines.
    y = 4 * X[:, 0] + 4 * X[:, 1] + 4 * X[:, 2] + 4 * (X[:, 3] > 0) * (X[:, 4] > 0) + rng.normal(size=1500)
    table = pa.table({**{f"x{i}": X[:, i] for i in range(6)}, "y": y})
    results = results_of(quick(table, "y", trials=2, families=["linear", "lightgbm"], params={"lightgbm": {"rounds": 150}}))
    blends = [t for t in results.leaderboard if t.family == "ensemble"]
    assert len(blends) == 1
    assert results.best.family == "ensemble"
    single = min(t.score for t in results.leaderboard if t.family != "ensemble" and t.score is not None)
    assert blends[0].score is not None
    assert blends[0].score < single
    assert sum(blends[0].params.values()) == pytest.approx(1.0, abs=0.01)


def test_rows_and_columns_of_every_kind_are_learned_from(quick: Any) -> None:
    rng = np.random.default_rng(9)
    n = 300
    words = ["red apple", "green apple", "old car engine", "new car wheels", "blue sky today"]
    topic = rng.integers(0, 5, n)
    table = pa.table(
        {
            "told": [f"{words[t]} number {i} of the long list" for i, t in enumerate(topic)],
            "at": pa.array(np.datetime64("2024-01-01T00:00", "us") + rng.integers(0, 10**7, n).astype("timedelta64[s]")),
            "day": pa.array(np.datetime64("2024-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]")),
            "clock": pa.array((rng.integers(0, 86_400, n) * 1_000_000).tolist(), type=pa.time64("us")),
            "took": pa.array(rng.integers(0, 10**6, n).tolist(), type=pa.duration("ms")),
            "flag": rng.random(n) > 0.5,
            "coded": pa.array(rng.choice(["a", "b", "?"], n).tolist()).dictionary_encode(),
            "many": [None if rng.random() < 0.3 else float(v) for v in rng.normal(size=n)],
            "infinite": np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n)),
            "nested": [[1, 2]] * n,
            "topic": [["fruit", "fruit", "car", "car", "sky"][t] for t in topic],
        }
    )
    kinds = {"told": "text", "clock": "time", "took": "duration"}
    columns = [c.model_copy(update={"kind": kinds.get(c.name, c.kind)}) for c in columns_of(table)]
    watch = Notebook()
    results = results_of(quick(table, "topic", watch, columns=columns, allow=["told"], families=["lightgbm"], params={"lightgbm": {"rounds": 40}}))
    assert {s.name: s.value for s in results.scores}["accuracy"] > 0.8
    assert results.importances[0].column == "told"
    assert "nested" not in [c.name for c in results.features]
    assert {g.code for g in watch.guards_seen if g.state == "done"} >= {"unreadable"}


def test_a_blend_of_an_earlier_attempt_is_not_taken_for_a_candidate(quick: Any, people: pa.Table) -> None:
    first = Notebook()
    quick(people, "stays", first, trials=2)
    blend = first.trials[0].model_copy(update={"number": 3, "family": "ensemble", "score": 0.0001})
    again = Notebook()
    results = results_of(quick(people, "stays", again, trials=3, finished=[*first.trials[:2], blend]))
    assert results.best.family == "linear"
    assert [t.number for t in again.trials] == [4]


def test_a_search_that_time_cuts_short_says_so(people: pa.Table) -> None:
    table = large(20_000, 10)
    recipe = Recipe(target="hit", time_budget=5.0, trials=500, families=["lightgbm"])
    results = results_of(train(table, columns_of(table), recipe, Notebook()))
    assert results.stopped_early
    assert "of 500" in results.split.sentence


def test_more_rows_than_the_time_allows_are_sampled_and_said(quick: Any) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({**{f"x{i}": rng.normal(size=60_000) for i in range(120)}, "y": rng.normal(size=60_000)})
    results = results_of(quick(table, "y", time_budget=5.0))
    assert results.split.rows_train + results.split.rows_test == 50_000
    assert "too short for all 60,000 rows" in results.split.sentence


def test_once_scored_the_model_learns_from_the_locked_rows_too(quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapp_ext.domain.learning.clock.POLL_SECONDS", 0.0)  # this table is done sooner than it is asked again
    rng = np.random.default_rng(6)
    table = pa.table({"x": rng.normal(size=400), "y": rng.normal(size=400)})
    trained = quick(table, "y")
    assert results_of(trained).split.sentence.endswith("what answers now has seen a little more than what was scored.")
    slope, cut = np.polyfit(table["x"].to_numpy(), table["y"].to_numpy(), 1)
    told = trained.predictor.predict(pa.table({"x": [0.0, 1.0]}))[0]["prediction"].to_pylist()
    assert told == pytest.approx([cut, cut + slope], abs=2e-3), "the line through all 400 rows"
    early = quick(table, "y", Notebook(stop_after=1), trials=5)
    assert "Once scored" not in results_of(early).split.sentence


def test_every_family_is_drawn_once_the_first_settings_are_tried(quick: Any) -> None:
    rng = np.random.default_rng(7)
    table = pa.table({"x": rng.normal(size=60), "y": rng.normal(size=60)})
    trained = quick(table, "y", trials=60, families=None)
    assert {trial.family for trial in results_of(trained).leaderboard} >= {"linear", "lightgbm", "forest", "neighbours"}


def test_a_line_of_more_columns_than_rows_does_not_learn_by_heart(quick: Any) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(160, 150))
    table = pa.table({**{f"x{i}": X[:, i] for i in range(150)}, "y": X[:, 0] + rng.normal(size=160)})
    score = results_of(quick(table, "y")).scores[0]
    assert score.value < 0.95 * score.baseline, "free to do so, it would be worse than guessing"


def test_what_was_scored_is_explained_and_all_rows_are_learned_from_first(quick: Any, people: pa.Table) -> None:
    results = results_of(quick(people, "stays"))
    assert "Once scored" in results.split.sentence
    assert results.importances[0].value > 0
    assert results.dependence


def test_what_answers_learned_some_times_from_all_rows(quick: Any, people: pa.Table) -> None:
    """Boosting learns four times with other random numbers, and the models of folds, which saw fewer rows, give way."""
    trained = quick(people, "stays", trials=1, families=["lightgbm"])
    learner = trained.predictor.pipeline.named_steps["learn"]
    assert learner.weights == [0.25] * 4
    rows = trained.predictor.pipeline.named_steps["table"].transform(people)
    told = {tuple(model.predict_proba(step.transform(rows))[:, 1]) for step, model in learner.members}
    assert len(told) == 4
    assert "Once scored, it learned from all" in trained.facts["split"].sentence
