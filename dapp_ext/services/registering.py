"""Pipelines fitted in a notebook: received, checked against the allow-list, scored in the background."""

from __future__ import annotations

from dapp_ext.errors import ColumnUnknown, Invalid, TooLarge
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.models import ModelRead
from dapp_ext.schema.registry import RegisterRequest
from dapp_ext.services import files, models
from dapp_ext.services.context import Context
from dapp_ext.services.jobs import add_job
from dapp_ext.services.models import Models
from dapp_ext.services.passes import FilePass
from dapp_ext.services.scorers import Scorers
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import thing_of
from dapp_ext.store.tables import Dataset, DatasetVersion

LARGEST_PIPELINE = 512 * 1024 * 1024


class Registering:
    """The service."""

    def __init__(self, context: Context, tables: Tables, models_service: Models, scorers: Scorers) -> None:
        self._context = context
        self._tables = tables
        self._models = models_service
        self._scorers = scorers

    def begin(self, actor: Actor, request: RegisterRequest, size: int | None = None) -> Registration:
        """Start to receive a pipeline as skops bytes.

        Raises
        ------
        ColumnUnknown, NotReady, TooLarge
            Whatever can be known before any byte is taken.
        """
        self._context.permit(actor, "model.register")
        if size is not None and size > LARGEST_PIPELINE:
            raise TooLarge(f"A pipeline may have {LARGEST_PIPELINE:,} bytes at the most.")
        table = self._tables.open(actor, request.dataset, request.version, "dataset.use")
        if request.target not in {column.name for column in table.columns}:
            raise ColumnUnknown(f"The dataset has no column named {request.target!r}. Choose one of its {len(table.columns)} columns.")
        with self._context.database.read() as session:
            dataset, version = self._tables.find(actor, session, table.dataset_id, table.version, "dataset.use")
        return Registration(self._context, (self._models, self._scorers), actor, request, (dataset, version))


class Registration:
    """A pipeline that is coming in: sealed while it is received, nothing is known of it before :meth:`finish`."""

    def __init__(self, context: Context, parts: tuple[Models, Scorers], actor: Actor, request: RegisterRequest, source: tuple[Dataset, DatasetVersion]) -> None:
        self._context = context
        self._models, self._scorers = parts
        self._actor = actor
        self._request = request
        self._dataset, self._version = source
        self._received = 0
        self._key = context.keyring.new_data_key()
        self._staged = files.start_file(context, "", 1, "pipeline", self._key)

    def write(self, data: bytes) -> None:
        """Take some bytes; refuses as soon as there are too many."""
        self._received += len(data)
        if self._received > LARGEST_PIPELINE:
            self.abort()
            raise TooLarge(f"A pipeline may have {LARGEST_PIPELINE:,} bytes at the most.")
        self._staged.write(data)

    def finish(self) -> ModelRead:
        """Check the pipeline, make it known as the next version of its name, and queue its scoring.

        Raises
        ------
        ModelTypeRefused
            It holds types that are not on the allow-list; they are named.
        """
        if self._received == 0:
            self.abort()
            raise Invalid("There is no pipeline in the body. Send what skops.io.dumps makes of a fitted scikit-learn pipeline.")
        with self._staged as staged:
            stored = staged.finish()
            staged.publish()
        label = staged.label
        path = self._context.objects.path_for(label.object_id, label.generation, label.purpose)
        try:
            self._scorers.inspect(FilePass(path, label, files.file_key(self._key, label.object_id)))
        except BaseException:
            self._context.objects.delete(label.object_id, label.generation, label.purpose)
            raise
        request = self._request
        with self._context.change(self._actor, "model.register") as change:
            model = self._models.new_version(change, request.name, self._dataset, self._version.version, self._key)
            if request.visibility is not None and model.version == 1:
                model.visibility = request.visibility
            model.origin = "registered"
            model.pipeline_id = files.record(change.session, model.id, label, stored)
            asked = {"target": request.target, "task": request.task, "unseen": request.unseen}
            inside = {"target": request.target, "task": request.task, "recipe": {"registered": True}}
            model.sealed = self._context.seal(change.session, model.id, models.place_of(model), inside)
            subject = Subject(kind="model", id=model.id)
            job = add_job(self._context, change, "register", thing_of(model), subject, model.name, {"asked": asked})
            model.job_id = job.id
            change.session.add(model)
            models.tell(change, "model.training", model)
            return models.read(self._context, change.session, model)

    def abort(self) -> None:
        """Forget the pipeline; nothing is left of it."""
        self._staged.abort()
