"""The tables. Columns named ``sealed`` hold JSON under the data key of their row's object; nothing else may hold data values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from dapp_ext.schema.base import new_id
from dapp_ext.store import columns


class Instance(SQLModel, table=True):
    """One row: which workspace this is. ``epoch`` changes with a restore, so old cursors are recognised."""

    __tablename__ = "instance"
    id: int = Field(default=1, primary_key=True)
    instance_id: str = Field(default_factory=new_id)
    epoch: str = Field(default_factory=lambda: new_id()[-12:])
    key_fingerprint: str
    created_at: datetime = columns.moment()


class Account(SQLModel, table=True):
    """Somebody who may sign in; ``quota`` is the bytes that may be stored where the workspace's own setting does not hold, 0 for any number."""

    __tablename__ = "accounts"
    id: str = Field(default_factory=new_id, primary_key=True)
    email: str = Field(unique=True, index=True)
    name: str
    role: str
    password_hash: str | None = None
    disabled: bool = False
    is_owner: bool = False
    quota: int | None = columns.bytes_count(None)
    created_at: datetime = columns.moment()
    seen_at: datetime | None = columns.maybe_moment()


class SignIn(SQLModel, table=True):
    """A session: every credential points to one, and ends with it. That of a personal access token has its name and scope."""

    __tablename__ = "sessions"
    id: str = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    door: str
    cookie_hash: str | None = Field(default=None, unique=True)
    token_hash: str | None = Field(default=None, unique=True)
    token_name: str | None = None
    token_scope: str | None = None
    address: str = ""
    created_at: datetime = columns.moment()
    seen_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    revoked_at: datetime | None = columns.maybe_moment()


class RefreshToken(SQLModel, table=True):
    __tablename__ = "refresh_tokens"
    hash: str = Field(primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", index=True)
    seq: int = 0
    issued_at: datetime = columns.moment()
    used_at: datetime | None = columns.maybe_moment()


class Ticket(SQLModel, table=True):
    __tablename__ = "tickets"
    hash: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id")
    session_id: str | None = None
    purpose: str
    expires_at: datetime = columns.moment()
    used_at: datetime | None = columns.maybe_moment()


class LoginFailure(SQLModel, table=True):
    """How often signing in failed lately, by account and by client; kept so that a restart forgets nothing."""

    __tablename__ = "login_failures"
    key: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = columns.moment()


class Invitation(SQLModel, table=True):
    """A link for one use: to a new account, or to a new password for the account that is named."""

    __tablename__ = "invitations"
    id: str = Field(default_factory=new_id, primary_key=True)
    hash: str = Field(unique=True)
    email: str = Field(index=True)
    name: str = ""
    role: str
    account_id: str | None = None
    invited_by: str
    created_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    used_at: datetime | None = columns.maybe_moment()
    withdrawn_at: datetime | None = columns.maybe_moment()


class Announcement(SQLModel, table=True):
    """A message of the administrators to everybody, for a time; its beginning and end are told once each, ``told_at`` and ``over_at``."""

    __tablename__ = "announcements"
    id: str = Field(default_factory=new_id, primary_key=True)
    message: str
    severity: str
    author_id: str
    created_at: datetime = columns.moment()
    starts_at: datetime = columns.moment()
    ends_at: datetime | None = columns.maybe_moment()
    withdrawn_at: datetime | None = columns.maybe_moment()
    told_at: datetime | None = columns.maybe_moment()
    over_at: datetime | None = columns.maybe_moment()


class Maintenance(SQLModel, table=True):
    """One row while maintenance is announced or under way."""

    __tablename__ = "maintenance"
    id: int = Field(default=1, primary_key=True)
    message: str
    author_id: str
    since: datetime = columns.moment()
    starts_at: datetime = columns.moment()
    ends_at: datetime | None = columns.maybe_moment()
    told_at: datetime | None = columns.maybe_moment()


class NotificationMark(SQLModel, table=True):
    """What an account has read: single events, and all up to one."""

    __tablename__ = "notification_marks"
    account_id: str = Field(foreign_key="accounts.id", primary_key=True)
    event_id: int = Field(primary_key=True)
    all_before: bool = False
    at: datetime = columns.moment()


class DataKey(SQLModel, table=True):
    """The wrapped data key of one dataset, model or job. Deleting the row makes its data unreadable for ever."""

    __tablename__ = "data_keys"
    subject_id: str = Field(primary_key=True)
    kid: str = Field(index=True)
    wrapped: bytes = Field(sa_column=Column("wrapped", LargeBinary, nullable=False))


class RootKey(SQLModel, table=True):
    """A root key that this workspace uses or has used; the key itself is never here."""

    __tablename__ = "root_keys"
    kid: str = Field(primary_key=True)
    fingerprint: str
    created_at: datetime = columns.moment()
    retired_at: datetime | None = columns.maybe_moment()


class RootLinkRow(SQLModel, table=True):
    """A root sealed under another one, from the rotation between them until the older one is retired."""

    __tablename__ = "root_links"
    kid: str = Field(primary_key=True)
    by_kid: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column("sealed", LargeBinary, nullable=False))


