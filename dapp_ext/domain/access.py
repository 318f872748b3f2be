"""Who may do what: one table, deny by default.

A verb names a thing and an act. Its scope says over which things a role may do it: ``own`` ones, ``shared`` ones (own
and those of the team), or ``everyone``'s. What is not in the table nobody may do. Administrators run the place; that
alone does not let them read data that its owner keeps private.

A grant lets a named person do more with one thing than the scope does: what :data:`GRANTED` names for its level, as far
as the person's role may do that to anything at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dapp_ext.errors import Denied, NotFound
from dapp_ext.schema.accounts import Actor, Role, TokenScope
from dapp_ext.schema.grants import AccessLevel, GrantLevel


class Scope(IntEnum):
    nobody = 0
    own = 1
    shared = 2
    everyone = 3


@dataclass(frozen=True)
class Thing:
    """What matters of a thing for the decision."""

    owner_id: str | None
    visibility: str = "team"
    grant: GrantLevel | None = None
    """What was granted to whoever asks."""


# verb: (viewer, analyst, admin)
POLICY: dict[str, tuple[Scope, Scope, Scope]] = {
    "account.read_self": (Scope.own, Scope.own, Scope.own),
    "account.change_self": (Scope.own, Scope.own, Scope.own),
    "account.list": (Scope.nobody, Scope.nobody, Scope.everyone),
    "account.create": (Scope.nobody, Scope.nobody, Scope.everyone),
    "account.update": (Scope.nobody, Scope.nobody, Scope.everyone),
    "account.people": (Scope.nobody, Scope.everyone, Scope.everyone),
    "invitation.list": (Scope.nobody, Scope.nobody, Scope.everyone),
    "invitation.create": (Scope.nobody, Scope.nobody, Scope.everyone),
    "invitation.withdraw": (Scope.nobody, Scope.nobody, Scope.everyone),
    "session.list": (Scope.own, Scope.own, Scope.everyone),
    "session.end": (Scope.own, Scope.own, Scope.everyone),
    "token.list": (Scope.own, Scope.own, Scope.own),
    "token.create": (Scope.own, Scope.own, Scope.own),
    "token.end": (Scope.own, Scope.own, Scope.everyone),
    "announcement.list": (Scope.everyone, Scope.everyone, Scope.everyone),
    "announcement.history": (Scope.nobody, Scope.nobody, Scope.everyone),
    "announcement.create": (Scope.nobody, Scope.nobody, Scope.everyone),
    "announcement.withdraw": (Scope.nobody, Scope.nobody, Scope.everyone),
    "maintenance.read": (Scope.everyone, Scope.everyone, Scope.everyone),
    "maintenance.start": (Scope.nobody, Scope.nobody, Scope.everyone),
    "maintenance.end": (Scope.nobody, Scope.nobody, Scope.everyone),
    "notification.list": (Scope.own, Scope.own, Scope.own),
    "notification.read": (Scope.own, Scope.own, Scope.own),
    "notification.mark": (Scope.own, Scope.own, Scope.own),
    "audit.list": (Scope.nobody, Scope.nobody, Scope.everyone),
    "audit.verify": (Scope.nobody, Scope.nobody, Scope.everyone),
    "audit.export": (Scope.nobody, Scope.nobody, Scope.everyone),
    "key.list": (Scope.nobody, Scope.nobody, Scope.everyone),
    "key.rotate": (Scope.nobody, Scope.nobody, Scope.everyone),
    "key.retire": (Scope.nobody, Scope.nobody, Scope.everyone),
    "backup.create": (Scope.nobody, Scope.nobody, Scope.everyone),
    "backup.verify": (Scope.nobody, Scope.nobody, Scope.everyone),
    "key.export": (Scope.nobody, Scope.nobody, Scope.everyone),
    "system.read": (Scope.everyone, Scope.everyone, Scope.everyone),
    "system.dashboard": (Scope.everyone, Scope.everyone, Scope.everyone),
    "event.read": (Scope.shared, Scope.shared, Scope.everyone),
    "dataset.list": (Scope.shared, Scope.shared, Scope.shared),
    "dataset.read": (Scope.shared, Scope.shared, Scope.shared),
    "dataset.use": (Scope.shared, Scope.shared, Scope.shared),
    "dataset.export": (Scope.nobody, Scope.shared, Scope.shared),
    "dataset.create": (Scope.nobody, Scope.everyone, Scope.everyone),
    "dataset.update": (Scope.nobody, Scope.own, Scope.shared),
    "dataset.version": (Scope.nobody, Scope.own, Scope.shared),
    "dataset.share": (Scope.nobody, Scope.own, Scope.shared),
    "dataset.delete": (Scope.nobody, Scope.own, Scope.everyone),
    "model.list": (Scope.shared, Scope.shared, Scope.shared),
    "model.read": (Scope.shared, Scope.shared, Scope.shared),
    "model.train": (Scope.nobody, Scope.shared, Scope.shared),
    "model.update": (Scope.nobody, Scope.own, Scope.shared),
    "model.stop": (Scope.nobody, Scope.own, Scope.everyone),
    "model.extend": (Scope.nobody, Scope.own, Scope.everyone),
    "model.skip": (Scope.nobody, Scope.own, Scope.everyone),
    "model.rescore": (Scope.nobody, Scope.own, Scope.shared),
    "model.promote": (Scope.nobody, Scope.own, Scope.shared),
    "model.rollback": (Scope.nobody, Scope.own, Scope.shared),
    "model.threshold": (Scope.nobody, Scope.own, Scope.shared),
    "model.register": (Scope.nobody, Scope.shared, Scope.shared),
    "model.log": (Scope.nobody, Scope.own, Scope.shared),
    "model.monitor": (Scope.shared, Scope.shared, Scope.shared),
    "model.export": (Scope.nobody, Scope.shared, Scope.shared),
    "model.share": (Scope.nobody, Scope.own, Scope.shared),
    "model.delete": (Scope.nobody, Scope.own, Scope.everyone),
    "model.predict": (Scope.shared, Scope.shared, Scope.shared),
    "model.predict_batch": (Scope.nobody, Scope.shared, Scope.shared),
    "insight.list": (Scope.shared, Scope.shared, Scope.shared),
    "insight.read": (Scope.shared, Scope.shared, Scope.shared),
    "insight.publish": (Scope.nobody, Scope.everyone, Scope.everyone),
    "insight.update": (Scope.nobody, Scope.own, Scope.shared),
    "insight.delete": (Scope.nobody, Scope.own, Scope.everyone),
    "share.create": (Scope.nobody, Scope.shared, Scope.shared),
    "share.list": (Scope.nobody, Scope.own, Scope.everyone),
    "share.withdraw": (Scope.nobody, Scope.own, Scope.everyone),
    "trash.list": (Scope.nobody, Scope.own, Scope.everyone),
    "trash.restore": (Scope.nobody, Scope.own, Scope.everyone),
    "trash.delete": (Scope.nobody, Scope.own, Scope.everyone),
    "job.list": (Scope.shared, Scope.shared, Scope.everyone),
    "job.read": (Scope.shared, Scope.shared, Scope.everyone),
    "job.cancel": (Scope.nobody, Scope.own, Scope.everyone),
}

# The acts that a grant allows beyond the scope, by its level; each level includes the ones before.
GRANTED: dict[str, GrantLevel] = {
    "dataset.read": "read",
    "dataset.use": "use",
    "dataset.export": "use",
    "dataset.update": "edit",
    "dataset.version": "edit",
    "model.read": "read",
    "model.predict": "use",
    "model.predict_batch": "use",
    "model.export": "use",
    "model.update": "edit",
    "model.stop": "edit",
    "model.extend": "edit",
    "model.skip": "edit",
    "model.rescore": "edit",
    "model.threshold": "edit",
    "model.monitor": "read",
    "job.read": "read",
}
_LEVELS: tuple[AccessLevel, ...] = ("read", "use", "edit", "owner")
# What a personal access token is never good for: to keep or widen the way in that it is itself.
_NEVER_BY_TOKEN = ("account.change_self", "system.dashboard", "session.", "token.")
# Changes that go on in maintenance, because they help running work to end, or change nothing that is kept for others.
_IN_MAINTENANCE = ("job.cancel", "model.stop", "model.skip", "notification.mark")
_READING = ("list", "read", "read_self", "export", "people", "monitor", "log")
_TOKEN_LEVELS: tuple[TokenScope, ...] = ("read", "predict", "write", "admin")

_COLUMN = {Role.viewer: 0, Role.analyst: 1, Role.admin: 2}


def scope(actor: Actor, verb: str) -> Scope:
    """Over which things the actor may do this; nobody for a verb that is not in the table."""
    row = POLICY.get(verb)
    if row is None or not _token_allows(actor.scope, verb):
        return Scope.nobody
    return row[_COLUMN[actor.role]]


def token_scope(verb: str) -> TokenScope | None:
    """The least scope that a personal access token needs for an act; ``None`` when no token may."""
    row = POLICY.get(verb)
    if row is None or verb.startswith(_NEVER_BY_TOKEN):
        return None
    if row[0] is row[1] is Scope.nobody:
        return "admin"
    act = verb.partition(".")[2]
    return "read" if act in _READING else "predict" if act == "predict" else "write"


def waits_in_maintenance(verb: str) -> bool:
    """Whether an act has to wait until maintenance is over: whatever changes data; not reading, nor administering."""
    return token_scope(verb) == "write" and verb not in _IN_MAINTENANCE


def _token_allows(given: TokenScope | None, verb: str) -> bool:
    if given is None:
        return True
    needed = token_scope(verb)
    return needed is not None and _TOKEN_LEVELS.index(given) >= _TOKEN_LEVELS.index(needed)


def allowed(actor: Actor, verb: str, thing: Thing | None = None) -> bool:
    """Whether the actor may do this to that thing."""
    reach = scope(actor, verb)
    if reach is Scope.nobody:
        return False
    if reach is Scope.everyone or thing is None or thing.owner_id == actor.account_id:
        return True
    if reach is Scope.shared and thing.visibility == "team":
        return True
    needed = GRANTED.get(verb)
    return thing.grant is not None and needed is not None and _LEVELS.index(thing.grant) >= _LEVELS.index(needed)


def access_level(actor: Actor, kind: str, thing: Thing) -> AccessLevel:
    """How much the actor may do with a dataset or model that it may see, for screens that show what can be pressed."""
    if thing.owner_id == actor.account_id:
        return "owner"
    if allowed(actor, f"{kind}.update", thing):
        return "edit"
    return "use" if allowed(actor, "model.predict" if kind == "model" else "dataset.export", thing) else "read"


def check(actor: Actor, verb: str, thing: Thing | None, unseen: type[NotFound]) -> None:
    """Pass, or raise.

    Raises
    ------
    NotFound
        ``unseen``, when the actor may not even know of the thing.
    Denied
        When the actor may see it, but not do this.
    """
    if allowed(actor, verb, thing):
        return
    kind = verb.partition(".")[0]
    if thing is not None and thing.owner_id != actor.account_id and not allowed(actor, f"{kind}.read", thing):
        raise unseen
    raise Denied(_reason(actor, verb, thing))


def _reason(actor: Actor, verb: str, thing: Thing | None) -> str:
    act = verb.replace(".", " ").replace("_", " ")
    if not _token_allows(actor.scope, verb):
        return f"This personal access token has the scope {actor.scope}, which does not allow this ({act}). Use one with another scope, or sign in."
    needed = GRANTED.get(verb)
    if thing is not None and thing.grant is not None and needed is not None and scope(actor, verb) is not Scope.nobody:
        return f"It is shared with you to {thing.grant}, and this ({act}) takes a share to {needed}. Ask its owner."
    if scope(actor, verb) is Scope.own and thing is not None:
        return f"Only its owner or an administrator may do this ({act})."
    return f"The role {actor.role.value} does not allow this ({act}). Ask an administrator for another role."
