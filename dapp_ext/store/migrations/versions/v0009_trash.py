"""What was deleted and can be brought back; read-only links to insights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trash",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trash_owner_id", "trash", ["owner_id"])
    op.create_index("ix_trash_until", "trash", ["until"])
    with op.batch_alter_table("shares") as shares:
        shares.alter_column("model_id", existing_type=sa.String(), nullable=True)
        shares.add_column(sa.Column("insight_id", sa.String(), nullable=True))
        shares.create_index("ix_shares_insight_id", ["insight_id"])
