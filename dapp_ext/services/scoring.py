"""The process that answers: holds the models used last, and is asked through a socket by :mod:`dapp_ext.services.scorers`.

Nothing but paths and keys of single sealed files comes in, and nothing but answers goes out.
"""

from __future__ import annotations

import itertools
import logging
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from dapp_ext.errors import DappError, Internal, RowsMismatch
from dapp_ext.logs import outline
from dapp_ext.schema.models import Advice, Reasons
from dapp_ext.services.passes import FilePass
from dapp_ext.store.objects import open_sealed

if TYPE_CHECKING:
    from dapp_ext.domain.learning import Recipe
    from dapp_ext.schema.datasets import Column

log = logging.getLogger(__name__)
KEPT_MODELS = 4
# So many rows tell what a training would do.
ADVISED_ROWS = 50_000
ADVISED_GROUPS = 8


@dataclass(frozen=True)
class Question:
    """Rows for one model, from which probability on its answer is yes, and whether reasons are wanted."""

    artifact: FilePass
    rows: list[dict[str, Any]]
    threshold: float | None = None
    explain: bool = False


@dataclass(frozen=True)
class Answered:
    """The answers for the rows of one question, column by column."""

    values: list[Any]
    probabilities: dict[str, list[float]]
    notes: list[str] = field(default_factory=list)
    reasons: list[Reasons] = field(default_factory=list)


@dataclass(frozen=True)
class AdviceOrder:
    """A training that somebody thinks about."""

    table: FilePass
    columns: list[Column]
    recipe: Recipe


class Scoring:
    """What the process does with what it is asked."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[Any, Any]] = OrderedDict()

    def answer(self, act: str, asked: list[Any]) -> list[Any]:
        """One answer, or error, for each thing asked."""
        if act == "predict":
            return answer_all(*self._model(asked[0].artifact), asked)
        work: dict[str, Callable[[Any], Any]] = {"inspect": inspect, "advise": advise}
        return [work[act](each) for each in asked]

    def _model(self, artifact: FilePass) -> tuple[Any, Any]:
        """A model, and its reader of rows that are as expected."""
        from dapp_ext.domain.learning import load_predictor
        from dapp_ext.domain.learning.quick import QuickReader

        key = (artifact.label.object_id, artifact.label.generation)
        if key not in self._kept:
            with open_sealed(artifact.path, artifact.key, artifact.label) as reader:
                predictor = load_predictor(reader.read())
            self._kept[key] = predictor, QuickReader(predictor)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_MODELS:
            self._kept.popitem(last=False)
        return self._kept[key]


def serve(pipe: Connection) -> None:
    """Answer until the server closes the pipe."""
    from dapp_ext.domain.learning import preload

    preload()
    scoring = Scoring()
    pipe.send("ready")
    while True:
        try:
            act, asked = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answers = scoring.answer(act, asked)
        except DappError as error:
            answers = [error] * len(asked)
        except Exception as error:  # noqa: BLE001  told in the log and to whoever asked
            log.error("A prediction failed in an unforeseen way:\n%s", outline(error))
            answers = [Internal("The prediction failed in an unforeseen way. An administrator finds the reason in the log.")] * len(asked)
        pipe.send([_alone(each) for each in answers])


def _alone(answer: Any) -> Any:
    """An error without those that led to it: what a hostile file was nested into is too deep for the way back."""
    if isinstance(answer, BaseException):
        answer.__cause__ = answer.__context__ = answer.__traceback__ = None
    return answer


def inspect(given: FilePass) -> None:
    """Read a pipeline that somebody brought along."""
    from dapp_ext.domain.learning.registered import read_pipeline

    with open_sealed(given.path, given.key, given.label) as reader:
        read_pipeline(reader.read())


def advise(order: AdviceOrder) -> Advice:
    """What a training would do, from some of the rows."""
    import numpy as np
    import pyarrow as pa

    from dapp_ext.domain.learning.advising import advise as look
    from dapp_ext.store.frames import open_frame

    frame = open_frame(order.table.path, order.table.key, order.table.label)
    count = len(frame.group_rows)
    chosen: Any = np.unique(np.linspace(0, count - 1, min(count, ADVISED_GROUPS)).astype(int)) if count else []
    pieces = []
    for group in chosen:
        rows = frame.read(None, [int(group)])
        share = max(1, ADVISED_ROWS // len(chosen))
        if rows.num_rows > share:
            rows = rows.take(np.sort(np.random.default_rng(int(group)).choice(rows.num_rows, share, replace=False)))
        pieces.append(rows)
    table = pa.concat_tables(pieces) if pieces else frame.read()
    return look(table, order.columns, order.recipe, frame.rows)


def answer_all(predictor: Any, quick: Any, questions: list[Question]) -> list[Any]:
    """Each question's answer. They are computed together where that cannot change any of them, else one by one."""
    if len(questions) > 1 and are_alike([row for each in questions for row in each.rows]):
        try:
            together = Question(questions[0].artifact, [row for each in questions for row in each.rows], questions[0].threshold)
            found = answer(predictor, quick, together)
        except DappError:  # it is the fault of one of them, and the others shall not have it
            found = None
        if found is not None and not found.notes:
            ends = list(itertools.accumulate(len(each.rows) for each in questions))
            return [_part(found, start, end) for start, end in zip([0, *ends], ends, strict=False)]
    answers: list[Any] = []
    for question in questions:
        try:
            answers.append(answer(predictor, quick, question))
        except DappError as error:
            answers.append(error)
    return answers