class SigningKeyRow(SQLModel, table=True):
    """A key that signs access tokens, from the first rotation on. ``base`` names the key of the settings or the keys folder
    that it stands in for; its private half is ``sealed``, and kept only while it is in use."""

    __tablename__ = "signing_keys"
    kid: str = Field(primary_key=True)
    base: str = Field(primary_key=True)
    public: bytes = Field(sa_column=Column("public", LargeBinary, nullable=False))
    sealed: bytes | None = columns.sealed()
    created_at: datetime | None = columns.maybe_moment()
    accepted_until: datetime | None = columns.maybe_moment()


class StoredFile(SQLModel, table=True):
    """One sealed file in the object store."""

    __tablename__ = "objects"
    id: str = Field(default_factory=new_id, primary_key=True)
    subject_id: str = Field(index=True)
    version: int
    purpose: str
    plain_size: int = columns.bytes_count()
    sealed_size: int = columns.bytes_count()
    sha256: str = ""
    created_at: datetime = columns.moment()


class Dataset(SQLModel, table=True):
    """A dataset; ``version`` is the latest one that can be used. Names are unique among what one person owns."""

    __tablename__ = "datasets"
    __table_args__ = (Index("datasets_owner_name", "owner_id", "name_key", unique=True),)
    id: str = Field(default_factory=new_id, primary_key=True)
    name: str
    name_key: str = Field(index=True)
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    visibility: str = "team"
    status: str = "processing"
    version: int = 1
    created_at: datetime = columns.moment()
    updated_at: datetime = columns.moment()


class DatasetVersion(SQLModel, table=True):
    """One version; ``sealed`` holds its columns, its reading report, its likely target, what was done to make it and, when it failed, why.

    ``origin`` tells how it was made, ``from_version`` from which version of the same dataset. Versions that are equal
    (one was restored) name the same files. A version of predictions names the model and the dataset it came from.
    """

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "version"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    dataset_id: str = Field(foreign_key="datasets.id", index=True)
    version: int
    filename: str
    format: str | None = None
    size: int = columns.bytes_count()
    rows: int | None = None
    column_count: int | None = None
    error_code: str | None = None
    original_id: str | None = None
    table_id: str | None = None
    profile_id: str | None = None
    origin: str = Field(default="upload", sa_column_kwargs={"server_default": "upload"})
    from_version: int | None = None
    by_id: str | None = None
    source_model_id: str | None = None
    source_model_version: int | None = None
    source_dataset_id: str | None = None
    source_dataset_version: int | None = None
    job_id: str | None = None
    sealed: bytes | None = columns.sealed()
    created_at: datetime = columns.moment()


