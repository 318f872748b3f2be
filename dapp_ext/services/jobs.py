"""Jobs: followed and cancelled by people, claimed and ended by workers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import psutil

from dapp_ext.domain.access import Scope, Thing, allowed, scope
from dapp_ext.errors import Conflict, JobCancelled, JobFailed, JobNotFound, NotFound, WorkerLost, every_error
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Named, Page, Subject, new_id, now
from dapp_ext.schema.events import JobEvent
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES, JobKind, JobLine, JobRead, JobSubject
from dapp_ext.services.context import Change, Context, list_cursor
from dapp_ext.services.work import Wanted
from dapp_ext.store import accounts as accounts_store
from dapp_ext.store import grants, notices, queue
from dapp_ext.store.database import Session
from dapp_ext.store.tables import Job, Model, Worker

PROGRESS_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Wishes:
    """What people want of a running job."""

    held: bool
    cancel: bool = False
    wanted: Wanted = Wanted()


# Tells the dataset or model of a job that it failed: the change, the job, a code and a sentence.
FailSubject = Callable[[Change, Job, str, str], None]


class Jobs:
    """The service."""

    def __init__(self, context: Context, fail_subject: FailSubject) -> None:
        self._context = context
        self._fail_subject = fail_subject
        self._told: dict[str, float] = {}

    # -- for people ---------------------------------------------------------------------------------------------

    def list(self, actor: Actor, *, status: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[JobRead]:
        """Jobs that the actor may see, newest first."""
        self._context.permit(actor, "job.list")
        limit = max(1, min(limit, 500))
        account = None if scope(actor, "job.list") is Scope.everyone else actor.account_id
        with self._context.database.read() as session:
            rows = queue.page(session, account, status=status, limit=limit + 1, before=list_cursor(cursor))
            names = accounts_store.names(session, {job.owner_id for job in rows})
            items = [self._seen(actor, session, job, names) for job in rows[:limit]]
        return Page(items=items, next=items[-1].id if len(rows) > limit else None)

    def get(self, actor: Actor, job_id: str) -> JobRead:
        with self._context.database.read() as session:
            return self._shown(actor, session, self._find(actor, session, job_id, "job.read"))

    def cancel(self, actor: Actor, job_id: str) -> JobRead:
        """Stop a job without a result; asking twice does no harm.

        Raises
        ------
        Conflict
            If it has ended already in another way.
        """
        with self._context.database.read() as session:
            self._find(actor, session, job_id, "job.cancel")
        with self._context.change(actor, "job.cancel", Subject(kind="job", id=job_id)) as change:
            job = self._find(actor, change.session, job_id, "job.cancel")
            if job.status in FINAL_JOB_STATUSES and job.status != "cancelled":
                raise Conflict(f"The job has ended already ({job.status}).")
            job.cancel_requested = True
            change.session.add(job)
            for part in queue.children(change.session, job.id) if job.kind == "batch" else [job]:
                self._cancel_one(change, part)
            if job.kind == "batch" and job.status == "running":
                tell_job(change, "job.progress", job)
            return self._shown(actor, change.session, job)

    def _cancel_one(self, change: Change, job: Job) -> None:
        if job.status in FINAL_JOB_STATUSES:
            return
        job.cancel_requested = True
        change.session.add(job)
        if job.status == "queued":
            queue.finish(change.session, job, "cancelled", "job_cancelled")
            self._explain(change, job, JobCancelled.code, JobCancelled.sentence)
        tell_job(change, "job.finished" if job.status == "cancelled" else "job.progress", job)
        _tell_batch(change, job)

    def _shown(self, actor: Actor, session: Session, job: Job) -> JobRead:
        """A job with the parts that the actor may see."""
        found = self._seen(actor, session, job, accounts_store.names(session, {job.owner_id}))
        parts = queue.children(session, job.id) if job.kind == "batch" else []
        seen = [part for part in parts if self._context.allows(actor, "job.read", _thing_for(session, actor, part))]
        shown = [self._seen(actor, session, part, {}) for part in seen]
        lines = [JobLine(job_id=each.id, status=each.status, subject=each.subject, progress=each.progress, error=each.error) for each in shown]
        return found.model_copy(update={"lines": lines})

    def _seen(self, actor: Actor, session: Session, job: Job, names: dict[str, str]) -> JobRead:
        """A job as this account may see it: of work for something private an administrator learns no more than that it is there."""
        shown = _read(job, names, self._why(session, job))
        if allowed(actor, "model.read" if job.subject_kind == "model" else "dataset.read", _thing_for(session, actor, job)):
            return shown
        subject = shown.subject.model_copy(update={"name": f"a private {job.subject_kind}"})
        error = every_error()[job.error_code].sentence if job.error_code else None
        return shown.model_copy(update={"subject": subject, "message": "", "error": error})

    def _find(self, actor: Actor, session: Session, job_id: str, verb: str) -> Job:
        job = session.get(Job, job_id)
        if job is None:
            raise JobNotFound
        self._context.permit(actor, verb, _thing_for(session, actor, job), JobNotFound)
        return job

    # -- for workers --------------------------------------------------------------------------------------------

    def enlist(self) -> Worker:
        """Say that a worker process has begun."""
        worker = Worker(id=new_id(), pid=os.getpid(), host=socket.gethostname())
        self.report(worker)
        return worker

    def report(self, worker: Worker) -> None:
        """Say that a worker lives."""
        with self._context.database.write() as session:
            queue.report_worker(session, worker)

    def leave(self, worker: Worker) -> None:
        """Say that a worker has ended."""
        with self._context.database.write() as session:
            queue.forget_worker(session, worker.id)

    def claim(self, worker: Worker, kinds: Collection[JobKind] = get_args(JobKind)) -> Job | None:
        """Take the next job of these kinds; ``None`` when none waits."""
        with self._context.database.read() as session:
            if not queue.is_waiting(session, kinds) or is_maintained(session):
                return None
        with self._context.change(None, None) as change:
            job = queue.claim(change.session, worker.id, kinds)
            if job is not None:
                tell_job(change, "job.started", job)
            return job

    def beat(self, job: Job) -> Wishes:
        """Prolong the lease and learn what people want; ``held`` is false when the job is somebody else's by now."""
        with self._context.database.write() as session:
            kept = queue.renew(session, job.id, job.attempt)
            return self._wishes(session, kept)

    def wishes(self, job: Job) -> Wishes:
        """What people want of a job, without prolonging the lease."""
        with self._context.database.read() as session:
            return self._wishes(session, queue.held(session, job.id, job.attempt))

    def _wishes(self, session: Session, job: Job | None) -> Wishes:
        if job is None:
            return Wishes(held=False)
        model = session.get(Model, job.subject_id) if job.kind == "train" else None
        if model is None:
            return Wishes(held=True, cancel=job.cancel_requested)
        wanted = Wanted(model.stop_requested, model.extra_seconds, frozenset(model.skipped.split()))
        return Wishes(held=True, cancel=job.cancel_requested, wanted=wanted)

    def progress(self, job: Job, fraction: float, message: str) -> None:
        """Tell how far a job is; at most twice a second, and never backwards."""
        moment = time.monotonic()
        if moment - self._told.get(job.id, 0.0) < PROGRESS_EVERY_SECONDS:
            return
        self._told[job.id] = moment
        with change_for(self._context, job) as change:
            kept = queue.held(change.session, job.id, job.attempt)
            if kept is not None:
                kept.progress = max(kept.progress, min(fraction, 0.999))
                kept.message = message
                change.session.add(kept)
                tell_job(change, "job.progress", kept)

    def fail(self, job: Job, code: str, sentence: str, status: str = "failed") -> None:
        """End a job without a result, and say why at its subject."""
        self._told.pop(job.id, None)
        with change_for(self._context, job) as change:
            kept = queue.held(change.session, job.id, job.attempt)
            if kept is not None:
                queue.finish(change.session, kept, status, code)
                self._explain(change, kept, code, sentence)
                tell_job(change, "job.finished", kept)
                _tell_batch(change, kept)

    def release(self, job: Job) -> None:
        """Give a job back, because the worker is being stopped."""
        with change_for(self._context, job) as change:
            kept = queue.held(change.session, job.id, job.attempt)
            if kept is not None:
                queue.release(change.session, kept)
                tell_job(change, "job.queued", kept)

    def lost(self, job: Job) -> None:
        """The process that did the work died: queue it again, or give it up after the third time."""
        with change_for(self._context, job) as change:
            kept = queue.held(change.session, job.id, job.attempt)
            if kept is not None:
                self._lose(change, kept, own_death=True)

    def recover(self) -> None:
        """Find jobs whose worker is gone: their lease has ended, or their process on this machine does not exist."""
        host = socket.gethostname()
        with self._context.database.read() as session:
            here = queue.workers_on(session, host)
        missing = {worker.id for worker in here if not psutil.pid_exists(worker.pid) or _is_another(worker)}
        with self._context.database.read() as session:
            if not missing and not queue.expired(session):
                return
        with self._context.change(None, None) as change:
            for job in queue.abandoned(change.session, missing):
                self._lose(change, job, own_death=False)
            for worker_id in missing:
                queue.forget_worker(change.session, worker_id)

    def _lose(self, change: Change, job: Job, *, own_death: bool) -> None:
        if queue.lose(change.session, job, own_death=own_death):
            self._explain(change, job, WorkerLost.code, WorkerLost.sentence)
            tell_job(change, "job.finished", job)
            _tell_batch(change, job)
        else:
            tell_job(change, "job.queued", job)

    def counts(self) -> dict[str, int]:
        with self._context.database.read() as session:
            return queue.counts(session)

    def _explain(self, change: Change, job: Job, code: str, sentence: str) -> None:
        """Keep why a job failed, at the job and at its subject; sealed, since the sentence may name a column."""
        inside = self._context.unseal(change.session, job.subject_id, place_of(job), job.sealed) | {"error": sentence}
        job.sealed = self._context.seal(change.session, job.subject_id, place_of(job), inside)
        change.session.add(job)
        self._fail_subject(change, job, code, sentence)

    def _why(self, session: Session, job: Job) -> str | None:
        if job.error_code is None:
            return None
        try:
            inside = self._context.unseal(session, job.subject_id, place_of(job), job.sealed)
        except NotFound:  # its subject was deleted, and with it the key
            inside = {}
        return str(inside.get("error") or every_error()[job.error_code].sentence)