def _part(whole: Answered, start: int, end: int) -> Answered:
    return Answered(whole.values[start:end], {name: chances[start:end] for name, chances in whole.probabilities.items()})


def are_alike(rows: list[dict[str, Any]]) -> bool:
    """Whether all rows have the same columns, each with values of one type: then a column together is what it is alone."""
    first = rows[0].keys()
    kinds: dict[str, type] = {}
    for row in rows:
        if row.keys() != first:
            return False
        for name, value in row.items():
            if value is not None and kinds.setdefault(name, type(value)) is not type(value):
                return False
    return True


def answer(predictor: Any, quick: Any, question: Question) -> Answered:
    """What a model says about rows."""
    from dapp_ext.domain.learning.deciding import decide

    reasons = [predictor.reasons(as_table([row])) for row in question.rows] if question.explain else []
    out = quick.outputs(question.rows)
    if out is not None:
        return Answered(*_said(quick, out, question.threshold), reasons=reasons)
    table, notes = predictor.predict(as_table(question.rows))
    columns = decide(table, predictor.labels, question.threshold).to_pydict()
    return Answered(
        values=[plain(value) for value in columns["prediction"]],
        probabilities={name.removeprefix("probability_"): columns[name] for name in table.column_names if name.startswith("probability_")},
        notes=notes,
        reasons=reasons,
    )


def _said(quick: Any, out: Any, threshold: float | None) -> tuple[list[Any], dict[str, list[float]]]:
    """Outputs as answers and their probabilities, without a table between: as :func:`decide` and the predictor have them."""
    if not quick.labels:
        return out.tolist(), {}
    chances = {name: out[:, place].tolist() for place, name in enumerate(quick.classes)}
    if threshold is not None and len(quick.labels) == 2:
        places = [int(chance >= threshold) for chance in out[:, 1].tolist()]
    else:
        places = out.argmax(axis=1).tolist()
    return [plain(quick.labels[place]) for place in places], chances


def as_table(rows: list[dict[str, Any]]) -> Any:
    """Rows as a table. A column of mixed values becomes text; the predictor reads it as what it was trained on."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row))
    arrays = []
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, (list, dict)) for value in values):
            raise RowsMismatch(f"Column {name!r} holds a list or an object. Give one plain value for each row.")
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            arrays.append(pa.array([None if value is None else value if isinstance(value, str) else repr(value) for value in values], pa.string()))
    return pa.Table.from_arrays(arrays, names=names)


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def main() -> None:
    """Entry of the process; its one argument is the number of the socket that it inherited."""
    logging.basicConfig(level="INFO")
    serve(Connection(int(sys.argv[1])))
