"""Pipelines that somebody fitted elsewhere: checked against an allow-list, scored like our own, asked like our own.

Only skops is read. What skops does not trust by itself has to be on the list below, which is reviewed with each release;
everything else is refused by name. Trees are checked to point forward inside themselves before anything is predicted.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sklearn
import skops.io

from dapp_ext.domain.learning import explain
from dapp_ext.domain.learning.features import beyond_note, came_as_text
from dapp_ext.domain.learning.measures import MEASURES, measure
from dapp_ext.domain.learning.metrics import Truth, score_of, scores
from dapp_ext.domain.learning.narrate import sentence
from dapp_ext.domain.learning.predictor import CHUNK, Predictor
from dapp_ext.domain.learning.reading import as_moments, as_texts
from dapp_ext.domain.learning.targets import Target, label_text, read_target
from dapp_ext.domain.learning.thresholds import decisions
from dapp_ext.errors import ColumnUnknown, DappError, IntegrityFailed, Invalid, ModelTypeRefused, NotReady
from dapp_ext.schema.base import now
from dapp_ext.schema.datasets import Column
from dapp_ext.schema.models import Guard, Importance, Reasons, Split, Task, Trial

Array = npt.NDArray[Any]
LARGEST_BYTES = 4 * 1024**3
MOST_ROWS = 100_000
EXPLAINED_ROWS = 2_000
TYPICAL_ROWS = 30
EXPLAINED_COLUMNS = 60
SEED = 0
# Reviewed: each holds plain values and arrays, and runs nothing when it is read.
ALLOWED: frozenset[str] = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


@dataclass(frozen=True)
class Rows:
    """Rows as the columns that a pipeline takes."""

    columns: dict[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass
class RegisteredPredictor(Predictor):
    """A foreign pipeline. ``arrays`` tells that it answers the same for an array of numbers as for a frame, only sooner."""

    arrays: bool = False
    typical: dict[str, list[Any]] = field(default_factory=dict)
    ranges: dict[str, list[float]] = field(default_factory=dict)

    def reasons(self, row: pa.Table, seed: int = 0) -> Reasons:
        from dapp_ext.domain.learning.reasoning import Sampler, Told, told

        if not self.typical:
            raise NotReady("This pipeline was registered before typical rows were kept with it, so it cannot give reasons. Register it again.")
        self._column_notes(row)
        one, typical = _read(row, self.features)[0], Rows(_read(pa.table(self.typical), self.features)[0])
        out = self.answers(one)
        looked_at = 0 if not self.labels else 1 if len(self.labels) == 2 else int(out[0].argmax())

        def answer(rows: Rows) -> Array:
            found = self.answers(rows.columns)
            return found[:, looked_at] if self.labels else found

        def swap(rows: Rows, name: str) -> Rows:
            return Rows({**rows.columns, name: np.repeat(one[name], len(rows))})

        def stack(parts: list[Rows]) -> Rows:
            return Rows({name: np.concatenate([part.columns[name] for part in parts]) for name in one})

        def take(rows: Rows, count: int) -> Rows:
            return Rows({name: values[:count] for name, values in rows.columns.items()})

        label = f"Probability of “{(self.classes or [])[looked_at]}”" if self.labels else "Predicted amount"
        return told(Sampler(answer, swap, stack, take), typical, list(one), Told(row, label, float(answer(Rows(one))[0]), seed))

    def predict(self, table: pa.Table) -> tuple[pa.Table, list[str]]:
        notes = self._column_notes(table)
        columns, unread = _read(table, self.features)
        for column in self.features:
            if column.name in self.ranges:
                unread += beyond_note(column.name, columns[column.name], self.ranges[column.name])
        rows = table.num_rows
        parts = [self.answers({name: values[start : start + CHUNK] for name, values in columns.items()}) for start in range(0, rows, CHUNK)]
        out = np.concatenate(parts) if parts else np.empty((0, len(self.labels)) if self.labels else (0,))
        return self._answer(out), notes + unread

    def answers(self, columns: dict[str, Array]) -> Array:
        """Probabilities (n, classes) in the order of ``labels``, or values (n,), for columns as the pipeline takes them."""
        X = np.column_stack([np.asarray(values, dtype=np.float64) for values in columns.values()]) if self.arrays else _frame(columns)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about names of features, which an array has not
                if not self.labels:
                    return np.asarray(self.pipeline.predict(X), dtype=np.float64).reshape(-1)
                out = np.asarray(self.pipeline.predict_proba(X), dtype=np.float64)
        except Exception as error:  # whatever a foreign pipeline does with odd rows, it is the rows that do not fit it
            raise Invalid(
                f"The pipeline cannot answer for these rows ({type(error).__name__}). Give every column as in the data that it was fitted on."
            ) from error
        return out[:, self.order]

    @property
    def order(self) -> list[int]:
        """The place of each label among the pipeline's own classes."""
        texts = [_class_text(each) for each in self.pipeline.classes_]
        return [texts.index(label_text(label)) for label in self.labels]

    def dump(self) -> bytes:
        """The predictor as bytes for :func:`load`."""
        facts = {
            "target": self.target,
            "task": self.task,
            "features": [column.model_dump() for column in self.features],
            "labels": self.labels,
            "label_type": self.label_type,
            "libraries": self.libraries,
            "arrays": self.arrays,
            "typical": self.typical,
            "ranges": self.ranges,
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
            bundle.writestr("registered.json", json.dumps(facts))
            bundle.writestr("model.skops", skops.io.dumps(self.pipeline, compression=zipfile.ZIP_DEFLATED, compresslevel=1))
        return out.getvalue()


def is_bundle(data: bytes) -> bool:
    """Whether these bytes are of a registered pipeline."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            return sorted(bundle.namelist()) == ["model.skops", "registered.json"]
    except zipfile.BadZipFile:
        return False


def load(data: bytes) -> RegisteredPredictor:
    """The predictor that :meth:`RegisteredPredictor.dump` made these bytes of."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            if sum(each.file_size for each in bundle.infolist()) > LARGEST_BYTES:
                raise IntegrityFailed("The stored model is larger than any model of this platform and is not used.")
            facts = json.loads(bundle.read("registered.json"))
            pipeline = read_pipeline(bundle.read("model.skops"))
        features = [Column.model_validate(each) for each in facts.pop("features")]
        return RegisteredPredictor(features=features, pipeline=pipeline, **facts)
    except DappError:
        raise
    except Exception as error:
        raise IntegrityFailed("The stored model is damaged or not a model of this platform, and is not used. Restore it from a backup.") from error


def read_pipeline(data: bytes) -> Any:
    """A fitted estimator from skops bytes.

    Raises
    ------
    ModelTypeRefused
        It holds types that are not allowed; they are named.
    Invalid
        The bytes are not skops, or were made with another release of scikit-learn.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            if sum(each.file_size for each in inner.infolist()) > LARGEST_BYTES:
                raise Invalid("The pipeline is larger than this platform takes.")
        found = skops.io.get_untrusted_types(data=data)
        refused = sorted(set(found) - ALLOWED)
        if refused:
            shown = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")
            raise ModelTypeRefused(
                f"The pipeline holds types that are not allowed here: {shown}. Replace them by what scikit-learn itself brings.", types=refused[:50]
            )
        pipeline = skops.io.loads(data, trusted=found)
    except DappError:
        raise
    except Exception as error:
        raise Invalid("These bytes are no pipeline that skops can read. Send what skops.io.dumps makes of a fitted scikit-learn pipeline.") from error
    if not hasattr(pipeline, "predict"):
        raise Invalid("This is no fitted scikit-learn estimator: it cannot predict.")
    _check_trees(pipeline)
    return pipeline


def register(table: pa.Table, columns: list[Column], data: bytes, asked: dict[str, Any]) -> tuple[RegisteredPredictor, dict[str, Any]]:
    """Score a pipeline on a table: the predictor, and all facts that its results page shows.

    ``asked`` has ``target``, ``task`` and ``unseen`` (whether the pipeline never learned from these rows).
    """
    began = now()
    pipeline = read_pipeline(data)
    by_name = {column.name: column for column in columns}
    if asked["target"] not in by_name:
        raise ColumnUnknown(f"There is no column “{asked['target']}”. Choose one of the dataset's columns.")
    task: Task | None = asked.get("task") or (None if hasattr(pipeline, "predict_proba") else "regression")
    if hasattr(pipeline, "classes_") and not hasattr(pipeline, "predict_proba"):
        raise Invalid("The pipeline tells classes apart but gives no probabilities. Use a learner with predict_proba, or wrap it in CalibratedClassifierCV.")
    if hasattr(pipeline, "classes_") and task is None:
        task = "binary" if len(pipeline.classes_) == 2 else "multiclass"
    target = read_target(by_name[asked["target"]], table.column(asked["target"]), task)
    target = _with_classes(target, pipeline)
    features = _features(pipeline, columns, asked["target"])
    rows = table.take(pa.array(target.rows)) if len(target.rows) < table.num_rows else table
    y = target.y
    if len(y) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(SEED).choice(len(y), MOST_ROWS, replace=False))
        rows, y = rows.take(pa.array(chosen)), y[chosen]
    predictor = RegisteredPredictor(target.name, target.task, features, target.labels, target.type, pipeline, _libraries())
    read, _ = _read(rows, features)
    predictor.arrays = _same_as_arrays(predictor, read)
    predictor.typical = _typical(rows, features)
    predictor.ranges = {name: each for name, values in read.items() if values.dtype == np.float64 and (each := _range(values))}
    out = predictor.answers(read)
    truth = Truth(target.task, y, out)
    facts = _facts(predictor, target, truth, read, (asked, (now() - began).total_seconds()))
    return predictor, {**facts, "target_column": by_name[asked["target"]]}


def _typical(rows: pa.Table, features: list[Column]) -> dict[str, list[Any]]:
    """A few rows as plain values, which reasons are told against."""
    chosen = np.sort(np.random.default_rng([SEED, 70]).permutation(rows.num_rows)[:TYPICAL_ROWS])
    some = rows.select([column.name for column in features]).take(pa.array(chosen))
    return {name: [_plain_value(value) for value in some.column(name).to_pylist()] for name in some.column_names}


def _range(values: Array) -> list[float]:
    known = values[np.isfinite(values)]
    return [float(known.min()), float(known.max())] if len(known) else []


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (float, Decimal)):
        return float(value) if np.isfinite(float(value)) else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _facts(predictor: RegisteredPredictor, target: Target, truth: Truth, read: dict[str, Array], setting: tuple[dict[str, Any], float]) -> dict[str, Any]:
    asked, seconds = setting
    metric = measure(None, target.task).name
    guess = np.bincount(truth.y, minlength=len(target.labels)) / len(truth.y) if target.labels else np.asarray([truth.y.mean()])
    made = sorted(scores(truth, guess, SEED), key=lambda each: each.name != metric)
    guard = _guard(bool(asked.get("unseen")))
    label = type(predictor.pipeline.steps[-1][1] if hasattr(predictor.pipeline, "steps") else predictor.pipeline).__name__
    best = Trial(number=1, family="registered", label=label, score=score_of(metric, truth), seconds=0.0, at=now(), is_best=True)
    said = "" if asked.get("unseen") else " It may have learned from some of these rows, which makes it look better than it is."
    return {
        "target": target.name,
        "task": target.task,
        "task_reason": target.reason,
        "sentence": sentence(truth, target, made, guess) + said,
        "metric": metric,
        "scores": made,
        "guards": [guard],
        "leaderboard": [best],
        "importances": _importances(predictor, truth, read, metric),
        "curves": explain.curves(truth, target.classes),
        "decisions": decisions(truth.y, truth.out[:, 1], target.positive) if target.positive is not None else None,
        "confusion": explain.confusion(truth, target.classes) if target.classes else None,
        "scatter": None if target.labels else explain.scatter(truth, SEED),
        "classes": target.classes,
        "positive": target.positive,
        "best": best,
        "split": Split(
            validation="random",
            folds=0,
            rows_train=0,
            rows_test=len(truth.y),
            rows_left_out=len(target.missing),
            seed=SEED,
            sentence=f"The pipeline was fitted elsewhere; it was scored on {len(truth.y):,} rows of the dataset that was named.",
        ),
        "features": predictor.features,
        "libraries": predictor.libraries,
        "seconds": round(seconds, 2),
    }


def _guard(unseen: bool) -> Guard:
    if unseen:
        return Guard(
            code="registered_rows", state="passed", severity="info", sentence="Whoever registered the pipeline says that it never learned from these rows."
        )
    said = "It is not known whether the pipeline learned from these rows. If it did, its scores are too good; score it on rows that it never saw."
    return Guard(code="registered_rows", state="alerted", severity="warning", sentence=said)


def _with_classes(target: Target, pipeline: Any) -> Target:
    """The target with its labels as the pipeline knows them: all classes of the data have to be among them."""
    if not target.labels:
        if hasattr(pipeline, "classes_"):
            raise Invalid(f"The pipeline tells classes apart, but “{target.name}” is read as an amount. Give task=.")
        return target
    if not hasattr(pipeline, "classes_"):
        raise Invalid(f"The pipeline predicts an amount, but “{target.name}” holds classes. Choose another target, or give task=.")
    known = {_class_text(each) for each in pipeline.classes_}
    strange = [label_text(label) for label in target.labels if label_text(label) not in known]
    if strange or len(known) != len(target.labels):
        raise Invalid(
            f"The classes of “{target.name}” are not those of the pipeline ({len(target.labels)} here, {len(known)} there). Score it on the data that it is for."
        )
    return target


def _class_text(value: Any) -> str:
    return label_text(value.item() if hasattr(value, "item") else value)


def _features(pipeline: Any, columns: list[Column], target: str) -> list[Column]:
    names = getattr(pipeline, "feature_names_in_", None)
    by_name = {column.name: column for column in columns}
    if names is None:
        found = [column for column in columns if column.name != target]
        if getattr(pipeline, "n_features_in_", len(found)) != len(found):
            raise Invalid("The pipeline was fitted without column names and on another number of columns. Fit it on a frame with named columns.")
        return found
    missing = [str(name) for name in names if str(name) not in by_name]
    if missing:
        raise ColumnUnknown(f"The pipeline uses “{missing[0]}”, which the dataset does not have. Choose a dataset with all of its columns.")
    return [by_name[str(name)] for name in names]


def _read(table: pa.Table, features: list[Column]) -> tuple[dict[str, Array], list[str]]:
    """Columns as the pipeline takes them: numbers as float64, moments as datetime64, all else as texts; missing as NaN or None."""
    found: dict[str, Array] = {}
    notes: list[str] = []
    for column in features:
        values = table.column(column.name) if column.name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows)])
        found[column.name], unread = _column(column, values)
        if column.kind in ("integer", "decimal") and (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            notes.append(came_as_text(column.name, "numbers"))
        if unread:
            notes.append(f"Column “{column.name}”: {unread} {'row has' if unread == 1 else 'rows have'} a value of another type; it counts as missing.")
    return found, notes


def _column(column: Column, values: Any) -> tuple[Array, int]:
    if column.kind in ("integer", "decimal"):
        array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_null(array.type) or pa.types.is_decimal(array.type)):
            texts = as_texts(values).to_pylist()
            numbers = np.asarray([_number(text) for text in texts], dtype=np.float64)
            return numbers, int(sum(text is not None and np.isnan(number) for text, number in zip(texts, numbers, strict=True)))
        return np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64), 0
    if column.kind in ("date", "datetime"):
        moments, unread = as_moments(values)
        return np.asarray(moments.to_numpy(zero_copy_only=False)), unread
    if column.kind == "boolean" and pa.types.is_boolean(values.type):
        return np.asarray(
            values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy(), dtype=object if values.null_count else bool
        ), 0
    return np.asarray(as_texts(values).to_pylist(), dtype=object), 0


def _number(text: str | None) -> float:
    try:
        return float(text) if text is not None else float("nan")
    except ValueError:
        return float("nan")


def _frame(columns: dict[str, Array]) -> Any:
    import pandas as pd

    return pd.DataFrame(columns, copy=False)


def _same_as_arrays(predictor: RegisteredPredictor, columns: dict[str, Array]) -> bool:
    """Whether the pipeline answers the same for a bare array: then one row need not become a frame."""
    if any(values.dtype != np.float64 for values in columns.values()):
        return False
    some = {name: values[:200] for name, values in columns.items()}
    expected = predictor.answers(some)
    trial = RegisteredPredictor(**{**predictor.__dict__, "arrays": True})
    try:
        return bool(np.array_equal(trial.answers(some), expected))
    except DappError:
        return False


def _importances(predictor: RegisteredPredictor, truth: Truth, read: dict[str, Array], metric: str) -> list[Importance]:
    """Permutation importance (Breiman 2001) on a sample of the rows, three shuffles a column."""
    rng = np.random.default_rng([SEED, 9])
    rows = rng.permutation(len(truth.y))[:EXPLAINED_ROWS]
    base = {name: values[rows] for name, values in read.items()}
    y, sign = truth.y[rows], 1.0 if MEASURES[metric].greater_is_better else -1.0
    reached = score_of(metric, Truth(truth.task, y, predictor.answers(base)))
    found = []
    for name in list(base)[:EXPLAINED_COLUMNS]:
        lost = []
        for _ in range(3):
            shuffled = {**base, name: base[name][rng.permutation(len(rows))]}
            lost.append(sign * (reached - score_of(metric, Truth(truth.task, y, predictor.answers(shuffled)))))
        found.append(Importance(column=name, value=float(np.mean(lost)), std=float(np.std(lost))))
    return sorted(found, key=lambda each: -each.value)


def _check_trees(thing: Any, seen: set[int] | None = None) -> None:
    """Walk through an estimator and check that each tree points forward inside itself: the readers in C do not."""
    seen = seen if seen is not None else set()
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, np.ndarray, type(None))):
        return
    seen.add(id(thing))
    name = f"{type(thing).__module__}.{type(thing).__qualname__}"
    if name == "sklearn.tree._tree.Tree":
        _check_links(thing.children_left, thing.children_right, thing.feature, thing.n_features)
    elif name == "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor":
        nodes = thing.nodes
        leaf = nodes["is_leaf"].astype(bool)
        left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
        _check_links(left, right, np.where(leaf, 0, nodes["feature_idx"]), None)
    if isinstance(thing, dict):
        parts: Any = thing.values()
    elif isinstance(thing, (list, tuple, set)):
        parts = thing
    else:
        parts = vars(thing).values() if hasattr(thing, "__dict__") else ()
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype == object:
            part = list(part.ravel())
        _check_trees(part, seen)


def _check_links(left: Array, right: Array, feature: Array, width: int | None) -> None:
    count, places = len(left), np.arange(len(left))
    inner = left != -1
    forward = (left[inner] > places[inner]).all() and (right[inner] > places[inner]).all()
    inside = (left < count).all() and (right < count).all() and ((right != -1) == inner).all()
    features = (feature[inner] >= 0).all() and (width is None or (feature[inner] < width).all())
    if not (forward and inside and features):
        raise IntegrityFailed("A tree of the pipeline is damaged, so the pipeline is not used.")


def _libraries() -> dict[str, str]:
    import platform

    return {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__, "skops": skops.__version__}