@contextmanager
def change_for(context: Context, job: Job) -> Iterator[Change]:
    """A change by background work, in the name of whom it is done for. It has no audit row: asking for the work had one."""
    with context.change(None, None) as change:
        change.by = Named(id=job.owner_id, name=accounts_store.names(change.session, {job.owner_id}).get(job.owner_id, ""))
        yield change


def add_job(  # the job's own facts are its parameters, and every caller names them
    context: Context,
    change: Change,
    kind: JobKind,
    thing: Thing,
    subject: Subject,
    name: str,
    spec: dict[str, Any],
    *,
    parent: Job | None = None,
    after: str | None = None,
) -> Job:
    """Queue work in the transaction of the change that needs it: as part of a batch, or after another job has ended."""
    assert change.actor is not None
    job = Job(kind=kind, subject_kind=subject.kind, subject_id=subject.id, subject_name=name, owner_id=change.actor.account_id, visibility=thing.visibility)
    job.parent_id, job.after_id = parent.id if parent else None, after
    job.sealed = context.seal(change.session, subject.id, place_of(job), spec)
    change.session.add(job)
    change.session.flush()
    tell_job(change, "job.queued", job)
    return job


def add_batch(context: Context, change: Change, name: str, visibility: str) -> Job:
    """A job that nobody works on: it goes on while its parts do, and ends with the last of them."""
    assert change.actor is not None
    job = Job(kind="batch", status="running", subject_kind="batch", subject_id="", subject_name=name, owner_id=change.actor.account_id, visibility=visibility)
    job.subject_id, job.started_at = job.id, now()
    context.new_key(change.session, job.id)
    change.session.add(job)
    change.session.flush()
    tell_job(change, "job.started", job)
    return job


