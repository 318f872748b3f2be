"""Insights over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import InsightsQuery
from dapp_ext.schema.base import Page
from dapp_ext.schema.insights import InsightPublish, InsightRead, InsightUpdate, TableRead

if TYPE_CHECKING:
    from dapp_ext.services.files import Download

# A picture in base64 and a table beside it.
LIMIT = 8 * 1024 * 1024


def index(call: Call[InsightsQuery, Nothing]) -> Page[InsightRead]:
    query = call.query
    return call.services.insights.list(call.actor, about=query.about, limit=query.limit, cursor=query.cursor)


def publish(call: Call[Nothing, InsightPublish]) -> InsightRead:
    return call.services.insights.publish(call.actor, call.body)


def show(call: Call[Nothing, Nothing]) -> InsightRead:
    return call.services.insights.get(call.actor, call.ref)


def picture(call: Call[Nothing, Nothing]) -> Download:
    return call.services.insights.picture(call.actor, call.ref)


def table(call: Call[Nothing, Nothing]) -> TableRead:
    return call.services.insights.table(call.actor, call.ref)


def update(call: Call[Nothing, InsightUpdate]) -> InsightRead:
    return call.services.insights.update(call.actor, call.ref, call.body)


def delete(call: Call[Nothing, Nothing]) -> None:
    call.services.insights.delete(call.actor, call.ref)
