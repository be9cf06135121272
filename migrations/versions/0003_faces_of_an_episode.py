"""Faces known again over the whole episode, what persons say about the cast, and more of what is seen of a track."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Never as a batch: that would drop and refill tables on which other rows stand.
    op.add_column("episode", sa.Column("bindings", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("track", sa.Column("face", sa.Integer(), nullable=True))
    op.add_column("track", sa.Column("likeness", sa.String(64), nullable=True))
    op.add_column("track", sa.Column("pitch", sa.Double(), server_default="0", nullable=False))
    op.execute("delete from step where name = 'look'")  # who was not looked at so is somebody new in every shot


def downgrade() -> None:
    op.drop_column("track", "pitch")
    op.drop_column("track", "likeness")
    op.drop_column("track", "face")
    op.drop_column("episode", "bindings")
