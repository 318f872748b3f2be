"""Explore: charts and figures over one table, and the Python that draws the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Answer, Request
from dapp_ext.schema.boards import BoardRequest, ChartRequest
from dapp_ext.schema.datasets import Filter
from dapp_panel.code import chart_code
from dapp_panel.pages.asking import Call, One, call

if TYPE_CHECKING:
    from dapp_ext.services import Services


class BoardOf(BoardRequest):
    """A board over one dataset."""

    ref: str = Field(min_length=1, max_length=300)


class CodeOf(Request):
    """The code of one chart."""

    ref: str = Field(min_length=1, max_length=300)
    version: int | None = None
    chart: ChartRequest
    filters: list[Filter] = Field(default_factory=list, max_length=60)


class CodeRead(Answer):
    """A Python program."""

    code: str


def board(services: Services, actor: Actor, asked: BoardOf) -> bytes:
    """The answer as it was made for whoever asked it first."""
    return services.boards.answer(actor, asked.ref, _request(asked))


def kept_board(services: Services, actor: Actor, asked: BoardOf) -> bytes | None:
    """The same if it is there, without waiting."""
    return services.boards.kept(actor, asked.ref, _request(asked))


def _request(asked: BoardOf) -> BoardRequest:
    return BoardRequest.model_construct(**{name: getattr(asked, name) for name in BoardRequest.model_fields})


def code(services: Services, actor: Actor, asked: CodeOf) -> CodeRead:
    """A program for a notebook that draws the chart from the same version and filters."""
    dataset = services.datasets.get(actor, asked.ref, asked.version)
    return CodeRead(code=chart_code(dataset, asked.chart, asked.filters))


CALLS: dict[str, Call] = {
    "explore.open": call(One, lambda services, actor, asked: services.boards.opening(actor, asked.ref, asked.version)),
    "explore.board": call(BoardOf, board),
    "explore.code": call(CodeOf, code),
}

# What may be there already: asked first, on the event loop.
KEPT: dict[str, Call] = {"explore.board": call(BoardOf, kept_board)}
