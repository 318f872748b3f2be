"""Data: the list, and everything that a dataset's page shows."""

from __future__ import annotations

from pydantic import Field

from dapp_ext.schema.datasets import DatasetUpdate, RowsRequest
from dapp_panel.pages.asking import Call, Listing, One, call


class RowsOf(RowsRequest):
    """A page of rows of one dataset."""

    ref: str = Field(min_length=1, max_length=300)


class UpdateOf(DatasetUpdate):
    """A new name or visibility for one dataset."""

    ref: str = Field(min_length=1, max_length=300)


def rows_request(asked: RowsOf) -> RowsRequest:
    """The same page of rows, as the door takes it."""
    return RowsRequest(**{name: getattr(asked, name) for name in RowsRequest.model_fields})


CALLS: dict[str, Call] = {
    "datasets.list": call(Listing, lambda services, actor, asked: services.datasets.list(actor, search=asked.search, limit=asked.limit, cursor=asked.cursor)),
    "datasets.get": call(One, lambda services, actor, asked: services.datasets.get(actor, asked.ref, asked.version)),
    "datasets.profile": call(One, lambda services, actor, asked: services.datasets.profile(actor, asked.ref, asked.version)),
    "datasets.rows": call(RowsOf, lambda services, actor, asked: services.datasets.rows(actor, asked.ref, rows_request(asked))),
    "datasets.update": call(
        UpdateOf,
        lambda services, actor, asked: services.datasets.update(actor, asked.ref, DatasetUpdate(**asked.model_dump(exclude={"ref"}, exclude_unset=True))),
    ),
    "datasets.delete": call(One, lambda services, actor, asked: services.datasets.delete(actor, asked.ref)),
}
