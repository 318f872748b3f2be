"""Predictions in the moment: a few warm processes that hold the models used last.

A model is somebody's file: it is loaded and asked in a process that may fail without harm, never in a server. Such a
process (:mod:`dapp_ext.services.scoring`) gets the path and key of one sealed model through a private socket and nothing
else. One thread speaks with each process; whatever waits for the same model meanwhile is asked together, and the answers
go back together too, so that many callers cost hardly more than one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from dapp_ext.errors import Busy, DappError, Unavailable
from dapp_ext.schema.models import Advice
from dapp_ext.services.passes import FilePass
from dapp_ext.services.scoring import AdviceOrder, Answered, Question
from dapp_ext.settings import PYTHON

log = logging.getLogger(__name__)
PROCESSES = 2
ANSWER_SECONDS = 60.0
START_SECONDS = 90.0
# Questions of together so many rows are answered at once; longer ones go their own way.
SHORT_ROWS = 256
# Reasons for one row take as long as answers for so many.
REASON_ROWS = 1000
MOST_WAITING = 2000
# One row is done before a second thread has woken up.
_FEW_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
_BUSY = "All predictions are busy right now. Try again in a few seconds."

Then = Callable[[Any], None]
# How a function and its arguments get to the thread that asked, such as an event loop's ``call_soon_threadsafe``.
Post = Callable[..., Any]


@dataclass(eq=False)
class _Waiting:
    """Something asked, and what is done with its answer, or with the error that it is."""

    act: str
    asked: Any
    then: Then
    post: Post | None = None
    since: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """How much it asks for, in rows."""
        if self.act != "predict":
            return SHORT_ROWS + 1
        return len(self.asked.rows) * (REASON_ROWS if self.asked.explain else 1)

    def goes_with(self, other: _Waiting) -> bool:
        """Whether both are questions to the same model under the same policy."""
        if self.act != "predict" or other.act != "predict" or other.size > SHORT_ROWS:
            return False
        one, two = self.asked, other.asked
        return bool(one.artifact.label == two.artifact.label and one.threshold == two.threshold)


class Scorers:
    """The pool, as a server sees it. Processes start with the first prediction."""

    def __init__(self) -> None:
        self._scorers = [_Scorer() for _ in range(PROCESSES)]

    def predict(self, question: Question) -> Answered:
        """Answers in the order of the rows, and notes on what was missing or new in them.

        A model stays with one process, so that it is loaded once; long questions go to another, so that short ones need
        not wait for them.
        """
        found: Answered = self._wait(lambda then: self.ask(question, then, None))
        return found

    def ask(self, question: Question, then: Then, post: Post | None) -> None:
        """The same without waiting: ``then`` gets the answer, or the error, on the thread that ``post`` leads to."""
        waiting = _Waiting("predict", question, then, post)
        self._place(question, waiting.size).add(waiting)

    def inspect(self, pipeline: FilePass) -> None:
        """Read a pipeline that somebody brought along, in a process that may fail without harm.

        Raises
        ------
        ModelTypeRefused, Invalid
        """
        self._wait(lambda then: self._scorers[0].add(_Waiting("inspect", pipeline, then)))

    def advise(self, order: AdviceOrder) -> Advice:
        """What a training would do."""
        free = next((each for each in reversed(self._scorers) if each.is_started and not each.is_long), self._scorers[0])
        found: Advice = self._wait(lambda then: free.add(_Waiting("advise", order, then)))
        return found

    def _wait(self, ask: Callable[[Then], None]) -> Any:
        answered, answers = threading.Event(), list[Any]()

        def then(answer: Any) -> None:
            answers.append(answer)
            answered.set()

        ask(then)
        if not answered.wait(2 * ANSWER_SECONDS + START_SECONDS):
            raise Busy(_BUSY)
        if isinstance(answers[0], DappError):
            raise answers[0]
        return answers[0]

    def _place(self, question: Question, size: int) -> _Scorer:
        first = int(question.artifact.label.object_id[-4:], 16) % PROCESSES
        home, other = self._scorers[first], self._scorers[first - 1]
        if size > SHORT_ROWS and home.is_started:
            return home if other.is_long and not home.is_long else other
        if not home.is_started and other.is_started and not other.is_long:
            return other
        return other if home.is_long and not other.is_long else home

    def warm(self) -> None:
        """Start a process in the background, when somebody looks at a model: the first prediction need not wait for it."""
        if not self._scorers[0].is_started:
            self._scorers[0].add(_Waiting("start", None, lambda _answer: None))

    def close(self) -> None:
        for scorer in self._scorers:
            scorer.end()


class _Scorer:
    """One process, and the thread that speaks with it."""

    def __init__(self) -> None:
        self._queue: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._long = 0
        self._closed = False

    @property
    def is_started(self) -> bool:
        return self._process is not None

    @property
    def is_long(self) -> bool:
        """Whether something long is asked, or waits to be."""
        return self._long > 0

    def add(self, waiting: _Waiting) -> None:
        """Ask something; returns at once.

        Raises
        ------
        Busy
            Too much waits already.
        """
        with self._wake:
            if self._closed:
                raise Unavailable("The server is shutting down.")
            if len(self._queue) >= MOST_WAITING:
                raise Busy(_BUSY)
            self._queue.append(waiting)
            self._long += waiting.size > SHORT_ROWS and waiting.act != "start"
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dapp-scorer", daemon=True)
                self._thread.start()
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closed:
                    self._wake.wait()
                if self._closed:
                    together, answers = list(self._queue), []
                    self._queue.clear()
                else:
                    together = self._take()
            if self._closed:
                _tell(together, [Unavailable("The server is shutting down.")] * len(together))
                return
            answers = self._answers(together)
            with self._wake:
                self._long -= sum(each.size > SHORT_ROWS and each.act != "start" for each in together)
            _tell(together, answers)

    def _take(self) -> list[_Waiting]:
        """The one that waits longest, and the short ones of others about the same model."""
        first = self._queue.popleft()
        together, size, left = [first], first.size, deque[_Waiting]()
        for each in self._queue:
            if size + each.size <= SHORT_ROWS and first.goes_with(each):
                together.append(each)
                size += each.size
            else:
                left.append(each)
        self._queue = left
        return together

    def _answers(self, together: Sequence[_Waiting]) -> list[Any]:
        late = time.monotonic() - ANSWER_SECONDS
        if together[0].since < late - START_SECONDS:
            return [Busy(_BUSY)] * len(together)
        try:
            if together[0].act == "start":
                self._started()
                return [None]
            answers: list[Any] = self._exchange((together[0].act, [each.asked for each in together]))
            return answers
        except DappError as error:
            if together[0].act == "start":
                log.warning("%s", error.message)
            return [error] * len(together)

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
                if attempt == 2 or self._closed:
                    raise Unavailable("The model's process ended without an answer, twice. An administrator should look at the log.") from error
        raise AssertionError("unreachable")

    def _started(self) -> Connection:
        if self._process is not None and self._process.poll() is None and self._pipe is not None:
            return self._pipe
        self._stop()
        if self._closed:
            raise Unavailable("The server is shutting down.")
        here, there = socket.socketpair()
        with there:
            environment = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")} | _FEW_THREADS
            self._process = subprocess.Popen(
                [*PYTHON, "-c", "from dapp_ext.services.scoring import main; main()", str(there.fileno())],
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
        with self._wake:
            self._closed = True
            self._wake.notify()
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for it is let go by this
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)
        self._stop()


def _tell(together: Sequence[_Waiting], answers: Sequence[Any]) -> None:
    """Hand the answers back: all that go to the same thread in one go, since each hand-over costs a turn of both threads."""
    posts: dict[Post, list[tuple[Then, Any]]] = {}
    for each, answer in zip(together, answers, strict=True):
        if each.post is None:
            each.then(answer)
        else:
            posts.setdefault(each.post, []).append((each.then, answer))
    for post, pairs in posts.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever asked
            post(_tell_all, pairs)


def _tell_all(pairs: Sequence[tuple[Then, Any]]) -> None:
    for then, answer in pairs:
        then(answer)
