"""Jobs as rows: claimed with a lease, kept alive by a heartbeat, fenced by the attempt's number.

A worker that cannot renew its lease has lost the job: every write names the attempt, and one that no longer runs
changes nothing. Lost work is queued again; work whose own process died three times is given up.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from dapp_ext.schema.base import now
from dapp_ext.schema.jobs import FINAL_JOB_STATUSES
from dapp_ext.store.tables import Dataset, Grant, Job, Model, Worker

LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 10.0
DEATHS_UNTIL_DEAD = 3
# A worker that is gone says little about the job that it had; a job that takes its worker with it must end some time, too.
ATTEMPTS_UNTIL_DEAD = 20
RETRY_AFTER_SECONDS = 1.0


def is_waiting(session: Session, kinds: Collection[str]) -> bool:
    """Whether a job of these kinds waits."""
    return session.exec(select(Job.id).where(Job.status == "queued", col(Job.kind).in_(kinds)).limit(1)).first() is not None


def claim(session: Session, worker_id: str, kinds: Collection[str]) -> Job | None:
    """Take the next job of these kinds that waits.

    Owners take turns: first who has the fewest running, then who was served the longest ago, then the oldest job. A job
    that comes after another one waits until that has ended, however it ended.
    """
    first = aliased(Job)
    unfinished_before = select(first.id).where(first.id == Job.after_id, or_(col(first.status) == "queued", col(first.status) == "running")).exists()
    ready = (Job.status == "queued", col(Job.kind).in_(kinds), col(Job.not_before) <= time.time(), ~unfinished_before)
    for owner_id in _turns(session, session.exec(select(Job.owner_id, func.min(Job.created_at)).where(*ready).group_by(Job.owner_id)).all(), kinds):
        waiting = select(Job).where(*ready, Job.owner_id == owner_id).order_by(col(Job.created_at), col(Job.id)).limit(1)
        if session.get_bind().dialect.name == "postgresql":
            waiting = waiting.with_for_update(skip_locked=True, of=Job)
        job = session.exec(waiting).first()
        if job is not None:
            return _give(session, job, worker_id)
    return None


def _turns(session: Session, waiting: Sequence[tuple[str, datetime]], kinds: Collection[str]) -> list[str]:
    """Owners who have something waiting, in the order of their turns."""
    if len(waiting) < 2:
        return [owner for owner, _ in waiting]
    running = dict(session.exec(select(Job.owner_id, func.count()).where(Job.status == "running", col(Job.kind).in_(kinds)).group_by(Job.owner_id)).all())
    served = dict(session.exec(select(Job.owner_id, func.max(Job.started_at)).where(col(Job.kind).in_(kinds)).group_by(Job.owner_id)).all())
    return [owner for *_, owner in sorted((running.get(owner, 0), _seconds(served.get(owner)), _seconds(oldest), owner) for owner, oldest in waiting)]


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0


def _give(session: Session, job: Job, worker_id: str) -> Job:
    job.status = "running"
    job.attempt += 1
    job.worker_id = worker_id
    job.lease_until = time.time() + LEASE_SECONDS
    job.started_at = job.started_at or now()
    session.add(job)
    session.flush()
    return job


def renew(session: Session, job_id: str, attempt: int) -> Job | None:
    """Prolong the lease; ``None`` when the job belongs to somebody else by now."""
    job = held(session, job_id, attempt)
    if job is not None:
        job.lease_until = time.time() + LEASE_SECONDS
        session.add(job)
    return job


def held(session: Session, job_id: str, attempt: int) -> Job | None:
    """The job, if this attempt still holds it."""
    return session.exec(select(Job).where(Job.id == job_id, Job.attempt == attempt, Job.status == "running")).first()


def release(session: Session, job: Job) -> None:
    """Give a job back without blame, as when its worker is stopped."""
    job.status, job.worker_id, job.lease_until = "queued", None, None
    session.add(job)


def expired(session: Session) -> Sequence[Job]:
    """Running jobs whose lease has ended: their workers are gone."""
    return list(session.exec(select(Job).where(Job.status == "running", col(Job.lease_until) < time.time())))


def abandoned(session: Session, worker_ids: set[str]) -> Sequence[Job]:
    """Running jobs whose lease has ended, or that belong to workers known to be gone."""
    gone = or_(col(Job.lease_until) < time.time(), col(Job.worker_id).in_(worker_ids))
    return list(session.exec(select(Job).where(Job.status == "running", gone)))


def workers_on(session: Session, host: str) -> list[Worker]:
    """Workers that ever reported from a machine and did not leave."""
    return list(session.exec(select(Worker).where(Worker.host == host)))


def lose(session: Session, job: Job, *, own_death: bool) -> bool:
    """Queue a lost job again, blamed for it when its own process died; ``True`` when that was too often and it is given up."""
    job.deaths += own_death
    job.worker_id, job.lease_until = None, None
    dead = job.deaths >= DEATHS_UNTIL_DEAD or job.attempt >= ATTEMPTS_UNTIL_DEAD
    if dead:
        finish(session, job, "dead", "worker_lost")
    else:
        job.status = "queued"
        job.not_before = time.time() + RETRY_AFTER_SECONDS * max(job.deaths - 1, 0)
    session.add(job)
    return dead


def finish(session: Session, job: Job, status: str, error_code: str | None = None) -> None:
    """End a job."""
    assert status in FINAL_JOB_STATUSES
    job.status, job.error_code, job.finished_at = status, error_code, now()
    job.worker_id, job.lease_until = None, None
    if status == "succeeded":
        job.progress = 1.0
    session.add(job)


def unfinished(session: Session, subject_id: str) -> list[Job]:
    return list(session.exec(select(Job).where(Job.subject_id == subject_id, or_(col(Job.status) == "queued", col(Job.status) == "running"))))


def children(session: Session, job_id: str) -> list[Job]:
    """The parts of a batch, in the order in which they were asked for."""
    return list(session.exec(select(Job).where(Job.parent_id == job_id).order_by(col(Job.created_at), col(Job.id))))


def counts(session: Session) -> dict[str, int]:
    """How many jobs wait and run."""
    found = {"queued": 0, "running": 0}
    for status in session.exec(select(Job.status).where(or_(col(Job.status) == "queued", col(Job.status) == "running"), col(Job.kind) != "batch")):
        found[status] += 1
    return found


def oldest_queued(session: Session) -> datetime | None:
    """Since when the job waits that has waited longest of those that may begin."""
    return session.exec(select(func.min(Job.created_at)).where(Job.status == "queued", col(Job.not_before) <= time.time())).one()


def waits(session: Session, count: int = 50) -> list[float]:
    """Seconds that the last jobs waited for a worker; those that wait for another job's end are left out."""
    query = select(Job.created_at, Job.started_at).where(col(Job.started_at).is_not(None), col(Job.after_id).is_(None), Job.attempt <= 1)
    return [max(0.0, (started - made).total_seconds()) for made, started in session.exec(query.order_by(col(Job.id).desc()).limit(count)) if started]


