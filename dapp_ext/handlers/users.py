"""Accounts over HTTP, for administrators."""

from __future__ import annotations

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.schema.accounts import AccountCreate, AccountRead, AccountUpdate, QuotaRead
from dapp_ext.schema.base import Page


def index(call: Call[Nothing, Nothing]) -> Page[AccountRead]:
    everyone = call.services.accounts.list(call.actor)
    return Page[AccountRead](items=everyone, total=len(everyone))


def create(call: Call[Nothing, AccountCreate]) -> AccountRead:
    return call.services.accounts.create(call.actor, call.body)


def quotas(call: Call[Nothing, Nothing]) -> Page[QuotaRead]:
    return call.services.accounts.quotas(call.actor)


def update(call: Call[Nothing, AccountUpdate]) -> AccountRead:
    return call.services.accounts.update(call.actor, call.ref, call.body)
