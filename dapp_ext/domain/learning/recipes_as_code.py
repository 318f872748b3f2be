"""The code that a notebook is made of: plain scikit-learn, skrub and LightGBM, written to be read and changed."""

from __future__ import annotations

HELPERS: dict[str, str] = {
    "imports": """
import re

import lightgbm
import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler, TargetEncoder
from skrub import StringEncoder
""",
    "rows": """
frame = pd.read_parquet(SOURCE)
for name, values in MISSING.items():
    frame[name] = frame[name].mask(frame[name].isin(values) | frame[name].astype(str).isin([str(v) for v in values]))
if TASK == "regression":
    frame[TARGET] = pd.to_numeric(frame[TARGET], errors="coerce").replace([np.inf, -np.inf], np.nan)
frame = frame[frame[TARGET].notna()].reset_index(drop=True)


def as_label(value):
    return f"{value:.15g}" if isinstance(value, float) else str(value)


looked_at = frame[[*KINDS, *HELD_BACK]]
alike = pd.factorize(pd.util.hash_pandas_object(looked_at.astype(str), index=False))[0]
answers = frame[TARGET].astype("float64") if TASK == "regression" else frame[TARGET].map(as_label)
keep = np.ones(len(frame), dtype=bool)
if "drop_conflicts" in CLEAN:
    keep &= (answers.groupby(alike).transform("nunique") == 1).to_numpy()
if "drop_duplicates" in CLEAN:
    pairs = pd.DataFrame({"row": alike, "answer": answers})[keep]
    keep[pairs.index[pairs.duplicated()]] = False
if TASK != "regression" and "merge_rare" in CLEAN:
    answers = answers.where(answers.isin(CLASSES), "other")
elif TASK != "regression":
    keep &= answers.isin(CLASSES).to_numpy()
frame, answers, alike = frame[keep].reset_index(drop=True), answers[keep].reset_index(drop=True), alike[keep]
y = answers.to_numpy() if TASK == "regression" else answers.map({c: i for i, c in enumerate(CLASSES)}).to_numpy().astype(int)
""",
    "split": '''
def deal(strata, groups, parts, rng):
    """A part for each row, -1 for rows of classes too rare to be tested: groups whole, strata spread evenly."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(first)
    first, inverse = first[order], np.argsort(order)[inverse]
    strata = strata[first]
    shuffled = rng.permutation(len(first))
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    dealt = np.empty(len(first), dtype=int)
    dealt[by_stratum] = (np.arange(len(first)) + rng.integers(parts)) % parts
    counts = np.bincount(strata)
    if len(counts) > 1:
        dealt[counts[strata] < max(5, parts)] = -1
    return dealt[inverse]


share = 0.25 if len(y) < 10_000 else min(0.2, 100_000 / len(y))
strata, groups = (np.zeros(len(y), dtype=int) if TASK == "regression" else y), alike
if VALIDATION == "stratified" and TASK == "regression":
    strata = np.searchsorted(np.unique(np.quantile(y, np.linspace(0, 1, 11)[1:-1])), y, side="right")
if VALIDATION == "group":
    groups = pd.factorize(frame[SPLIT_COLUMN].astype(str))[0]
if VALIDATION == "time":
    when = pd.to_datetime(frame[SPLIT_COLUMN]).to_numpy().astype("datetime64[us]")
    when = np.where(np.isnat(when), np.datetime64("0001-01-01", "us"), when)
    border = np.sort(when)[min(int(len(when) * (1 - share)), len(when) - 1)]
    train, test = np.flatnonzero(when < border), np.flatnonzero(when >= border)
else:
    part = deal(strata, groups, max(round(1 / share), 2), np.random.default_rng([SEED, 1]))
    train, test = np.flatnonzero(part != 0), np.flatnonzero(part == 0)
print(f"{len(train):,} rows to learn from, {len(test):,} to test on")
''',
    "prepare": '''
def columns_of(frame):
    """Numbers (dates as their parts), categories and texts."""
    numbers, categories, texts = {}, {}, {}
    for name, kind in KINDS.items():
        column = frame[name]
        if kind in ("date", "datetime"):
            when = pd.to_datetime(column)
            for part in ("year", "month", "day", "dayofweek", "dayofyear", "hour", "minute"):
                numbers[f"{name} {part}"] = getattr(when.dt, part).astype("float32")
        elif kind in ("category", "text"):
            known = frame.loc[train, name].dropna().astype(str)
            words = known.head(2000).str.count(" ").mean() + 1
            many = known.nunique() > max(50, len(train) // 5) or (words >= 5 and known.nunique() > 50)
            (texts if many else categories)[name] = column.astype(object).where(column.isna(), column.astype(str))
        elif kind == "time":
            numbers[name] = pd.to_timedelta(column.astype(str)).dt.total_seconds().astype("float32") / 3600
        elif kind == "duration":
            numbers[name] = pd.to_timedelta(column).dt.total_seconds().astype("float32")
        else:
            numbers[name] = pd.to_numeric(column, errors="coerce").astype("float32").replace([np.inf, -np.inf], np.nan)
    return pd.DataFrame({**numbers, **categories, **texts}, index=frame.index), list(numbers), list(categories), list(texts)


def natural(text):
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"([0-9]{1,18})", text)]


X, NUMBERS, CATEGORIES, TEXTS = columns_of(frame)
for name in TEXTS:
    X[name] = X[name].fillna("").astype(str)
VALUES = [sorted(X.loc[train, name].dropna().unique(), key=natural) for name in CATEGORIES]
MANY = [name for name, values in zip(CATEGORIES, VALUES) if len(values) > 200]


def for_trees(components, fill):
    """Numbers as they are, categories as codes (and the mean of the target where there are many), texts as components."""
    codes = OrdinalEncoder(categories=VALUES, handle_unknown="use_encoded_value", unknown_value=-1 if fill else np.nan, encoded_missing_value=-1 if fill else np.nan)
    numbers = SimpleImputer(strategy="median", keep_empty_features=True) if fill else "passthrough"
    steps = [("numbers", numbers, NUMBERS), ("codes", codes, CATEGORIES)]
    if MANY:
        target = {"regression": "continuous", "binary": "binary", "multiclass": "multiclass"}[TASK]
        means = make_pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), TargetEncoder(target_type=target))
        steps.append(("means", means, MANY))
    return ColumnTransformer(steps + [(name, StringEncoder(n_components=components, random_state=SEED), name) for name in TEXTS])


def drawn_in(numbers):
    return numbers / np.sqrt(1 + (numbers / 3) ** 2)


def for_lines(bins, squash=False):
    """Everything as numbers of similar size; with bins, numbers also as steps, which lets lines follow curves; squash draws far values in."""
    nearer = [RobustScaler(unit_variance=True), FunctionTransformer(drawn_in)] if squash else []
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), *nearer, StandardScaler())
    values = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10, max_categories=60)
    steps = [("numbers", numbers, NUMBERS), ("values", values, CATEGORIES)]
    if bins:
        steps.append(("steps", make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), KBinsDiscretizer(bins, strategy="quantile")), NUMBERS))
    return ColumnTransformer(steps + [(name, make_pipeline(StringEncoder(n_components=24, random_state=SEED), StandardScaler()), name) for name in TEXTS])


def outputs(model, rows):
    return model.predict(rows) if TASK == "regression" else model.predict_proba(rows)
''',
    "fit": '''
def told_by(member):
    """What one member says about the test rows: amounts learned as logarithms go back, probabilities are put right where that helped."""
    params, fit = member["params"], globals()["fit_" + member["family"]]
    if TASK == "regression" and params.get("log_target"):
        middle = np.median(y[train][y[train] > 0])
        offset = 0.0 if y[train].min() > 0.001 * middle else 0.1 * middle
        logs = np.log(y[train] + offset)
        told = fit(params, X.loc[train], logs, pd.concat([X.loc[test], X.loc[train].head(5000)]))
        reach = 0.1 * (logs.max() - logs.min())
        told = np.exp(np.clip(told, logs.min() - reach, logs.max() + reach))
        known = (y[train] + offset)[:5000].sum() / told[len(test):].sum()
        return told[: len(test)] * np.clip(known, 0.5, 2.0) - offset
    out = fit(params, X.loc[train], y[train], X.loc[test])
    if "power" in params:
        shares = np.bincount(y[train], minlength=len(CLASSES)) / len(train)
        raised = np.clip(out, 1e-12, 1.0) ** params["power"]
        out = (1 - params["pinch"]) * raised / raised.sum(axis=1, keepdims=True) + params["pinch"] * shares
    return out


out = sum(m["weight"] * told_by(m) for m in MEMBERS) / sum(m["weight"] for m in MEMBERS)
''',
    "check": """
score = score_of(METRIC, y[test], out)
print(f"{METRIC}: {score:,.8g}, told was {TOLD:,.8g}, tolerance {TOLERANCE:,.8g}")
assert abs(score - TOLD) <= TOLERANCE, "The score is further from the one told than the tolerance allows."
""",
}

