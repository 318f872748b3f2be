"""Work in the background, as a notebook sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import ago, badge, card, paragraph, progress_html
from dapp_ext.client.live import wait_until
from dapp_ext.client.objects import Listing, Thing, failure
from dapp_ext.client.progress import Display
from dapp_ext.client.tracebacks import short_tracebacks
from dapp_ext.client.transport import path_of
from dapp_ext.errors import DappError, JobFailed, JobNotFound
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES, JobLine, JobRead

_TONES = {"queued": "calm", "running": "busy", "succeeded": "good", "failed": "bad", "cancelled": "warn", "dead": "bad"}
_VERBS = {
    "ingest": "Reading",
    "fix": "Mending",
    "train": "Training",
    "predict": "Predicting",
    "register": "Checking",
    "rescore": "Scoring again",
    "batch": "Training",
}


@short_tracebacks
class Job(Thing[JobRead]):
    """One piece of background work."""

    @property
    def kind(self) -> str:
        """``ingest``, ``fix``, ``train``, ``predict``, ``register``, ``rescore`` or ``batch``."""
        return self._read.kind

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``failed``, ``cancelled`` or ``dead``."""
        return self._read.status

    @property
    def progress(self) -> float:
        """How far it is, from 0 to 1."""
        return self._read.progress

    @property
    def done(self) -> bool:
        return self._read.status in FINAL_JOB_STATUSES

    @property
    def lines(self) -> Listing[JobLine]:
        """The parts of a batch."""
        return Listing(self._read.lines, self._read.subject.name, _LINES)

    def refresh(self) -> Job:
        """Read again how it is now."""
        self._read = self._connection.transport.get(JobRead, f"jobs/{path_of(self.id)}")
        return self

    def cancel(self) -> Job:
        """End it without a result. To keep the best model so far, use ``model.stop()``."""
        self._read = self._connection.transport.post(JobRead, f"jobs/{path_of(self.id)}/cancel")
        return self

    def wait(self, timeout: float | None = None) -> Job:
        """Wait for its end.

        Raises
        ------
        JobFailed
            Or whatever its error is, when it ends without a result.
        TimeExceeded
            When it takes longer than ``timeout`` seconds.
        """
        with Display() as display:

            def look() -> Job | None:
                if not self.done:
                    self.refresh()
                display.bar(self.progress, self._title(), now=self.done)
                return self if self.done else None

            wait_until(self._connection.feed, look, lambda event: event.subject.id == self.id, timeout=timeout)
        if self.status != "succeeded":
            raise failure(self._read.error, None)
        return self

    def _title(self) -> str:
        message = f": {self._read.message}" if self._read.message else ""
        return f"{_VERBS[self.kind]} {self._read.subject.name}{message}"

    def __repr__(self) -> str:
        return f"Job {self.id} · {self._title()} · {self.status} {self.progress:.0%}" + (f"\n{self._read.error}" if self._read.error else "")

    def _repr_html_(self) -> str:
        note = paragraph(self._read.error) if self._read.error else ""
        bar = "" if self.done else progress_html(self.progress, "")
        return card(
            self._title(),
            paragraph(f"{self._read.owner.name} · {ago(self._read.created_at)}", "soft"),
            note,
            bar,
            badge=badge(self.status, _TONES[self.status]),
        )


_LINES: dict[str, Callable[[JobLine], Any]] = {
    "model": lambda each: each.subject.name,
    "status": lambda each: each.status,
    "progress": lambda each: f"{each.progress:.0%}",
    "error": lambda each: each.error or "",
}
JOB_COLUMNS: dict[str, Callable[[Job], Any]] = {
    "kind": lambda each: each.kind,
    "for": lambda each: each.read.subject.name,
    "status": lambda each: each.status,
    "progress": lambda each: f"{each.progress:.0%}",
    "owner": lambda each: each.read.owner.name,
    "asked": lambda each: ago(each.read.created_at),
}


class Failed(Protocol):
    """A dataset or model that ended in an error."""

    @property
    def error(self) -> str | None: ...
    @property
    def job_id(self) -> str | None: ...


def failure_of(connection: Connection, read: Failed, code: str | None, default: type[DappError] = JobFailed) -> DappError:
    """The error of a failed thing, as the class that the server raised.

    The feed tells its code; where it was not heard, the job's own sentence does.
    """
    if code is None and read.job_id is not None:
        try:
            job = connection.transport.get(JobRead, f"jobs/{path_of(read.job_id)}")
        except JobNotFound:  # somebody else's job: its sentence is not for this account
            return failure(read.error, None, default)
        code = failure(job.error, None, default).code
    return failure(read.error, code, default)
