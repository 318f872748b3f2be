"""Fixes of datasets over HTTP."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.datasets import DatasetRead
from dapp_ext.schema.fixes import FixRequest


def apply(call: Call[Nothing, FixRequest]) -> DatasetRead:
    return call.services.fixes.apply(call.actor, call.ref, call.body)


def undo(call: Call[Nothing, Nothing]) -> DatasetRead:
    return call.services.fixes.undo(call.actor, call.ref)