class Grant(SQLModel, table=True):
    """That one person may read, use or edit one dataset or model of somebody else."""

    __tablename__ = "grants"
    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", primary_key=True, index=True)
    level: str
    granted_by: str | None = None
    created_at: datetime = columns.moment()


class Model(SQLModel, table=True):
    """One version of a model; ``sealed`` holds target, recipe, task, metric, headline score, sentence, notes, tags, and why it failed."""

    __tablename__ = "models"
    __table_args__ = (Index("models_name_version", "owner_id", "name_key", "version", unique=True),)
    id: str = Field(default_factory=new_id, primary_key=True)
    name: str
    name_key: str = Field(index=True)
    version: int = 1
    champion: bool = False
    origin: str = "search"
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    visibility: str = "team"
    status: str = "queued"
    error_code: str | None = None
    dataset_id: str = Field(index=True)
    dataset_name: str
    dataset_version: int
    time_budget: int
    stop_requested: bool = False
    extra_seconds: int = 0
    skipped: str = ""
    seconds_left: float | None = None
    artifact_id: str | None = None
    results_id: str | None = None
    reference_id: str | None = None
    pipeline_id: str | None = None
    policy_version: int = 0
    test_looks: int = 0
    alert_code: str | None = None
    job_id: str | None = None
    sealed: bytes | None = columns.sealed()
    created_at: datetime = columns.moment()
    updated_at: datetime = columns.moment()


class TrialRow(SQLModel, table=True):
    __tablename__ = "trials"
    model_id: str = Field(foreign_key="models.id", primary_key=True)
    number: int = Field(primary_key=True)
    sealed: bytes | None = columns.sealed()
    at: datetime = columns.moment()


class Promotion(SQLModel, table=True):
    """A version of a model that was made the champion of its name; ``sealed`` holds the reason."""

    __tablename__ = "promotions"
    id: str = Field(default_factory=new_id, primary_key=True)
    name_key: str = Field(index=True)
    model_id: str = Field(index=True)
    previous_id: str | None = None
    kind: str = "promote"
    actor_id: str
    actor_name: str
    at: datetime = columns.moment()
    sealed: bytes | None = columns.sealed()


class PolicyRow(SQLModel, table=True):
    """From which probability on a model says yes; ``sealed`` holds threshold and reason. Versions are kept for tracing answers."""

    __tablename__ = "policies"
    model_id: str = Field(foreign_key="models.id", primary_key=True)
    version: int = Field(primary_key=True)
    actor_id: str
    actor_name: str
    at: datetime = columns.moment()
    sealed: bytes | None = columns.sealed()


