"""Versions of datasets over HTTP."""

from __future__ import annotations

from dapp_ext.errors import DatasetNotFound
from dapp_ext.handlers.operation import JSON, Call, Encoded, Nothing
from dapp_ext.handlers.queries import VersionQuery, VersionsQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.versions import Dependents, RestoreRequest, VersionComparison, VersionCreate, VersionRead


def index(call: Call[Nothing, Nothing]) -> Page[VersionRead]:
    return call.services.versions.list(call.actor, call.ref)


def read_again(call: Call[Nothing, VersionCreate]) -> DatasetRead:
    return call.services.versions.read_again(call.actor, call.ref, call.body)


def restore(call: Call[Nothing, RestoreRequest]) -> DatasetRead:
    return call.services.versions.restore(call.actor, call.ref, call.body)


def compare(call: Call[VersionsQuery, Nothing]) -> Encoded[VersionComparison]:
    return Encoded(JSON, call.services.versions.compare_json(call.actor, call.ref, call.query.before, call.query.after))


def dependents(call: Call[VersionQuery, Nothing]) -> Dependents:
    return call.services.versions.dependents(call.actor, call.ref, call.query.version)


def delete(call: Call[Nothing, Nothing]) -> None:
    number = call.path["number"]
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise DatasetNotFound(f"There is no version {number[:20]!r}. Versions have numbers, from 1.")
    call.services.versions.delete(call.actor, call.ref, int(number))
