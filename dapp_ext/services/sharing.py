"""Sharing datasets and models with named people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dapp_ext.errors import AccountNotFound, Invalid
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject
from dapp_ext.schema.events import SharedEvent
from dapp_ext.schema.grants import GrantLevel, GrantPut, GrantRead, PersonRead
from dapp_ext.services.context import Change, Context
from dapp_ext.services.models import Models
from dapp_ext.services.tables import Tables
from dapp_ext.services.things import kind_of, thing_of
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import grants
from dapp_ext.store import models as models_store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account, Dataset, Grant, Model

ThingKind = Literal["dataset", "model"]


class Sharing:
    """The service. A person is named by id or e-mail address."""

    def __init__(self, context: Context, tables: Tables, models: Models) -> None:
        self._context = context
        self._tables = tables
        self._models = models

    def people(self, actor: Actor, search: str | None = None) -> Page[PersonRead]:
        """Whom one can share with: everybody with an account but oneself, by name."""
        self._context.permit(actor, "account.people")
        with self._context.database.read() as session:
            found = grants.people(session, search, 200)
        return Page(items=[_person(account) for account in found if account.id != actor.account_id])

    def list(self, actor: Actor, kind: ThingKind, ref: str) -> Page[GrantRead]:
        """With whom a thing is shared; for whoever may share it."""
        with self._context.database.read() as session:
            row = self._find(actor, session, kind, ref)
            return self._page(session, kind, row.id)

    def put(self, actor: Actor, kind: ThingKind, ref: str, person: str, request: GrantPut) -> Page[GrantRead]:
        """Let a person read, use or edit a thing; the answer lists everybody who may.

        Raises
        ------
        AccountNotFound
            If nobody has that id or address.
        Invalid
            If it is the owner's own.
        """
        with self._context.database.read() as session:
            row = self._find(actor, session, kind, ref)
        with self._context.change(actor, f"{kind}.share", Subject(kind=kind, id=row.id)) as change:
            row = self._find(actor, change.session, kind, row.id)
            account = _account(change.session, person)
            if account.id == row.owner_id:
                raise Invalid("Its owner may do everything with it already.")
            if account.disabled:
                raise Invalid("This account is disabled. Choose somebody else, or ask an administrator to enable it.")
            grants.put(change.session, Grant(subject_kind=kind, subject_id=row.id, account_id=account.id, level=request.level, granted_by=actor.account_id))
            change.details.update({"account": account.id, "level": request.level})
            self._tell(change, row, account, request.level)
            return self._page(change.session, kind, row.id)

    def remove(self, actor: Actor, kind: ThingKind, ref: str, person: str) -> Page[GrantRead]:
        """Take a grant back; without one nothing changes. Everybody may give up what was granted to themselves."""
        with self._context.database.read() as session:
            # The thing first: whoever may not share it learns nothing of who has an account.
            is_own = person in (actor.account_id, actor.email)
            row = self._find(actor, session, kind, ref, "read" if is_own else "share")
            account = _account(session, person)
        with self._context.change(actor, f"{kind}.share", Subject(kind=kind, id=row.id)) as change:
            change.details.update({"account": account.id, "level": None})
            self._tell(change, row, account, None)  # while the person may still hear of it
            for each in _all_versions(change.session, row):
                grants.remove(change.session, kind, each.id, account.id)
            return self._page(change.session, kind, row.id) if row.owner_id == actor.account_id else Page(items=[])

    def _find(self, actor: Actor, session: Session, kind: ThingKind, ref: str, act: str = "share") -> Dataset | Model:
        if kind == "model":
            return self._models.find(actor, session, ref, f"model.{act}")
        return self._tables.find(actor, session, ref, None, f"dataset.{act}")[0]

    def _page(self, session: Session, kind: str, subject_id: str) -> Page[GrantRead]:
        rows = grants.page(session, kind, subject_id)
        names = accounts_store.names(session, {grant.granted_by for grant, _ in rows if grant.granted_by})
        items = [
            GrantRead(
                person=_person(account),
                level=grant.level,
                granted_by=Named(id=grant.granted_by, name=names.get(grant.granted_by, "")) if grant.granted_by else None,
                created_at=grant.created_at,
            )
            for grant, account in rows
        ]
        return Page(items=items, total=len(items))

    def _tell(self, change: Change, row: Dataset | Model, account: Account, level: GrantLevel | None) -> None:
        kind = kind_of(row)
        data = SharedEvent(name=row.name, level=level, person=Named(id=account.id, name=account.name))
        change.tell(f"{kind}.shared", Subject(kind=kind, id=row.id), data, thing_of(row))


def _all_versions(session: Session, row: Dataset | Model) -> Sequence[Dataset | Model]:
    """What a grant is for: each version of a model is a row of its own."""
    return [row] if isinstance(row, Dataset) else models_store.versions(session, row)


def _account(session: Session, person: str) -> Account:
    found = session.get(Account, person) or accounts_store.by_email(session, person.strip().lower())
    if found is None:
        raise AccountNotFound("There is nobody with that id or e-mail address here.")
    return found


def _person(account: Account) -> PersonRead:
    return PersonRead(id=account.id, name=account.name, email=account.email)
