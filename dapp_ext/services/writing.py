"""Datasets and versions that come to be: the rows that are written for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dapp_ext.errors import NameTaken
from dapp_ext.schema.datasets import DatasetUpload, VersionOrigin
from dapp_ext.services.context import Change, Context
from dapp_ext.services.names import clean_filename, clean_name, free_name, stem_of
from dapp_ext.services.reads import place_of
from dapp_ext.store import datasets as store
from dapp_ext.store.tables import Dataset, DatasetVersion


@dataclass(frozen=True)
class Origin:
    """How a version is made: the kind of act, in words, and from which other version. ``details`` are sealed with it."""

    kind: VersionOrigin
    sentence: str
    from_version: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


def new_dataset(context: Context, change: Change, request: DatasetUpload, dataset_id: str, key: bytes) -> Dataset:
    """Add a dataset and its data key to a change, under the wanted name or, when none was given, a free one."""
    assert change.actor is not None
    account = change.actor.account_id
    if request.name is not None:
        name = clean_name(request.name)
        if store.find(change.session, name, account) is not None:
            raise NameTaken(f"There is a dataset named {name!r} already. Choose another name.")
    else:
        stem = clean_name(stem_of(clean_filename(request.filename)))
        name = free_name(stem, store.taken_names(change.session, stem, account))
    context.keep_key(change.session, dataset_id, key)
    dataset = Dataset(id=dataset_id, name=name, name_key=store.name_key(name), owner_id=account, visibility=request.visibility)
    change.session.add(dataset)
    change.session.flush()
    return dataset


def add_version(context: Context, change: Change, dataset: Dataset, origin: Origin) -> DatasetVersion:
    """Add the next version of a dataset to a change; its files come later, or are set by the caller."""
    number = store.last_version(change.session, dataset.id) + 1
    by = change.actor.account_id if change.actor else change.by.id if change.by else None
    version = DatasetVersion(dataset_id=dataset.id, version=number, filename=dataset.name, origin=origin.kind, from_version=origin.from_version, by_id=by)
    version.sealed = context.seal(change.session, dataset.id, place_of(version), {"made": {"sentence": origin.sentence, **origin.details}})
    change.session.add(version)
    change.session.flush()
    return version
