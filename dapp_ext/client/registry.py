"""Versions of a model in a notebook: compared, promoted, rolled back; one recipe over many datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import get_dataset
from dapp_ext.client.drawing import ago, card, number, paragraph, table, text_table
from dapp_ext.client.jobs import Job
from dapp_ext.client.models import Model, get_model
from dapp_ext.client.objects import Listing
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import Invalid
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import ModelRead
from dapp_ext.schema.registry import BatchTrainRequest, PromotionRead, ReasonRequest, RegisterRequest, VersionsRead
from dapp_ext.schema.registry import Comparison as ComparisonRead

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: dict[str, Callable[[Model], Any]] = {
    "version": lambda each: each.version,
    "champion": lambda each: "champion" if each.read.champion else "",
    "status": lambda each: each.read.status,
    "score": lambda each: f"{each.read.score.label} {number(each.read.score.value, each.read.score.value)}" if each.read.score else "",
    "dataset": lambda each: f"{each.read.dataset.name} (version {each.read.dataset_version})",
    "tags": lambda each: ", ".join(each.read.tags),
    "made": lambda each: ago(each.read.created_at),
}


class Versions(Listing[Model]):
    """The versions of a model, newest first; ``promotions`` tells how its champion changed."""

    def __init__(self, models: Sequence[Model], read: VersionsRead) -> None:
        super().__init__(models, f"Versions of {read.name}", _COLUMNS)
        self.promotions: list[PromotionRead] = read.promotions

    @property
    def champion(self) -> Model | None:
        """The version that predictions by name go to, where one was promoted."""
        return next((each for each in self if each.read.champion), None)


@short_tracebacks
class Comparison:
    """Two models side by side; draws itself in a notebook."""

    def __init__(self, read: ComparisonRead) -> None:
        self.read = read

    @property
    def sentence(self) -> str:
        """Which is better, and whether chance explains it."""
        return self.read.sentence

    @property
    def scores(self) -> pd.DataFrame:
        """Each metric of both, on their locked test parts."""
        import pandas as pd

        names = ("name", "label", "a", "b", "better", "apart")
        return pd.DataFrame([{name: getattr(pair, name) for name in names} for pair in self.read.scores], columns=list(names)).set_index("name")

    @property
    def recipe(self) -> pd.DataFrame:
        """What differs in how they were made."""
        import pandas as pd

        return pd.DataFrame([each.model_dump() for each in self.read.recipe], columns=["name", "a", "b"]).set_index("name")

    def _lines(self) -> list[list[Any]]:
        return [[pair.label, number(pair.a, pair.a), number(pair.b, pair.a if pair.a is not None else pair.b), pair.better or ""] for pair in self.read.scores]

    def _heads(self) -> list[str]:
        return ["", *(f"{letter}: {each.name} version {each.version}" for letter, each in (("a", self.read.a), ("b", self.read.b))), "better"]

    def __repr__(self) -> str:
        return f"{self.sentence}\n{text_table(self._heads(), self._lines())}"

    def _repr_html_(self) -> str:
        differences = table(["", "a", "b"], [[each.name, str(each.a), str(each.b)] for each in self.read.recipe])
        return card("Comparison", paragraph(self.sentence, "lead"), table(self._heads(), self._lines()), differences)


def versions(connection: Connection, ref: object | None) -> Versions:
    """All versions of a model's name."""
    model = get_model(connection, ref)
    read = connection.transport.get(VersionsRead, f"models/{path_of(model.id)}/versions")
    return Versions([Model(connection, each) for each in read.versions], read)


def compare(connection: Connection, a: object, b: object) -> Comparison:
    """Two models side by side."""
    return Comparison(connection.transport.get(ComparisonRead, "models/compare", a=get_model(connection, a).id, b=get_model(connection, b).id))


def promote(connection: Connection, ref: object | None, reason: str) -> Model:
    """Make a version the champion of its name."""
    model = get_model(connection, ref)
    return Model(connection, connection.transport.post(ModelRead, f"models/{path_of(model.id)}/promote", ReasonRequest(reason=reason)))


def rollback(connection: Connection, ref: object | None, reason: str) -> Model:
    """Bring back the champion before; answers it."""
    model = get_model(connection, ref)
    return Model(connection, connection.transport.post(ModelRead, f"models/{path_of(model.id)}/rollback", ReasonRequest(reason=reason)))


def train_batch(connection: Connection, datasets: Sequence[object], target: str | None, options: Mapping[str, Any]) -> Job:
    """Train a model of each dataset with one recipe."""
    given = {name: value for name, value in options.items() if value is not None}
    sources = [get_dataset(connection, each).id for each in datasets]
    try:
        request = BatchTrainRequest.model_validate({"datasets": sources, "target": target, **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"The option {'.'.join(str(part) for part in first['loc'])!r} cannot be used: {first['msg']}.") from error
    return Job(connection, connection.transport.post(JobRead, "models/batch", request))


def register(connection: Connection, pipeline: Any, request: RegisterRequest, *, wait: bool = True) -> Model:
    """Send a fitted pipeline as skops bytes and wait until it is scored."""
    try:
        import skops.io
    except ImportError as error:
        raise Invalid("Registering a pipeline needs the package skops: pip install skops.") from error
    _expect_fitted(pipeline)
    try:
        data = skops.io.dumps(pipeline)
    except Exception as error:
        raise Invalid(f"skops cannot write this {type(pipeline).__name__} ({type(error).__name__}). Give a fitted scikit-learn pipeline.") from error
    query = {name: value for name, value in request.model_dump(mode="json").items() if value is not None}
    model = Model(connection, connection.transport.upload(ModelRead, "models/register", [data], size=len(data), query=query))
    connection.remember("model", model.id)
    return model.wait() if wait else model


def _expect_fitted(pipeline: Any) -> None:
    """Stop what says of itself that it has not learned, as scikit-learn's estimators do; of others the server says what they are not."""
    says = getattr(pipeline, "__sklearn_is_fitted__", None)
    learned = says() if callable(says) else not hasattr(pipeline, "get_params") or any(name.endswith("_") for name in vars(pipeline))
    if not learned:
        raise Invalid(f"This {type(pipeline).__name__} has not learned anything yet. Call its fit() first.")