def _tell_batch(change: Change, part: Job) -> None:
    """Bring the batch of a part that has ended up to date."""
    batch = change.session.get(Job, part.parent_id) if part.parent_id else None
    if batch is None or batch.status in FINAL_JOB_STATUSES:
        return
    change.session.flush()
    parts = queue.children(change.session, batch.id)
    ended = [each for each in parts if each.status in FINAL_JOB_STATUSES]
    good = sum(each.status == "succeeded" for each in ended)
    batch.progress, batch.message = len(ended) / len(parts), f"{good} of {len(parts)} trained"
    if len(ended) > good:
        batch.message += f", {len(ended) - good} without a result"
    if len(ended) < len(parts):
        change.session.add(batch)
        tell_job(change, "job.progress", batch)
        return
    status = "cancelled" if batch.cancel_requested else "succeeded" if good else "failed"
    queue.finish(change.session, batch, status, {"cancelled": JobCancelled.code, "failed": JobFailed.code}.get(status))
    batch.progress = 1.0
    tell_job(change, "job.finished", batch)


def place_of(job: Job) -> str:
    """Where a job's sealed field is; bound to it."""
    return f"jobs/{job.id}"


def end_jobs(change: Change, subject_id: str) -> None:
    """Cancel everything that still works for a thing that goes away."""
    for job in queue.unfinished(change.session, subject_id):
        queue.finish(change.session, job, "cancelled", "job_cancelled")
        tell_job(change, "job.finished", job)
        _tell_batch(change, job)


