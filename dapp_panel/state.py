"""What one open page knows: who looks, where, and which events matter there. Plain param, without Panel."""

from __future__ import annotations

from collections.abc import Iterable

import param

from dapp_ext.domain import access
from dapp_ext.schema.accounts import AccountRead, Actor
from dapp_ext.schema.events import Event

# Events that come many times a second while work goes on; a page that does not show that work is spared them.
_BUSY = ("job.progress", "model.trial")


def rights_of(actor: Actor) -> dict[str, int]:
    """For each act of the policy, over which things the actor may do it: 0 none, 1 own, 2 the team's too, 3 everyone's.

    The page shows what is allowed by it; the service decides again on every call.
    """
    return {verb: int(access.scope(actor, verb)) for verb in access.POLICY}


class VisitState(param.Parameterized):
    """The state of one visit; the component watches it and sends what changed."""

    account = param.ClassSelector(class_=AccountRead, allow_None=True, doc="Who looks, as others may see them.")
    rights = param.Dict(default={}, doc="Reach of each act, from `rights_of`.")
    place = param.String(default="/", doc="Where the visitor is: the part of the address after the hash.")
    cursor = param.String(default="", doc="The last event that was delivered; a new connection resumes after it.")
    signed_in = param.Boolean(default=True, doc="False once the sign-in has ended; nothing is answered after that.")

    def admit(self, actor: Actor, account: AccountRead) -> bool:
        """Take over the present account and its rights; True when something changed."""
        rights = rights_of(actor)
        if account == self.account and rights == self.rights:
            return False
        self.param.update(account=account, rights=rights)
        return True

    def leave(self) -> None:
        """The sign-in has ended."""
        self.signed_in = False

    def go(self, place: str) -> None:
        """The visitor went to another page."""
        self.place = place[:2000] if place.startswith("/") else "/"

    @property
    def watched(self) -> str | None:
        """Id of the model or dataset whose page is open."""
        parts = self.place.partition("?")[0].strip("/").split("/")
        return parts[1] if len(parts) > 1 and parts[0] in ("models", "datasets", "explore") else None

    def wants(self, event: Event) -> bool:
        """Whether this event changes what the visitor sees."""
        if event.type not in _BUSY:
            return True
        if event.type == "job.progress":
            return True
        return self.watched == event.subject.id

    def absorb(self, events: Iterable[Event]) -> list[Event]:
        """The events worth sending, in order; of the progress of one job only the last. Moves the cursor."""
        kept: dict[tuple[str, str, str], Event] = {}
        for event in events:
            self.cursor = event.id
            if not self.wants(event):
                continue
            key = (event.type, event.subject.id, "" if event.type == "job.progress" else event.id)
            kept.pop(key, None)
            kept[key] = event
        return list(kept.values())