FITTERS: dict[str, str] = {
    "lightgbm": '''
def fit_lightgbm(params, X_train, y_train, X_test):
    """Boosted trees; the mean of the models of several folds, each ended where its own fold stopped to get better."""
    settings = {k: v for k, v in params.items() if k not in ("rounds", "random_cuts", "linear_leaves", "log_target")}
    settings |= {"objective": "regression_l1" if METRIC == "mae" else TASK, "seed": SEED, "verbosity": -1, "bagging_freq": 1, "feature_pre_filter": False}
    settings["extra_trees"] = bool(params.get("random_cuts"))
    if TASK == "multiclass":
        settings["num_class"] = len(CLASSES)
    if params.get("linear_leaves"):
        settings |= {"linear_tree": True, "linear_lambda": 1.0}
    codes = list(range(len(NUMBERS), len(NUMBERS) + len(CATEGORIES)))

    def fit(rows, held, rounds):
        step = for_trees(12, fill=False)
        learned = lightgbm.Dataset(np.asarray(step.fit_transform(X_train.iloc[rows], y_train[rows]), dtype="float32"), y_train[rows], categorical_feature=codes, params=settings, free_raw_data=False)
        valid, stop = [], []
        if len(held):
            valid = [lightgbm.Dataset(np.asarray(step.transform(X_train.iloc[held]), dtype="float32"), y_train[held], reference=learned, params=settings, free_raw_data=False)]
            stop = [lightgbm.early_stopping(30 if settings["learning_rate"] >= 0.04 else 60, verbose=False)]
        booster = lightgbm.train(settings, learned, rounds, valid_sets=valid, callbacks=stop)
        raw = booster.predict(np.asarray(step.transform(X_test), dtype="float32"))
        return np.column_stack([1 - raw, raw]) if TASK == "binary" else raw

    if VALIDATION == "time" or FOLDS == 1 or len(y_train) > 60_000:
        return fit(np.arange(len(y_train)), [], max(round(1.1 * params["rounds"]), 1))
    made = []
    for repeat in range(REPEATS):
        folds = (KFold if TASK == "regression" else StratifiedKFold)(FOLDS, shuffle=True, random_state=SEED + repeat)
        made += [fit(rows, held, 2000) for rows, held in folds.split(X_train, y_train)]
    return np.mean(made, axis=0)
''',
    "forest": '''
def fit_forest(params, X_train, y_train, X_test):
    """A forest, or extremely randomised trees."""
    kinds = {("random", True): RandomForestRegressor, ("random", False): RandomForestClassifier, ("extra", True): ExtraTreesRegressor, ("extra", False): ExtraTreesClassifier}
    large = len(y_train) > 120_000
    forest = kinds[params["kind"], TASK == "regression"](
        n_estimators=params["trees"],
        min_samples_leaf=params["min_samples_leaf"],
        max_features=params["max_features"],
        bootstrap=params["kind"] == "random" or large,
        max_samples=120_000 if large else None,
        n_jobs=-1,
        random_state=SEED,
    )
    return outputs(make_pipeline(for_trees(3, fill=True), forest).fit(X_train, y_train), X_test)
''',
    "linear": '''
def fit_linear(params, X_train, y_train, X_test):
    """Logistic or ridge regression."""
    model = Ridge(alpha=params["alpha"]) if TASK == "regression" else LogisticRegression(C=params["C"], max_iter=params["iterations"])
    return outputs(make_pipeline(for_lines(params.get("bins", 0)), model).fit(X_train, y_train), X_test)
''',
    "neural": '''
def fit_neural(params, X_train, y_train, X_test):
    """A small network with a falling rate; the mean of the networks of several folds."""
    middle, spread = (y_train.mean(), y_train.std()) if TASK == "regression" else (0.0, 1.0)
    goal = (y_train - middle) / spread if TASK == "regression" else y_train

    def fit(rows):
        step = for_lines(params.get("bins", 0), squash=True)
        learned = step.fit_transform(X_train.iloc[rows], y_train[rows])
        kind = MLPRegressor if TASK == "regression" else MLPClassifier
        batch = int(np.clip(len(rows) // 20, 16, 256))
        model = kind(hidden_layer_sizes=(params["width"],) * params["layers"], alpha=params["decay"], batch_size=batch, random_state=SEED, max_iter=1)
        for epoch in range(params["epochs"]):
            done = epoch / params["epochs"]
            share = 0.1 + 9 * done if done < 0.1 else 0.505 + 0.5 * np.cos(np.pi * (done - 0.1) / 0.9)
            if epoch:
                model._optimizer.learning_rate_init = params["rate"] * share
                model.partial_fit(learned, goal[rows])
            else:
                model.set_params(learning_rate_init=params["rate"] * share)
                model.partial_fit(learned, goal[rows], *([] if TASK == "regression" else [np.arange(len(CLASSES))]))
        return outputs(model, step.transform(X_test)) * spread + middle if TASK == "regression" else outputs(model, step.transform(X_test))

    if VALIDATION == "time" or FOLDS == 1 or len(y_train) > 60_000:
        return fit(np.arange(len(y_train)))
    folds = (KFold if TASK == "regression" else StratifiedKFold)(FOLDS, shuffle=True, random_state=SEED)
    return np.mean([fit(rows) for rows, _ in folds.split(X_train, y_train)], axis=0)
''',
    "neighbours": '''
def fit_neighbours(params, X_train, y_train, X_test):
    """The nearest rows, nearer ones counting more."""
    kind = KNeighborsRegressor if TASK == "regression" else KNeighborsClassifier
    return outputs(make_pipeline(for_lines(0), kind(n_neighbors=params["neighbours"], weights=params["weights"])).fit(X_train, y_train), X_test)
''',
}

SCORERS = """
def score_of(name, y, out):
    if TASK == "regression":
        return {"rmse": lambda: metrics.mean_squared_error(y, out) ** 0.5, "mae": lambda: metrics.mean_absolute_error(y, out), "r2": lambda: metrics.r2_score(y, out)}[name]()
    named, labels = out.argmax(axis=1), list(range(len(CLASSES)))
    return {
        "log_loss": lambda: metrics.log_loss(y, out / out.sum(axis=1, keepdims=True), labels=labels),
        "roc_auc": lambda: metrics.roc_auc_score(y, out[:, 1]),
        "average_precision": lambda: metrics.average_precision_score(y, out[:, 1]),
        "accuracy": lambda: metrics.accuracy_score(y, named),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, named),
        "f1": lambda: metrics.f1_score(y, named),
        "macro_f1": lambda: metrics.f1_score(y, named, average="macro"),
    }[name]()
"""