def report_worker(session: Session, worker: Worker) -> None:
    """Say that a worker lives."""
    changed = session.connection().execute(update(Worker).where(col(Worker.id) == worker.id).values(seen_at=now(), jobs=worker.jobs))
    if changed.rowcount == 0:
        session.add(Worker(**worker.model_dump()))


def forget_worker(session: Session, worker_id: str) -> None:
    row = session.get(Worker, worker_id)
    if row is not None:
        session.delete(row)


def workers_seen_since(session: Session, moment: datetime) -> list[Worker]:
    return list(session.exec(select(Worker).where(col(Worker.seen_at) >= moment).order_by(col(Worker.started_at))))


def recent_workers(session: Session) -> list[Worker]:
    """Workers that reported within a lease."""
    return workers_seen_since(session, now() - timedelta(seconds=LEASE_SECONDS))


def page(session: Session, account_id: str | None, *, status: str | None, limit: int, before: str | None) -> list[Job]:
    """Jobs, newest first: all of them for ``None``, else those that the account may see."""
    query = select(Job).order_by(col(Job.id).desc()).limit(limit)
    if account_id is not None:
        subject = col(Job.subject_id)
        known = [subject.in_(select(Grant.subject_id).where(Grant.account_id == account_id))]
        known += [subject.in_(select(table.id).where(table.owner_id == account_id)) for table in (Dataset, Model)]
        query = query.where(or_(col(Job.owner_id) == account_id, col(Job.visibility) == "team", *known))
    if status is not None:
        query = query.where(Job.status == status)
    if before is not None:
        query = query.where(col(Job.id) < before)
    return list(session.exec(query))
