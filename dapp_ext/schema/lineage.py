"""What came from what: files, versions, models and predictions as nodes, how each was made as edges."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dapp_ext.schema.base import Answer

NodeKind = Literal["file", "version", "model", "prediction"]


class LineageNode(Answer):
    """One thing; ``id`` is unique within the answer, ``subject_id`` is that of the dataset or model to open."""

    id: str
    kind: NodeKind
    name: str
    subject_kind: Literal["dataset", "model"]
    subject_id: str
    version: int | None = None
    status: str | None = None
    rows: int | None = None
    created_at: datetime | None = None
    here: bool = Field(default=False, description="Whether it belongs to the thing that was asked about.")


class LineageEdge(Answer):
    """``target`` was made from ``source`` in the way that ``label`` says."""

    source: str
    target: str
    label: str


class Lineage(Answer):
    """Nodes that the asking account may see, oldest first, and the edges between them."""

    nodes: list[LineageNode] = Field(default_factory=list)
    edges: list[LineageEdge] = Field(default_factory=list)
