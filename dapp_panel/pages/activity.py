"""Activity: jobs, and what the team did."""

from __future__ import annotations

from dapp_panel.pages.asking import Call, Listing, One, call

CALLS: dict[str, Call] = {
    "jobs.list": call(Listing, lambda services, actor, asked: services.jobs.list(actor, status=asked.status, limit=asked.limit, cursor=asked.cursor)),
    "jobs.get": call(One, lambda services, actor, asked: services.jobs.get(actor, asked.ref)),
    "jobs.cancel": call(One, lambda services, actor, asked: services.jobs.cancel(actor, asked.ref)),
    "events.recent": call(Listing, lambda services, actor, asked: services.events.recent(actor, limit=asked.limit)),
}
