"""Explore: aggregates that charts are drawn from."""

from __future__ import annotations

from dapp_panel.pages.asking import Call, call
from dapp_panel.pages.datasets import QueryOf, query_request

CALLS: dict[str, Call] = {
    "datasets.query": call(QueryOf, lambda services, actor, asked: services.datasets.query(actor, asked.ref, query_request(asked))),
}
