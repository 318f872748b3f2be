"""Data: the list, and everything that a dataset's page shows."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.datasets import DatasetUpdate, ReadOptions, RowsRequest
from dapp_ext.schema.fixes import FixRequest
from dapp_ext.schema.versions import RestoreRequest, VersionCreate
from dapp_panel.pages.asking import Call, Listing, One, Pair, call


class RowsOf(RowsRequest):
    """A page of rows of one dataset, with texts as long as somebody reads them."""

    ref: str = Field(min_length=1, max_length=300)
    text_limit: int | None = Field(default=2000, ge=1, le=10_000_000)


class UpdateOf(DatasetUpdate):
    """A new name or visibility for one dataset."""

    ref: str = Field(min_length=1, max_length=300)


class RestoreOf(RestoreRequest):
    """An older version of one dataset."""

    ref: str = Field(min_length=1, max_length=300)


class FixOf(FixRequest):
    """A fix of one dataset."""

    ref: str = Field(min_length=1, max_length=300)


class RereadOf(ReadOptions):
    """Other options for the original of one dataset."""

    ref: str = Field(min_length=1, max_length=300)


def rows_request(asked: RowsOf) -> RowsRequest:
    """The same page of rows, as the door takes it."""
    return RowsRequest(**{name: getattr(asked, name) for name in RowsRequest.model_fields})


CALLS: dict[str, Call] = {
    "datasets.list": call(Listing, lambda services, actor, asked: services.datasets.list(actor, search=asked.search, limit=asked.limit, cursor=asked.cursor)),
    "datasets.get": call(One, lambda services, actor, asked: services.datasets.get(actor, asked.ref, asked.version)),
    "datasets.profile": call(One, lambda services, actor, asked: services.datasets.profile_json(actor, asked.ref, asked.version)),
    "datasets.rows": call(RowsOf, lambda services, actor, asked: services.datasets.rows(actor, asked.ref, rows_request(asked))),
    "datasets.update": call(
        UpdateOf,
        lambda services, actor, asked: services.datasets.update(actor, asked.ref, DatasetUpdate(**asked.model_dump(exclude={"ref"}, exclude_unset=True))),
    ),
    "datasets.versions": call(One, lambda services, actor, asked: services.versions.list(actor, asked.ref)),
    "datasets.restore": call(RestoreOf, lambda services, actor, asked: services.versions.restore(actor, asked.ref, RestoreRequest(version=asked.version))),
    "datasets.compare": call(Pair, lambda services, actor, asked: services.versions.compare_json(actor, asked.ref, asked.a or 1, asked.b)),
    "datasets.fix": call(
        FixOf, lambda services, actor, asked: services.fixes.apply(actor, asked.ref, FixRequest(**asked.model_dump(exclude={"ref"}, exclude_unset=True)))
    ),
    "datasets.undo": call(One, lambda services, actor, asked: services.fixes.undo(actor, asked.ref)),
    "datasets.reread": call(
        RereadOf,
        lambda services, actor, asked: services.versions.read_again(
            actor, asked.ref, VersionCreate(options=ReadOptions(**asked.model_dump(exclude={"ref"}, exclude_unset=True)))
        ),
    ),
    "datasets.dependents": call(One, lambda services, actor, asked: services.versions.dependents(actor, asked.ref, asked.version)),
    "datasets.delete_version": call(RestoreOf, lambda services, actor, asked: services.versions.delete(actor, asked.ref, asked.version)),
    "datasets.lineage": call(One, lambda services, actor, asked: services.lineage.of_dataset(actor, asked.ref)),
}
