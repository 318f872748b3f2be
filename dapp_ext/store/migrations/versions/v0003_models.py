"""The registry of models and what watches over them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _models()
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("parent_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("after_id", sa.String(), nullable=True))
        batch.create_index(op.f("ix_jobs_parent_id"), ["parent_id"], unique=False)
    _promotions()
    _policies()
    _prediction_groups()


def _models() -> None:
    with op.batch_alter_table("models") as batch:
        batch.drop_index(op.f("ix_models_name_key"))
        batch.add_column(sa.Column("champion", sa.Boolean(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("origin", sa.String(), nullable=False, server_default="search"))
        batch.add_column(sa.Column("extra_seconds", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("skipped", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("reference_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("pipeline_id", sa.String(), nullable=True))
        batch.add_column(sa.Column("policy_version", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("test_looks", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("alert_code", sa.String(), nullable=True))
        batch.create_index(op.f("ix_models_name_key"), ["name_key"], unique=False)
        # An index, not a constraint: SQLite adds one to a table that others point to without making the table anew.
        batch.create_index("models_name_version", ["owner_id", "name_key", "version"], unique=True)


def _promotions() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("previous_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_promotions_name_key"), "promotions", ["name_key"], unique=False)
    op.create_index(op.f("ix_promotions_model_id"), "promotions", ["model_id"], unique=False)


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"]),
        sa.PrimaryKeyConstraint("model_id", "version"),
    )


def _prediction_groups() -> None:
    op.create_table(
        "prediction_groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("slowest", sa.Float(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("entries", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("prediction_groups_model", "prediction_groups", ["model_id", "at"], unique=False)
