"""Predictions in the moment: a few warm processes that hold the models used last.

A model is somebody's file: it is loaded and asked in a process that may fail without harm, never in a server. Such a
process gets the path and key of one sealed model through a private socket and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from multiprocessing.connection import Connection
from typing import Any

from dapp_ext.errors import Busy, DappError, Internal, Unavailable
from dapp_ext.schema.models import Prediction
from dapp_ext.services.files import FilePass
from dapp_ext.store.objects import open_sealed

log = logging.getLogger(__name__)
PROCESSES = 2
KEPT_MODELS = 4
ANSWER_SECONDS = 60.0
START_SECONDS = 90.0


class Scorers:
    """The pool, as a server sees it. Processes start with the first prediction."""

    def __init__(self) -> None:
        self._scorers = [_Scorer() for _ in range(PROCESSES)]

    def predict(self, artifact: FilePass, rows: list[dict[str, Any]]) -> tuple[list[Prediction], list[str]]:
        """Answers in the order of the rows, and notes on what was missing or new in them.

        A model stays with one process as long as that is free, so that it is loaded once.
        """
        first = int(artifact.label.object_id[-4:], 16) % PROCESSES
        order = self._scorers[first:] + self._scorers[:first]
        free = [each for each in order if each.is_free()]
        scorer = next((each for each in free if each.is_started), free[0] if free else order[0])
        answer = scorer.ask((artifact, rows))
        if isinstance(answer, DappError):
            raise answer
        predictions, notes = answer
        return predictions, notes

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
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

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

    def is_free(self) -> bool:
        return not self._lock.locked()

    def ask(self, question: Any) -> Any:
        if not self._lock.acquire(timeout=ANSWER_SECONDS):
            raise Busy("All predictions are busy right now. Try again in a few seconds.")
        try:
            for attempt in (1, 2):
                pipe = self._started()
                try:
                    pipe.send(question)
                    if not pipe.poll(ANSWER_SECONDS):
                        self._stop()
                        raise Unavailable("The model took too long to answer. Send fewer rows, or predict a whole dataset instead.")
                    return pipe.recv()
                except (EOFError, OSError) as error:
                    self._stop()
                    if attempt == 2:
                        raise Unavailable("The model's process ended without an answer, twice. An administrator should look at the log.") from error
            raise AssertionError("unreachable")
        finally:
            self._lock.release()

    def _started(self) -> Connection:
        if self._process is not None and self._process.poll() is None and self._pipe is not None:
            return self._pipe
        self._stop()
        here, there = socket.socketpair()
        with there:
            environment = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")}
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
            artifact, rows = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            key = (artifact.label.object_id, artifact.label.generation)
            if key not in kept:
                with open_sealed(artifact.path, artifact.key, artifact.label) as reader:
                    kept[key] = load_predictor(reader.read())
            kept.move_to_end(key)
            while len(kept) > KEPT_MODELS:
                kept.popitem(last=False)
            pipe.send(_answer(kept[key], rows))
        except DappError as error:
            pipe.send(error)
        except Exception:
            log.exception("A prediction failed in an unforeseen way")
            pipe.send(Internal("The prediction failed in an unforeseen way. An administrator finds the reason in the log."))


def _answer(predictor: Any, rows: list[dict[str, Any]]) -> tuple[list[Prediction], list[str]]:
    table, notes = predictor.predict(_as_table(rows))
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
