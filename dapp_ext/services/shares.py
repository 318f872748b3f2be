"""Read-only links to results and insights: made, listed, opened without an account, withdrawn.

A link is a random token of 256 bits, of which only the hash is kept. It opens nothing any more once it has expired or
was withdrawn, once what it leads to is gone, or once whoever made it may not see that any more.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from dapp_ext.domain.access import Thing, allowed
from dapp_ext.errors import Denied, Invalid, ShareNotFound
from dapp_ext.schema.accounts import Actor, Role
from dapp_ext.schema.base import Named, Page, Subject, now
from dapp_ext.schema.models import Results
from dapp_ext.schema.shares import ShareCreate, SharedInsight, SharedResult, ShareMade, ShareRead
from dapp_ext.services import files
from dapp_ext.services.context import Context
from dapp_ext.services.insights import Insights
from dapp_ext.services.models import Models, read, require_trained
from dapp_ext.services.sessions import digest
from dapp_ext.services.system import System
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import shares as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Account, Insight, Model, Share

_PREFIX = "dapp_sh_"
_LONGEST = 200


class Shares:
    """The service."""

    def __init__(self, context: Context, models: Models, insights: Insights, system: System) -> None:
        self._context = context
        self._models = models
        self._insights = insights
        self._system = system

    def create(self, actor: Actor, request: ShareCreate) -> ShareMade:
        """Make a link to the result of a model, or to an insight.

        Raises
        ------
        NotReady
            While the model has no result.
        """
        self._context.permit(actor, "share.create")
        if (request.model is None) == (request.insight is None):
            raise Invalid("Say what the link opens: a model or an insight.")
        with self._context.database.read() as session:
            found = self._named(actor, session, request.model, request.insight)
        if not allowed(actor, "share.create", Thing(found.owner_id, found.visibility)):
            # Such a link would open nothing: it is good as long as its maker may show what it leads to to anybody.
            self._context.note(actor, "share.create", None, "deny", {"reason": "private, and of somebody else"})
            raise Denied("It is private and shared with you alone, so only its owner can make a link to it. Ask its owner.")
        token = _PREFIX + secrets.token_urlsafe(32)
        share = Share(token_hash=digest(token), owner_id=actor.account_id, expires_at=now() + timedelta(days=request.days))
        if isinstance(found, Model):
            require_trained(found)
            share.model_id = found.id
        else:
            share.insight_id = found.id
        with self._context.change(actor, "share.create", _subject(share)) as change:
            change.session.add(share)
            change.session.flush()
            change.details.update(share=share.id, days=request.days)
            made = self._read(change.session, share, found, {actor.account_id: actor.name})
        return ShareMade(**made.model_dump(), token=token, url=self._url(token))

    def list(self, actor: Actor, *, model: str | None = None, insight: str | None = None) -> Page[ShareRead]:
        """The links that open something now: one's own, for an administrator everybody's; newest first. Only those to one model or insight where it is named."""
        self._context.permit(actor, "share.list")
        with self._context.database.read() as session:
            of = None if model is None and insight is None else self._named(actor, session, model, insight).id
            mine = None if actor.role is Role.admin else actor.account_id
            rows = store.open_ones(session, now(), owner_id=mine, about=of)
            names = accounts_store.names(session, {share.owner_id for share, _ in rows})
            items = [self._read(session, share, found, names) for share, found in rows]
        return Page(items=items, total=len(items))

    def withdraw(self, actor: Actor, share_id: str) -> None:
        """Let a link open nothing any more."""
        with self._context.database.read() as session:
            share = self._own(actor, session, share_id)
        with self._context.change(actor, "share.withdraw", _subject(share)) as change:
            share = self._own(actor, change.session, share_id)
            share.withdrawn_at = share.withdrawn_at or now()
            change.session.add(share)
            change.details["share"] = share.id

    def open(self, token: str, *, address: str = "") -> SharedResult | SharedInsight:
        """What a link leads to, for whoever holds it.

        Raises
        ------
        ShareNotFound
            If it never was, has expired, was withdrawn, or its maker may not see what it leads to any more: always the same sentence.
        """
        with self._context.database.read() as session:
            share, found, maker = self._leads_to(session, token)
            answer = self._shown(session, share, found, Named(id=maker.id, name=maker.name))
        with self._context.change(None, "share.open", _subject(share)) as change:
            row = change.session.get(Share, share.id)
            if row is not None:
                row.opened, row.opened_at = row.opened + 1, now()
                change.session.add(row)
            change.details.update(share=share.id, address=address)
        return answer

    def _shown(self, session: Session, share: Share, found: Model | Insight, by: Named) -> SharedResult | SharedInsight:
        if isinstance(found, Insight):
            return SharedInsight(
                insight=self._insights.shown(session, found),
                picture=None if found.picture_id is None else files.read_stored(self._context, session, found.picture_id),
                table=self._insights.table_of(session, found),
                by=by,
                expires_at=share.expires_at,
            )
        return SharedResult(
            model=read(self._context, session, found),
            results=Results.model_validate_json(files.read_stored(self._context, session, found.results_id)),
            by=by,
            expires_at=share.expires_at,
        )

    def _named(self, actor: Actor, session: Session, model: str | None, insight: str | None) -> Model | Insight:
        if model is not None:
            return self._models.find(actor, session, model, "model.read")
        return self._insights.find(actor, session, insight or "", "insight.read")

    def _leads_to(self, session: Session, token: str) -> tuple[Share, Model | Insight, Account]:
        share = store.by_hash(session, digest(token)) if token.startswith(_PREFIX) and len(token) <= _LONGEST else None
        if share is None or share.withdrawn_at is not None or share.expires_at <= now():
            raise ShareNotFound
        found: Model | Insight | None = session.get(Insight, share.insight_id) if share.insight_id is not None else session.get(Model, share.model_id)
        maker = session.get(Account, share.owner_id)
        if found is None or maker is None or maker.disabled or (isinstance(found, Model) and found.status != "ready"):
            raise ShareNotFound
        as_maker = Actor(account_id=maker.id, email=maker.email, name=maker.name, role=Role(maker.role))
        if not allowed(as_maker, "share.create", Thing(found.owner_id, found.visibility)):
            raise ShareNotFound
        return share, found, maker

    def _own(self, actor: Actor, session: Session, share_id: str) -> Share:
        share = session.get(Share, share_id)
        if share is None:
            raise ShareNotFound
        self._context.permit(actor, "share.withdraw", Thing(share.owner_id, "private"), ShareNotFound)
        return share

    def _url(self, token: str) -> str | None:
        base = self._system.dashboard_address()
        return f"{base}/shared/{token}" if base else None

    def _read(self, session: Session, share: Share, found: Model | Insight, names: dict[str, str]) -> ShareRead:
        return ShareRead(
            id=share.id,
            model=Named(id=found.id, name=found.name) if isinstance(found, Model) else None,
            model_version=found.version if isinstance(found, Model) else None,
            insight=None if isinstance(found, Model) else Named(id=found.id, name=self._insights.title(session, found)),
            by=Named(id=share.owner_id, name=names.get(share.owner_id, "")),
            created_at=share.created_at,
            expires_at=share.expires_at,
            opened=share.opened,
            opened_at=share.opened_at,
        )


def _subject(share: Share) -> Subject:
    return Subject(kind="insight", id=share.insight_id) if share.insight_id is not None else Subject(kind="model", id=share.model_id or "")
