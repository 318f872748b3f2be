"""Predictions in the moment: a few warm processes that hold the models used last.

A model is somebody's file: it is loaded and asked in a process that may fail without harm, never in a server. Such a
process gets the path and key of one sealed model through a private socket and nothing else.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from dapp_ext.errors import Busy, DappError, Internal, RowsMismatch, Unavailable
from dapp_ext.schema.models import Prediction
from dapp_ext.services.files import FilePass
from dapp_ext.store.objects import open_sealed

log = logging.getLogger(__name__)
PROCESSES = 2
KEPT_MODELS = 4
ANSWER_SECONDS = 60.0
START_SECONDS = 90.0
# Questions of together so many rows are answered at once; longer ones go their own way.
SHORT_ROWS = 256
# One row is done before a second thread has woken up.
_FEW_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


@dataclass(frozen=True)
class Question:
    """Rows for one model, and from which probability on its answer is yes."""

    artifact: FilePass
    rows: list[dict[str, Any]]
    threshold: float | None = None


@dataclass(eq=False)
class _Waiting:
    """A question and, when somebody has asked it, its answer."""

    question: Question
    answer: Any = None
    is_answered: bool = False


class Scorers:
    """The pool, as a server sees it. Processes start with the first prediction."""

    def __init__(self) -> None:
        self._scorers = [_Scorer() for _ in range(PROCESSES)]

    def predict(self, question: Question) -> tuple[list[Prediction], list[str]]:
        """Answers in the order of the rows, and notes on what was missing or new in them.

        A model stays with one process, so that it is loaded once; long questions go to another, so that short ones need
        not wait for them. Questions that wait for the same model are asked together.
        """
        answer = self._place(question).ask(question)
        if isinstance(answer, DappError):
            raise answer
        predictions, notes = answer
        return predictions, notes

    def inspect(self, pipeline: FilePass) -> None:
        """Read a pipeline that somebody brought along, in a process that may fail without harm.

        Raises
        ------
        ModelTypeRefused, Invalid
        """
        answer = self._scorers[0].inspect(pipeline)
        if isinstance(answer, DappError):
            raise answer

    def _place(self, question: Question) -> _Scorer:
        first = int(question.artifact.label.object_id[-4:], 16) % PROCESSES
        home, other = self._scorers[first], self._scorers[first - 1]
        if len(question.rows) > SHORT_ROWS and home.is_started:
            return home if other.is_long and not home.is_long else other
        if not home.is_started and other.is_started and not other.is_long:
            return other
        return other if home.is_long and not other.is_long else home

    def warm(self) -> None:
        """Start a process in the background, when somebody looks at a model: the first prediction need not wait for it."""
        if not self._scorers[0].is_started:
            threading.Thread(target=self._scorers[0].start, name="dapp-scorer", daemon=True).start()

    def close(self) -> None:
        for scorer in self._scorers:
            scorer.end()


class _Scorer:
    """One process, asked by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self.is_long = False

    @property
    def is_started(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Start the process, unless it runs or is just being started."""
        if self._lock.acquire(blocking=False):
            try:
                self._started()
            except DappError as error:
                log.warning("%s", error.message)
            finally:
                self._lock.release()

    def ask(self, question: Question) -> Any:
        """The answer, or the error that it is. Whoever has the turn asks for all who wait with the same model."""
        mine = _Waiting(question)
        self._queue.append(mine)
        if not self._lock.acquire(timeout=ANSWER_SECONDS):
            with contextlib.suppress(ValueError):
                self._queue.remove(mine)
            raise Busy("All predictions are busy right now. Try again in a few seconds.")
        try:
            if not mine.is_answered:
                self._ask_together(mine)
        finally:
            self._lock.release()
        return mine.answer

    def inspect(self, pipeline: FilePass) -> Any:
        """``None``, or the error that the pipeline is refused with."""
        if not self._lock.acquire(timeout=ANSWER_SECONDS):
            raise Busy("All predictions are busy right now. Try again in a few seconds.")
        try:
            return self._exchange(("inspect", pipeline, None, [[]]))[0]
        finally:
            self._lock.release()

    def _ask_together(self, mine: _Waiting) -> None:
        """Called with the turn: ask this question, and the short ones of others about the same model."""
        waiting, self._queue = self._queue, deque()
        together, size = [mine], len(mine.question.rows)
        for each in waiting:
            fits = each.question.artifact.label == mine.question.artifact.label and each.question.threshold == mine.question.threshold
            if each is mine:
                continue
            if fits and size + len(each.question.rows) <= SHORT_ROWS:
                together.append(each)
                size += len(each.question.rows)
            else:
                self._queue.append(each)
        self.is_long = size > SHORT_ROWS
        try:
            answers = self._exchange(("predict", mine.question.artifact, mine.question.threshold, [each.question.rows for each in together]))
        except DappError as error:
            answers = [error] * len(together)
        finally:
            self.is_long = False
        for each, answer in zip(together, answers, strict=True):
            each.answer, each.is_answered = answer, True

    def _exchange(self, message: Any) -> Any:
        for attempt in (1, 2):
            pipe = self._started()
            try:
                pipe.send(message)
                if not pipe.poll(ANSWER_SECONDS):
                    self._stop()
                    raise Unavailable("The model took too long to answer. Send fewer rows, or predict a whole dataset instead.")
                return pipe.recv()
            except (EOFError, OSError) as error:
                self._stop()
                if attempt == 2:
                    raise Unavailable("The model's process ended without an answer, twice. An administrator should look at the log.") from error
        raise AssertionError("unreachable")

    def _started(self) -> Connection:
        if self._process is not None and self._process.poll() is None and self._pipe is not None:
            return self._pipe
        self._stop()
        here, there = socket.socketpair()
        with there:
            environment = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")} | _FEW_THREADS
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from dapp_ext.services.scorers import main; main()", str(there.fileno())],
                pass_fds=[there.fileno()],
                env=environment,
                start_new_session=True,
            )
        self._pipe = Connection(here.detach())
        if not self._pipe.poll(START_SECONDS):
            self._stop()
            raise Unavailable("The process that predicts does not start. Try again in a moment.")
        with contextlib.suppress(EOFError, OSError):
            self._pipe.recv()
        return self._pipe

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def end(self) -> None:
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for it is let go by this
        with self._lock:
            self._stop()


def serve(pipe: Connection) -> None:
    """The process: answers until its server closes the pipe."""
    from dapp_ext.domain.learning import load_predictor, preload

    preload()
    kept: OrderedDict[tuple[str, int], Any] = OrderedDict()
    pipe.send("ready")
    while True:
        try:
            act, artifact, threshold, questions = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            if act == "inspect":
                _inspect(artifact)
                pipe.send([None])
                continue
            key = (artifact.label.object_id, artifact.label.generation)
            if key not in kept:
                with open_sealed(artifact.path, artifact.key, artifact.label) as reader:
                    kept[key] = load_predictor(reader.read())
            kept.move_to_end(key)
            while len(kept) > KEPT_MODELS:
                kept.popitem(last=False)
            pipe.send(_answer_all(kept[key], questions, threshold))
        except DappError as error:
            pipe.send([error] * len(questions))
        except Exception:
            log.exception("A prediction failed in an unforeseen way")
            failure = Internal("The prediction failed in an unforeseen way. An administrator finds the reason in the log.")
            pipe.send([failure] * len(questions))


def _inspect(given: FilePass) -> None:
    from dapp_ext.domain.learning.registered import read_pipeline

    with open_sealed(given.path, given.key, given.label) as reader:
        read_pipeline(reader.read())


def _answer_all(predictor: Any, questions: list[list[dict[str, Any]]], threshold: float | None) -> list[Any]:
    """Each question's answer. They are computed together where that cannot change any of them, else one by one."""
    if len(questions) > 1 and _are_alike([row for rows in questions for row in rows]):
        try:
            answers, notes = _answer(predictor, [row for rows in questions for row in rows], threshold)
        except DappError:  # it is the fault of one of them, and the others shall not have it
            notes = ["one by one"]
        if not notes:
            ends = list(itertools.accumulate(len(rows) for rows in questions))
            return [(answers[start:end], []) for start, end in zip([0, *ends], ends, strict=False)]
    found: list[Any] = []
    for rows in questions:
        try:
            found.append(_answer(predictor, rows, threshold))
        except DappError as error:
            found.append(error)
    return found


def _are_alike(rows: list[dict[str, Any]]) -> bool:
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


def _answer(predictor: Any, rows: list[dict[str, Any]], threshold: float | None) -> tuple[list[Prediction], list[str]]:
    from dapp_ext.domain.learning.deciding import decide

    table, notes = predictor.predict(_as_table(rows))
    table = decide(table, predictor.labels, threshold)
    columns = table.to_pydict()
    classes = [name for name in table.column_names if name.startswith("probability_")]
    answers = []
    for index, value in enumerate(columns["prediction"]):
        probabilities = {name.removeprefix("probability_"): columns[name][index] for name in classes} or None
        answers.append(Prediction(prediction=_plain(value), probabilities=probabilities))
    return answers, notes


def _as_table(rows: list[dict[str, Any]]) -> Any:
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


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def main() -> None:
    """Entry of the process; its one argument is the number of the socket that it inherited."""
    logging.basicConfig(level="INFO")
    serve(Connection(int(sys.argv[1])))
