"""Versions, grants and quotas of datasets; names that are unique for each owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _grants()
    _versions()
    _names()
    # Plain additions: SQLite cannot rebuild a table that others point to while their rows are there.
    op.add_column("accounts", sa.Column("quota", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("readers", sa.JSON(), nullable=True))
    with op.batch_alter_table("objects") as batch:
        for name in ("plain_size", "sealed_size"):
            batch.alter_column(name, existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", "account_id"),
    )
    op.create_index(op.f("ix_grants_account_id"), "grants", ["account_id"], unique=False)


def _versions() -> None:
    with op.batch_alter_table("dataset_versions") as batch:
        batch.alter_column("size", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
        batch.add_column(sa.Column("origin", sa.String(), nullable=False, server_default="upload"))
        batch.add_column(sa.Column("from_version", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("by_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("source_model_version", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("source_dataset_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("source_dataset_version", sa.Integer(), nullable=True))
    op.execute("UPDATE dataset_versions SET origin = 'prediction' WHERE source_model_id IS NOT NULL")


def _names() -> None:
    op.drop_index("ix_datasets_name_key", table_name="datasets")
    op.create_index("ix_datasets_name_key", "datasets", ["name_key"], unique=False)
    op.create_index("datasets_owner_name", "datasets", ["owner_id", "name_key"], unique=True)