class PredictionGroup(SQLModel, table=True):
    """Predictions made within a moment, logged together: ``sealed`` holds how inputs and answers are distributed, ``entries`` the calls."""

    __tablename__ = "prediction_groups"
    __table_args__ = (Index("prediction_groups_model", "model_id", "at"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    model_id: str = Field(foreign_key="models.id")
    at: datetime = columns.moment()
    calls: int = 0
    rows: int = 0
    errors: int = 0
    milliseconds: float = 0.0
    slowest: float = 0.0
    sealed: bytes | None = columns.sealed()
    entries: bytes | None = Field(default=None, sa_column=Column("entries", LargeBinary, nullable=True))


class Insight(SQLModel, table=True):
    """What a notebook published; ``sealed`` holds title, note, source, the size of the picture and the rows of the table."""

    __tablename__ = "insights"
    id: str = Field(default_factory=new_id, primary_key=True)
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    visibility: str = "team"
    dataset_id: str | None = Field(default=None, index=True)
    dataset_name: str | None = None
    dataset_version: int | None = None
    model_id: str | None = Field(default=None, index=True)
    model_name: str | None = None
    picture_id: str | None = None
    table_id: str | None = None
    sealed: bytes | None = columns.sealed()
    created_at: datetime = columns.moment()
    updated_at: datetime = columns.moment()


class Job(SQLModel, table=True):
    """Work in the background. ``attempt`` fences: a worker that lost its lease cannot write any more."""

    __tablename__ = "jobs"
    __table_args__ = (Index("jobs_claim", "status", "not_before"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    kind: str
    status: str = "queued"
    subject_kind: str
    subject_id: str = Field(index=True)
    subject_name: str
    visibility: str = "team"
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    parent_id: str | None = Field(default=None, index=True)
    after_id: str | None = None
    progress: float = 0.0
    message: str = ""
    error_code: str | None = None
    attempt: int = 0
    deaths: int = 0
    worker_id: str | None = None
    lease_until: float | None = None
    not_before: float = 0.0
    cancel_requested: bool = False
    sealed: bytes | None = columns.sealed()
    created_at: datetime = columns.moment()
    started_at: datetime | None = columns.maybe_moment()
    finished_at: datetime | None = columns.maybe_moment()


class Worker(SQLModel, table=True):
    __tablename__ = "workers"
    id: str = Field(default_factory=new_id, primary_key=True)
    pid: int
    host: str
    jobs: int = 0
    started_at: datetime = columns.moment()
    seen_at: datetime = columns.moment()


class EventRow(SQLModel, table=True):
    """The outbox: written in the transaction of the change that it tells of.

    ``readers`` are the accounts besides the owner that something private was shared with at that moment.
    """

    __tablename__ = "events"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True, autoincrement=True))
    type: str = Field(index=True)
    at: datetime = columns.moment()
    actor_id: str | None = None
    actor_name: str | None = None
    subject_kind: str
    subject_id: str
    owner_id: str | None = None
    audience: str = Field(default="team", sa_column=Column(String, nullable=False))
    readers: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class AuditRow(SQLModel, table=True):
    """One row of the audit. ``id`` has no gaps; ``link`` is the code of the row before, ``mac`` the one over this row and its link."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_actor", "actor_id"), Index("audit_subject", "subject_id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True, autoincrement=True))
    at: datetime = columns.moment()
    actor_id: str | None = None
    actor_name: str = ""
    door: str = ""
    address: str = ""
    action: str = Field(index=True)
    subject_kind: str | None = None
    subject_id: str | None = None
    outcome: str = "allow"
    request_id: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    link: bytes | None = Field(default=None, sa_column=Column("link", LargeBinary, nullable=True))
    mac: bytes | None = Field(default=None, sa_column=Column("mac", LargeBinary, nullable=True))


class AuditHead(SQLModel, table=True):
    """One row: the end of the audit's chain. Whoever adds a row to the chain changes this one in the same transaction."""

    __tablename__ = "audit_head"
    id: int = Field(default=1, primary_key=True)
    seq: int
    mac: bytes = Field(sa_column=Column("mac", LargeBinary, nullable=False))
    seal: bytes = Field(sa_column=Column("seal", LargeBinary, nullable=False))


class Trashed(SQLModel, table=True):
    """A deleted dataset, model or insight, under its own id, that can be brought back; ``sealed`` holds its name and all its rows."""

    __tablename__ = "trash"
    id: str = Field(primary_key=True)
    kind: str
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    by_id: str
    sealed: bytes | None = columns.sealed()
    deleted_at: datetime = columns.moment()
    until: datetime = columns.moment(index=True)


class Share(SQLModel, table=True):
    """A read-only link to one result or one insight; only the hash of what opens it is kept."""

    __tablename__ = "shares"
    id: str = Field(default_factory=new_id, primary_key=True)
    token_hash: str = Field(unique=True)
    model_id: str | None = Field(default=None, index=True)
    insight_id: str | None = Field(default=None, index=True)
    owner_id: str = Field(foreign_key="accounts.id", index=True)
    opened: int = 0
    opened_at: datetime | None = columns.maybe_moment()
    created_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    withdrawn_at: datetime | None = columns.maybe_moment()
