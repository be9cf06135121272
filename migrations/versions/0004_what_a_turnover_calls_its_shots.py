"""What a turnover calls its shots, and where they come from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Never as a batch: that would drop and refill `shot`, on which other rows stand.
    op.add_column("shot", sa.Column("clip", sa.String(200), server_default="", nullable=False))
    op.add_column("shot", sa.Column("reel", sa.String(200), server_default="", nullable=False))
    op.add_column("shot", sa.Column("source_in", sa.String(24), server_default="", nullable=False))


def downgrade() -> None:
    for name in ("source_in", "reel", "clip"):
        op.drop_column("shot", name)
