"""A model as bytes and back: a zip with ``metadata.json`` and ``model.skops``.

Only skops is read, with the constant list of types below, reviewed with each release; there is no pickle on any path.
What is read is checked before it predicts: trees point forward inside themselves, widths fit, and a probe row gives
finite answers.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pyarrow as pa
import sklearn
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from dapp_ext.domain.learning.adjusting import Calibrated, LogValues
from dapp_ext.domain.learning.blending import Blend
from dapp_ext.domain.learning.features import Encoded, TableEncoder
from dapp_ext.domain.learning.predictor import Predictor
from dapp_ext.errors import DappError, IntegrityFailed, Invalid
from dapp_ext.schema.datasets import Column

FORMAT = 1
LARGEST_BYTES = 4 * 1024**3
_HOME = "dapp_ext.domain.learning"
# Types beyond those that skops itself trusts. Reviewed: each holds plain values and arrays and runs nothing when read.
TRUSTED: tuple[str, ...] = (
    f"{_HOME}.features.TableEncoder",
    f"{_HOME}.preparation.TreePreparation",
    f"{_HOME}.preparation.LinearPreparation",
    f"{_HOME}.preparation.TextComponents",
    f"{_HOME}.means.TargetMeans",
    f"{_HOME}.learners.BoostedTrees",
    f"{_HOME}.blending.Blend",
    f"{_HOME}.adjusting.LogValues",
    f"{_HOME}.adjusting.Calibrated",
    "sklearn.tree._tree.Tree",
    "skrub._string_encoder.StringEncoder",
    "skrub._to_str.ToStr",
)


def dump(predictor: Predictor) -> bytes:
    """The predictor as bytes."""
    metadata = {
        "format": FORMAT,
        "target": predictor.target,
        "task": predictor.task,
        "features": [c.model_dump() for c in predictor.features],
        "labels": predictor.labels,
        "label_type": predictor.label_type,
        "libraries": predictor.libraries,
        "background": _plain(predictor.background),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        bundle.writestr("metadata.json", json.dumps(metadata))
        bundle.writestr("model.skops", skops.io.dumps(predictor.pipeline, compression=zipfile.ZIP_DEFLATED, compresslevel=1))
    return out.getvalue()


def _plain(rows: Encoded | None) -> dict[str, Any] | None:
    if rows is None:
        return None
    numbers = [[None if np.isnan(v) else float(v) for v in row] for row in rows.numbers]
    return {"numbers": numbers, "codes": rows.codes.tolist(), "texts": rows.texts.tolist()}


def _rows(plain: dict[str, Any] | None) -> Encoded | None:
    if plain is None:
        return None
    numbers = np.asarray(plain["numbers"], dtype=np.float32).reshape(len(plain["numbers"]), -1)  # None becomes NaN
    codes = np.asarray(plain["codes"], dtype=np.int32).reshape(len(numbers), -1)
    texts = np.asarray(plain["texts"], dtype=object).reshape(len(numbers), -1)
    return Encoded(numbers, codes, texts)


def load_predictor(data: bytes) -> Predictor:
    """The predictor that :func:`dump` made these bytes of.

    Raises
    ------
    IntegrityFailed
        The bytes are not such a bundle, were changed, or name types that are not on the list.
    Invalid
        The model was made by another release of scikit-learn.
    """
    from dapp_ext.domain.learning import registered

    if registered.is_bundle(data):
        return registered.load(data)
    try:
        metadata, model = _unpack(data)
        _check_versions(metadata)
        pipeline = skops.io.loads(model, trusted=list(TRUSTED))
        predictor = Predictor(
            target=metadata["target"],
            task=metadata["task"],
            features=[Column.model_validate(c) for c in metadata["features"]],
            labels=metadata["labels"],
            label_type=metadata["label_type"],
            pipeline=pipeline,
            libraries=metadata["libraries"],
            background=_rows(metadata.get("background")),
        )
        _check_structure(predictor)
    except DappError:
        raise
    except UntrustedTypesFoundException as error:
        raise IntegrityFailed("The stored model holds types that are not allowed and is not used. Train it again.") from error
    except Exception as error:  # any failure while reading foreign bytes means the same: they are not a model of ours
        raise IntegrityFailed("The stored model is damaged or not a model of this platform, and is not used. Restore it from a backup.") from error
    return predictor


def _unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        if sorted(bundle.namelist()) != ["metadata.json", "model.skops"]:
            raise IntegrityFailed("The stored model has other parts than expected and is not used.")
        if sum(i.file_size for i in bundle.infolist()) > LARGEST_BYTES:
            raise IntegrityFailed("The stored model is larger than any model of this platform and is not used.")
        metadata = json.loads(bundle.read("metadata.json"))
        model = bundle.read("model.skops")
    with zipfile.ZipFile(io.BytesIO(model)) as inner:
        if sum(i.file_size for i in inner.infolist()) > LARGEST_BYTES:
            raise IntegrityFailed("The stored model is larger than any model of this platform and is not used.")
    if metadata.get("format") != FORMAT:
        raise Invalid("The stored model has a format that this release does not read. Train it again.")
    return metadata, model


def _check_versions(metadata: dict[str, Any]) -> None:
    made, here = str(metadata["libraries"].get("scikit-learn", "")), sklearn.__version__
    if made.split(".")[:2] != here.split(".")[:2]:
        raise Invalid(f"The model was made with scikit-learn {made}, and this is {here}. Train it again.")


def _check_structure(predictor: Predictor) -> None:
    if set(predictor.pipeline.named_steps) not in ({"table", "prepare", "learn"}, {"table", "learn"}):
        raise IntegrityFailed("The stored model has other steps than expected and is not used.")
    if not isinstance(predictor.encoder, TableEncoder) or [c.name for c in predictor.encoder.columns or []] != [c.name for c in predictor.features]:
        raise IntegrityFailed("The stored model does not fit its own description and is not used.")
    last = predictor.pipeline.named_steps["learn"]
    for model in [m for _, m in last.members] if isinstance(last, Blend) else [last]:
        while isinstance(model, (LogValues, Calibrated)):
            model = model.model
        for tree in getattr(model, "estimators_", []):
            _check_tree(tree.tree_, int(model.n_features_in_))
    probe = pa.table({c.name: pa.nulls(2) for c in predictor.features})
    out = predictor.outputs(predictor.encoder.transform(probe))
    if out.shape != ((2, len(predictor.labels)) if predictor.labels else (2,)) or not np.isfinite(out).all():
        raise IntegrityFailed("The stored model gives no sensible answers and is not used. Restore it from a backup.")


def _check_tree(tree: Any, width: int) -> None:
    count = tree.node_count
    places = np.arange(count)
    left, right = tree.children_left, tree.children_right
    inner = left != -1
    forward = (left[inner] > places[inner]).all() and (right[inner] > places[inner]).all()
    inside = (left < count).all() and (right < count).all() and ((right != -1) == inner).all()
    if not (forward and inside and (tree.feature[inner] >= 0).all() and (tree.feature[inner] < width).all() and np.isfinite(tree.value).all()):
        raise IntegrityFailed("A tree of the stored model is damaged; the model is not used. Restore it from a backup.")
