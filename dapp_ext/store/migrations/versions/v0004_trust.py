"""Keys that rotate, and the chain of the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "root_keys",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "root_links",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("by_kid", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kid", "by_kid"),
    )
    op.execute("INSERT INTO root_keys (kid, fingerprint, created_at) SELECT substr(key_fingerprint, 1, 16), key_fingerprint, created_at FROM instance")
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("link", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("mac", sa.LargeBinary(), nullable=True))
        batch.create_index("audit_actor", ["actor_id"])
        batch.create_index("audit_subject", ["subject_id"])
