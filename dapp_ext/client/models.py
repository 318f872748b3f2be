"""Models in a notebook: trained, followed live, understood, used."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from dapp_ext.client.connection import Connection
from dapp_ext.client.datasets import Dataset, get_dataset, pages
from dapp_ext.client.drawing import ago, badge, card, number, paragraph
from dapp_ext.client.frames import save
from dapp_ext.client.jobs import Job, failure_of
from dapp_ext.client.leaderboard import board_shown
from dapp_ext.client.live import wait_until
from dapp_ext.client.objects import Listing, Thing, reference
from dapp_ext.client.progress import Display, say
from dapp_ext.client.results import Results
from dapp_ext.client.sharing import grants, share_with
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.client.versions import DatasetLineage, lineage
from dapp_ext.errors import Invalid, JobCancelled, TargetUnusable
from dapp_ext.schema import models as shapes
from dapp_ext.schema.datasets import Profile, Visibility
from dapp_ext.schema.events import Event
from dapp_ext.schema.grants import GrantLevel, GrantRead
from dapp_ext.schema.jobs import JobRead
from dapp_ext.schema.models import (
    FINAL_MODEL_STATUSES,
    ExtendRequest,
    Leaderboard,
    ModelRead,
    ModelUpdate,
    RescoreRequest,
    SecondScore,
    TrainRequest,
)

if TYPE_CHECKING:
    import pandas as pd

_TONES = {"queued": "calm", "training": "busy", "ready": "good", "failed": "bad", "cancelled": "warn"}


@short_tracebacks
class Model(Thing[ModelRead]):
    """A model of the workspace; its ``str`` is its id.

    The properties are as last read; :meth:`refresh` reads again.
    """

    @property
    def name(self) -> str:
        return self._read.name

    @property
    def status(self) -> str:
        """``queued``, ``training``, ``ready``, ``failed`` or ``cancelled``; read from the server while it is not final."""
        if not self._final:
            self.refresh()
        return self._read.status

    @property
    def version(self) -> int:
        """Which version of its name it is."""
        return self._read.version

    @property
    def target(self) -> str | None:
        """The column that it predicts."""
        return self._read.target

    @property
    def task(self) -> str | None:
        """``binary``, ``multiclass`` or ``regression``."""
        return self._read.task

    @property
    def score(self) -> float | None:
        """The headline score on rows that the search never saw; ``None`` until it is ready."""
        return self._read.score.value if self._read.score else None

    @property
    def sentence(self) -> str | None:
        """The result in one sentence; ``None`` until it is ready."""
        return self._read.sentence

    @property
    def _final(self) -> bool:
        return self._read.status in FINAL_MODEL_STATUSES

    def refresh(self) -> Model:
        """Read again how it is now."""
        self._read = self._connection.transport.get(ModelRead, f"models/{path_of(self.id)}")
        return self

    def wait(self, timeout: float | None = None) -> Model:
        """Wait until it is trained, with the leaderboard live on the screen.

        Interrupting the wait does not stop the training; :meth:`stop` does.

        Raises
        ------
        DappError
            The reason, when it could not be trained.
        TimeExceeded
            When it takes longer than ``timeout`` seconds.
        """
        with Display() as display:
            return _wait_trained(self, display, timeout)

    def stop(self) -> Model:
        """End the search now and keep the best model so far."""
        self._read = self._connection.transport.post(ModelRead, f"models/{path_of(self.id)}/stop")
        return self

    def extend(self, seconds: int = 600) -> Model:
        """Give the search so many more seconds."""
        self._read = self._connection.transport.post(ModelRead, f"models/{path_of(self.id)}/extend", ExtendRequest(seconds=seconds))
        return self

    def skip(self, family: str) -> Model:
        """Leave a family of learners, such as ``"forest"``, out of the rest of the search."""
        self._read = self._connection.transport.post(ModelRead, f"models/{path_of(self.id)}/skip", {"family": family})
        return self

    def score_again(
        self, finding: str | None = None, *, fix: str | None = None, without: Sequence[str] = (), time_budget: int = 20, timeout: float | None = None
    ) -> SecondScore:
        """The score with the fix of a finding, or without some columns, beside the score as it is.

        Parameters
        ----------
        finding : str, optional
            The code of a finding in ``results().guards``, such as ``"leakage"``; its recommended fix is tried, or ``fix``.
        without : sequence of str
            The columns to score without; with a finding, some of its columns.

        Returns
        -------
        SecondScore
            The learner that did best alone, cross-validated before and after. It stays in the results, at every door.
        """
        request = RescoreRequest(guard=finding, fix=fix, columns=[without] if isinstance(without, str) else list(without), time_budget=time_budget)
        read = self._connection.transport.post(JobRead, f"models/{path_of(self.id)}/rescore", request)
        Job(self._connection, read).wait(timeout)
        found = self._connection.transport.get(shapes.Results, f"models/{path_of(self.id)}/results").second_scores
        asked = [each for each in found if each.guard == finding or finding is None]
        return (asked or found)[-1]

    def note(self, text: str | None = None, *, tags: Sequence[str] | None = None) -> Model:
        """Write something about this version: a note, tags; what is left out stays as it is."""
        return self._update(ModelUpdate(notes=text, tags=None if tags is None else list(tags)))

    def leaderboard(self) -> pd.DataFrame:
        """The trials so far, best first: learner, parameters, score with its spread, seconds."""
        return trials_frame(self.board().trials)

    def results(self) -> Results:
        """All that is known about it; draws itself in a notebook."""
        return get_results(self._connection, self)

    def predict(self, frame: Any) -> pd.DataFrame:
        """Predict rows now; see :meth:`DAPPClient.predict`."""
        from dapp_ext.client.predictions import predict

        return predict(self._connection, self, frame)

    def predict_dataset(self, dataset: object, name: str | None = None, *, wait: bool = True) -> Dataset:
        """Predict a whole dataset; see :meth:`DAPPClient.predict_dataset`."""
        from dapp_ext.client.predictions import predict_dataset

        return predict_dataset(self._connection, self, dataset, name, wait=wait)

    def export(self, path: str | os.PathLike[str], format: Literal["skops", "notebook", "card"] = "skops") -> Path:
        """Save it: as skops, which scikit-learn reads without running foreign code, as the notebook that makes it again, or as its card, a page."""
        with self._connection.transport.download(f"models/{path_of(self.id)}/export", format=format) as stream:
            return save(stream, Path(path).expanduser())

    def rename(self, name: str) -> Model:
        """Give it another name."""
        return self._update(ModelUpdate(name=name))

    def share(self, visibility: Visibility = "team") -> Model:
        """Show it to the team, or keep it ``private``."""
        return self._update(ModelUpdate(visibility=visibility))

    def share_with(self, person: str, level: GrantLevel | None = "use") -> Listing[GrantRead]:
        """Let a colleague (by e-mail address, name or id) ``read``, ``use`` or ``edit`` it, or no more with ``None``."""
        return share_with(self._connection, "models", self.id, person, level)

    def shared_with(self) -> Listing[GrantRead]:
        """The people it is shared with by name."""
        return grants(self._connection, "models", self.id)

    def lineage(self) -> DatasetLineage:
        """What it learned from, and what it predicted."""
        return lineage(self._connection, "models", self.id)

    def delete(self) -> None:
        """Delete it for good."""
        self._connection.transport.call("DELETE", f"models/{path_of(self.id)}")

    def _update(self, change: ModelUpdate) -> Model:
        self._read = self._connection.transport.patch(ModelRead, f"models/{path_of(self.id)}", change)
        return self

    def board(self) -> Leaderboard:
        """The trials so far as they came over the wire, with the seconds left."""
        return self._connection.transport.get(Leaderboard, f"models/{path_of(self.id)}/leaderboard")

    def _summary(self) -> str:
        read = self._read
        if read.status in ("failed", "cancelled"):
            return read.error or "It could not be trained."
        if read.status == "ready":
            return read.sentence or "It is trained."
        return "Waiting for its turn." if read.status == "queued" else f"Being trained, {read.time_budget} s at the most."

    def __repr__(self) -> str:
        predicts = f" predicts {self.target!r}" if self.target else ""
        score = f" · {self._read.score.label} {number(self._read.score.value, self._read.score.value)}" if self._read.score else ""
        return f"Model {self.name!r}{predicts} · {self._read.status}{score} · id {self.id}\n{self._summary()}"

    def _repr_html_(self) -> str:
        read = self._read
        title = read.name if read.target is None else f"{read.name} · predicts {read.target}"
        facts = [f"{read.dataset.name} (version {read.dataset_version})", read.owner.name, ago(read.created_at), read.visibility]
        score = read.score
        if score is not None:
            facts.insert(
                0,
                f"{score.label} {number(score.value, score.value)}, between {number(score.low, score.value)} and {number(score.high, score.value)}; guessing {number(score.baseline, score.value)}",
            )
        return card(title, paragraph(self._summary(), "lead"), paragraph(" · ".join(facts), "soft"), badge=badge(read.status, _TONES[read.status]))


_COLUMNS: dict[str, Callable[[Model], Any]] = {
    "name": lambda each: each.name,
    "status": lambda each: each.read.status,
    "predicts": lambda each: each.target,
    "score": lambda each: f"{each.read.score.label} {number(each.read.score.value, each.read.score.value)}" if each.read.score else "",
    "dataset": lambda each: each.read.dataset.name,
    "owner": lambda each: each.read.owner.name,
    "made": lambda each: ago(each.read.created_at),
}


def train(connection: Connection, dataset: object | None, target: str | None, options: Mapping[str, Any]) -> Model:
    """Ask for a model; what is left out of the options is chosen by the server and said in the results."""
    wait = bool(options.get("wait", False))
    given = {name: value for name, value in options.items() if value is not None and name != "wait"}
    source = get_dataset(connection, dataset)
    if source.status == "processing":
        source.wait()
    if target is None:
        target = _likely_target(connection, source)
    try:
        request = TrainRequest.model_validate({"dataset": source.id, "target": target, **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"The option {'.'.join(str(part) for part in first['loc'])!r} cannot be used: {first['msg']}.") from error
    model = Model(connection, connection.transport.post(ModelRead, "models", request))
    connection.remember("model", model.id)
    return model.wait() if wait else model


def get_model(connection: Connection, ref: object | None = None) -> Model:
    """A model by object, id or name; the one used last when none is given."""
    wanted = reference(ref, "a model") if ref is not None else connection.last("model")
    if wanted is None:
        raise Invalid("Which model? Give one, such as: client.get_results(client.models()[0])")
    model = ref if isinstance(ref, Model) else Model(connection, connection.transport.get(ModelRead, f"models/{path_of(wanted)}"))
    connection.remember("model", model.id)
    return model


def list_models(connection: Connection, search: str | None = None) -> Listing[Model]:
    """All models that this account may see, the newest first."""
    found: list[Model] = []
    for page in pages(connection, ModelRead, "models", search=search):
        found += [Model(connection, read) for read in page]
    return Listing(found, "Models", _COLUMNS)


def get_results(connection: Connection, ref: object | None = None) -> Results:
    """All that is known about a trained model."""
    model = get_model(connection, ref)
    return Results(connection.transport.get(shapes.Results, f"models/{path_of(model.id)}/results"))


def trials_frame(trials: list[shapes.Trial]) -> pd.DataFrame:
    """Trials as a frame."""
    import pandas as pd

    columns = ("number", "family", "label", "score", "std", "seconds", "status", "is_best", "near_best", "recommended", "params")
    return pd.DataFrame([{name: getattr(trial, name) for name in columns} for trial in trials], columns=list(columns))


def _likely_target(connection: Connection, dataset: Dataset) -> str:
    """The column that is probably meant, said aloud; asked for when that is doubtful."""
    profile = connection.transport.get(Profile, f"datasets/{path_of(dataset.id)}/profile")
    if profile.likely_target is None:
        names = ", ".join(dataset.columns[:12]) + (" …" if len(dataset.columns) > 12 else "")
        raise TargetUnusable(f'Which column is to be predicted? Name it: client.train_model(dataset, target="…"). The columns are: {names}.')
    reason = f" ({profile.likely_target_reason.rstrip('.')})" if profile.likely_target_reason else ""
    say(f"Predicting {profile.likely_target!r}{reason}. For another column give target=…")
    return profile.likely_target


def _wait_trained(model: Model, display: Display, timeout: float | None) -> Model:
    connection = model._connection
    told: dict[str, str | None] = {"code": None}

    def concerns(event: Event) -> bool:
        if event.subject.id != model.id:
            return False
        told["code"] = event.data.get("error") or told["code"]
        return True

    def look() -> Model | None:
        model.refresh()
        if display.seen:
            display.show(board_shown(model.read, model.board()), now=model._final)
        return model if model._final else None

    wait_until(connection.feed, look, concerns, timeout=timeout)
    if model.read.status == "cancelled":
        raise JobCancelled(model.read.error)
    if model.read.status == "failed":
        raise failure_of(connection, model.read, told["code"])
    return model
