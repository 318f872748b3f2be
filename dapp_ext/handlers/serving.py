"""Predictions in use over HTTP: policies, checks, files scored in one call, the log and the watch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dapp_ext.errors import Invalid
from dapp_ext.handlers.datasets import DatasetsHandler, FileSink
from dapp_ext.handlers.operation import Call, Nothing
from dapp_ext.handlers.queries import LogQuery, MonitoringQuery
from dapp_ext.handlers.wire import read_query
from dapp_ext.schema.base import Page
from dapp_ext.schema.models import BatchPredictRead
from dapp_ext.schema.serving import CheckRead, CheckRequest, LoggedCall, MonitoringRead, PolicyRead, ScoredFileQuery, ThresholdRequest

if TYPE_CHECKING:
    from dapp_ext.schema.accounts import Actor
    from dapp_ext.services import Services


def threshold(call: Call[Nothing, ThresholdRequest]) -> PolicyRead:
    return call.services.policies.set(call.actor, call.ref, call.body)


def policies(call: Call[Nothing, Nothing]) -> Page[PolicyRead]:
    return call.services.policies.list(call.actor, call.ref)


def check(call: Call[Nothing, CheckRequest]) -> CheckRead:
    return call.services.predictions.check(call.actor, call.ref, call.body)


def monitoring(call: Call[MonitoringQuery, Nothing]) -> MonitoringRead:
    return call.services.monitoring.read(call.actor, call.ref, call.query.days)


def log(call: Call[LogQuery, Nothing]) -> Page[LoggedCall]:
    return call.services.monitoring.log(call.actor, call.ref, limit=call.query.limit, cursor=call.query.cursor)


def file(call: Call[ScoredFileQuery, Nothing]) -> BatchPredictRead:
    """Never called: :class:`ScoredFileHandler` takes the body by pieces. Stands in the route table for its shape."""
    raise Invalid("Send the file's bytes as the body.")


class ScoredFileHandler(DatasetsHandler):
    """The address that takes a file and predicts it."""

    def beginning(self, services: Services, account: Actor) -> Callable[[], FileSink]:
        query = read_query(ScoredFileQuery, self._query())
        return partial(services.predictions.begin_file, account, self.path_kwargs["ref"], query, self.announced_size())
