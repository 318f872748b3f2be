"""Keys that sign tokens rotate; the beginning and end of announcements are told when they come."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=True),
        sa.Column("accepted_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("kid", "base"),
    )
    with op.batch_alter_table("announcements") as batch:
        batch.add_column(sa.Column("told_at", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("over_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("maintenance") as batch:
        batch.add_column(sa.Column("told_at", sa.DateTime(), nullable=True))
    # What an older release announced, it told at once.
    announced = sa.table("announcements", sa.column("created_at"), sa.column("told_at"), sa.column("ends_at", sa.DateTime()), sa.column("over_at"))
    op.execute(announced.update().values(told_at=announced.c.created_at))
    op.execute(announced.update().where(announced.c.ends_at <= datetime.now(UTC).replace(tzinfo=None)).values(over_at=announced.c.ends_at))
    op.execute("UPDATE maintenance SET told_at = since")
