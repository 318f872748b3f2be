"""What came from what, as far as the asking account may see it."""

from __future__ import annotations

from dapp_ext.domain.access import allowed
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.lineage import Lineage, LineageEdge, LineageNode
from dapp_ext.services.context import Context
from dapp_ext.services.models import Models
from dapp_ext.services.reads import status_of
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import kind_of, thing_for
from dapp_ext.store import datasets as store
from dapp_ext.store import models as models_store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Dataset, DatasetVersion, Model

_LABELS = {"reread": "read again", "fix": "mended", "undo": "fix taken back", "restore": "brought back"}


class LineageService:
    """The service."""

    def __init__(self, context: Context, tables: Tables, models: Models) -> None:
        self._context = context
        self._tables = tables
        self._models = models

    def of_dataset(self, actor: Actor, ref: str) -> Lineage:
        """Where a dataset comes from, and what was made from it."""
        with self._context.database.read() as session:
            dataset, _ = self._tables.find(actor, session, ref, None, "dataset.read")
            drawing = _Drawing(session, actor, dataset.id)
            drawing.dataset(dataset)
            return drawing.answer()

    def of_model(self, actor: Actor, ref: str) -> Lineage:
        """What a model learned from, and what it predicted."""
        with self._context.database.read() as session:
            model = self._models.find(actor, session, ref, "model.read")
            drawing = _Drawing(session, actor, model.id)
            drawing.model(model)
            source = session.get(Dataset, model.dataset_id)
            if source is not None:
                drawing.versions(source)
            return drawing.answer()


class _Drawing:
    """Gathers nodes and edges; an edge is drawn only when both its ends are."""

    def __init__(self, session: Session, actor: Actor, here: str) -> None:
        self._session, self._actor, self._here = session, actor, here
        self._nodes: dict[str, LineageNode] = {}
        self._edges: list[LineageEdge] = []

    def answer(self) -> Lineage:
        nodes = sorted(self._nodes.values(), key=lambda node: (node.created_at is not None, node.created_at, node.id))
        edges = [edge for edge in dict.fromkeys(self._edges) if edge.source in self._nodes and edge.target in self._nodes]
        return Lineage(nodes=nodes, edges=edges)

    def dataset(self, dataset: Dataset) -> None:
        """A dataset with all its versions, what they were predicted from, and what was made from them."""
        self.versions(dataset)
        for version in store.versions(self._session, dataset.id):
            model = self._session.get(Model, version.source_model_id) if version.source_model_id else None
            if model is not None:
                self.model(model)
            source = self._session.get(Dataset, version.source_dataset_id) if version.source_dataset_id else None
            if source is not None:
                self.versions(source)
        for model in models_store.of_dataset(self._session, dataset.id):
            self.model(model)
        for made, version in store.predicted_from(self._session, dataset.id):
            self._version(made, version)

    def model(self, model: Model) -> None:
        """A model, and the datasets that it predicted."""
        if f"model:{model.id}" in self._nodes or not self._may_see(model):
            return
        node = LineageNode(
            id=f"model:{model.id}",
            kind="model",
            name=model.name,
            subject_kind="model",
            subject_id=model.id,
            version=model.version,
            status=model.status,
            created_at=model.created_at,
            here=model.id == self._here,
        )
        self._nodes[node.id] = node
        self._edge(_version_id(model.dataset_id, model.dataset_version), node.id, "trained")
        for made, version in store.predicted_by(self._session, model.id):
            self._version(made, version)

    def versions(self, dataset: Dataset) -> None:
        """All versions of a dataset and the files behind them."""
        if self._may_see(dataset):
            for version in store.versions(self._session, dataset.id):
                self._version(dataset, version)

    def _version(self, dataset: Dataset, version: DatasetVersion) -> None:
        node_id = _version_id(dataset.id, version.version)
        if node_id in self._nodes or not self._may_see(dataset):
            return
        predicted = version.origin == "prediction"
        self._nodes[node_id] = LineageNode(
            id=node_id,
            kind="prediction" if predicted else "version",
            name=dataset.name,
            subject_kind="dataset",
            subject_id=dataset.id,
            version=version.version,
            status=status_of(version),
            rows=version.rows,
            created_at=version.created_at,
            here=dataset.id == self._here,
        )
        if version.origin == "upload":
            self._file(dataset, version)
        elif version.from_version is not None:
            self._edge(_version_id(dataset.id, version.from_version), node_id, _LABELS.get(version.origin, version.origin))
        if predicted and version.source_model_id:
            self._edge(f"model:{version.source_model_id}", node_id, "predicted")
        if predicted and version.source_dataset_id and version.source_dataset_version:
            self._edge(_version_id(version.source_dataset_id, version.source_dataset_version), node_id, "rows of")

    def _file(self, dataset: Dataset, version: DatasetVersion) -> None:
        node = LineageNode(
            id=f"file:{version.original_id}",
            kind="file",
            name=version.filename,
            subject_kind="dataset",
            subject_id=dataset.id,
            version=version.version,
            created_at=version.created_at,
            here=dataset.id == self._here,
        )
        self._nodes[node.id] = node
        self._edge(node.id, _version_id(dataset.id, version.version), "uploaded")

    def _edge(self, source: str, target: str, label: str) -> None:
        self._edges.append(LineageEdge(source=source, target=target, label=label))

    def _may_see(self, row: Dataset | Model) -> bool:
        return allowed(self._actor, f"{kind_of(row)}.read", thing_for(self._session, self._actor, row))


def _version_id(dataset_id: str, number: int) -> str:
    return f"version:{dataset_id}@{number}"
