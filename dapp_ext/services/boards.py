"""Boards: several charts and figures in one answer, shared by everybody who may read the table and asks the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapp_ext.domain.keeper import Keeper
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Subject
from dapp_ext.schema.boards import BoardRequest
from dapp_ext.schema.datasets import Column, Filter, Measure
from dapp_ext.services import reads
from dapp_ext.services.answers import SharedAnswers
from dapp_ext.services.context import Context
from dapp_ext.services.tables import Tables
from dapp_ext.services.watching import Watch

if TYPE_CHECKING:
    from dapp_ext.store.cached_frames import CachedFrame

ANSWER_BYTES = 64 * 2**20
PLACES_KEPT = 1000


class Boards:
    """The service. Answers are kept as they go out, so that a second asker costs nothing but the sending."""

    def __init__(self, context: Context, tables: Tables) -> None:
        self._context = context
        self._tables = tables
        self._answers = Keeper(ANSWER_BYTES)
        self._shared = SharedAnswers(context, "board")
        self._columns = Keeper(max(context.settings.cache_memory // 2, 256 * 2**20))
        self._schemas: dict[tuple[str, int], tuple[int | None, list[Column]]] = {}
        self._places: dict[tuple[object, ...], tuple[int | None, tuple[str, int]]] = {}
        self._watch = Watch(context, lambda type_, _kind: type_ == "dataset.deleted", self.forget)

    def answer(self, actor: Actor, ref: str, request: BoardRequest) -> bytes:
        """A board as the JSON of :class:`~dapp_ext.schema.boards.BoardRead`.

        Raises
        ------
        DatasetNotFound, NotReady, ColumnUnknown, Invalid
        """
        key = self._place(actor, ref, request.version)
        self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=key[0]), key[1])
        self._watch.follow()
        board = _name_of(key, request)
        found: bytes = self._answers.get(board, lambda: self._shared.get(board, lambda: self._make(actor, key, request)), len)
        return found

    def kept(self, actor: Actor, ref: str, request: BoardRequest) -> bytes | None:
        """The same as :meth:`answer` where it is kept, the actor was let in before and nothing at all was committed since.

        Waits for nothing, so that an event loop may ask; None where it cannot be told without waiting.
        """
        asked, stamp = _asked_by(actor, ref, request.version), self._context.database.stamp()
        known = self._places.get(asked)
        if known is None or stamp is None or known[0] != stamp:
            return None
        key = known[1]
        if not self._context.has_noted(actor, "dataset.look", Subject(kind="dataset", id=key[0]), key[1]):
            return None
        found: bytes | None = self._answers.peek(_name_of(key, request))
        return found

    def _place(self, actor: Actor, ref: str, version: int | None) -> tuple[str, int]:
        """The version that is meant, if the actor may read it; looked up once as long as nothing was committed since."""
        asked, stamp = _asked_by(actor, ref, version), self._context.database.stamp()
        known = self._places.get(asked)
        if known is not None and stamp is not None and known[0] == stamp:
            return known[1]
        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, version, "dataset.read")
            place = (dataset.id, row.version)
        if len(self._places) >= PLACES_KEPT:
            self._places.clear()
        self._places[asked] = (stamp, place)
        return place

    def opening(self, actor: Actor, ref: str, version: int | None = None) -> bytes:
        """A dataset version and its health report, as the JSON ``{"dataset": …, "profile": …}``: what a page of charts begins with.

        The report of a version never changes, so it is read once and then kept as it goes out; it is null until it is there.

        Raises
        ------
        DatasetNotFound
        """
        with self._context.database.read() as session:
            dataset, row = self._tables.find(actor, session, ref, version, "dataset.read")
            shown = reads.read(reads.View(self._context, session, actor), dataset, row).model_dump_json(by_alias=True).encode()
            profile = b"null"
            if row.profile_id is not None:
                profile = reads.profile_of(self._context, session, row)
        self._context.note_read(actor, "dataset.look", Subject(kind="dataset", id=dataset.id), row.version)
        return b'{"dataset":' + shown + b',"profile":' + profile + b"}"

    def forget(self, dataset_id: str) -> None:
        """Let go of everything of a dataset that was deleted, at whatever door."""
        for keeper in (self._answers, self._columns):
            keeper.drop(dataset_id)
        for key in [each for each in list(self._schemas) if each[0] == dataset_id]:
            self._schemas.pop(key, None)
        self._tables.let_go(dataset_id)
        self._context.frames.drop(dataset_id)

    def _make(self, actor: Actor, key: tuple[str, int], request: BoardRequest) -> bytes:
        from dapp_ext.domain.boards.columns import ColumnDesk

        desk = ColumnDesk(key, *self._open(actor, key), self._columns)
        picked = [each.picks for each in request.charts]
        everything = _all_of(request.filters, *picked)
        figures = [self._figure(desk, each, everything) for each in [Measure(op="count"), *request.figures]]
        charts = []
        for number, chart in enumerate(request.charts):
            others = [each for at, each in enumerate(picked) if at != number]
            bare = chart.model_copy(update={"picks": []})
            charts.append(self._chart(desk, bare, _all_of(request.filters, *others)))
        head = f'{{"version":{key[1]},"rows":{desk.rows},"fit":'.encode()
        return head + figures[0] + b',"figures":[' + b",".join(figures[1:]) + b'],"charts":[' + b",".join(charts) + b"]}"

    def _open(self, actor: Actor, key: tuple[str, int]) -> tuple[CachedFrame, list[Column]]:
        """A version that the actor was let in to a moment ago; looked up once as long as nothing was committed since."""
        stamp = self._context.database.stamp()
        known = self._schemas.get(key)
        if known is not None and stamp is not None and known[0] == stamp:
            frame = self._context.frames.opened(*key)
            if frame is not None:
                return frame, known[1]
        table = self._tables.open(actor, key[0], key[1], "dataset.read")
        if len(self._schemas) >= PLACES_KEPT:
            self._schemas.clear()
        self._schemas[key] = (stamp, table.columns)
        return table.frame, table.columns

    def _figure(self, desk: object, measure: Measure, filters: list[Filter]) -> bytes:
        import json

        from dapp_ext.domain.boards import ColumnDesk, answer_figure

        assert isinstance(desk, ColumnDesk)
        key = (*desk.key, measure.model_dump_json(), *_texts(filters))
        found: bytes = self._answers.get(key, lambda: json.dumps(answer_figure(desk, measure, filters)).encode(), len)
        return found

    def _chart(self, desk: object, chart: object, filters: list[Filter]) -> bytes:
        from dapp_ext.domain.boards import ColumnDesk, answer_chart
        from dapp_ext.schema.boards import ChartRequest

        assert isinstance(desk, ColumnDesk)
        assert isinstance(chart, ChartRequest)
        key = (*desk.key, chart.model_dump_json(), *_texts(filters))
        found: bytes = self._answers.get(key, lambda: answer_chart(desk, chart, filters).model_dump_json().encode(), len)
        return found


def _asked_by(actor: Actor, ref: str, version: int | None) -> tuple[object, ...]:
    return (actor.account_id, actor.session_id, actor.role, ref, version)


def _name_of(key: tuple[str, int], request: BoardRequest) -> tuple[str, int, str]:
    return (*key, request.model_dump_json(exclude={"version"}))


def _all_of(*filters: list[Filter]) -> list[Filter]:
    """All conditions, each once."""
    by_text = {each.model_dump_json(): each for some in filters for each in some}
    return list(by_text.values())


def _texts(filters: list[Filter]) -> list[str]:
    return sorted(each.model_dump_json() for each in filters)