def finish_job(change: Change, job: Job) -> Job | None:
    """Mark a job done inside the change that makes its result known; ``None`` when this attempt lost it."""
    kept = queue.held(change.session, job.id, job.attempt)
    if kept is not None:
        queue.finish(change.session, kept, "succeeded")
        tell_job(change, "job.finished", kept)
        _tell_batch(change, kept)
    return kept


def is_maintained(session: Session) -> bool:
    """Whether new work has to wait."""
    row = notices.maintenance(session)
    return row is not None and row.starts_at <= now()


def tell_job(change: Change, type: str, job: Job) -> None:
    data = JobEvent(
        kind=job.kind,
        status=job.status,
        progress=round(job.progress, 3),
        message=job.message,
        subject=Subject(kind=job.subject_kind, id=job.subject_id),
        subject_name=job.subject_name,
        error=job.error_code,
    )
    change.tell(type, Subject(kind="job", id=job.id), data, Thing(job.owner_id, job.visibility), of=data.subject)


def _thing_for(session: Session, actor: Actor, job: Job) -> Thing:
    """What the policy needs to know of a job. It belongs to whoever asked for it, and to the owner of what it works for."""
    if job.owner_id != actor.account_id and grants.owner_of(session, job.subject_kind, job.subject_id) == actor.account_id:
        return Thing(actor.account_id, job.visibility)
    level = grants.level(session, job.subject_kind, job.subject_id, actor.account_id)
    return Thing(job.owner_id, job.visibility, level)


def _subject(job: Job) -> JobSubject:
    return JobSubject(kind=job.subject_kind, id=job.subject_id, name=job.subject_name)


def _read(job: Job, names: dict[str, str], error: str | None = None) -> JobRead:
    return JobRead(
        id=job.id,
        kind=job.kind,
        status=job.status,
        subject=_subject(job),
        parent_id=job.parent_id,
        progress=job.progress,
        message=job.message,
        error=error,
        attempt=job.attempt,
        owner=Named(id=job.owner_id, name=names.get(job.owner_id, "")),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _is_another(worker: Worker) -> bool:
    """Whether the process id was given to another program since."""
    try:
        return bool(psutil.Process(worker.pid).create_time() > worker.started_at.timestamp() + 5)
    except psutil.Error:
        return True
