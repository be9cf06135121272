"""What operators say about shots, and the seed they may ask for. Routes are decided anew, with all that is measured."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Never as a batch: that would drop and refill `episode`, on which every other row stands.
    op.add_column("episode", sa.Column("overrules", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("route", sa.Column("seed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    op.execute("delete from step where name = 'route'")  # a route without `speaks` cannot be judged again


def downgrade() -> None:
    op.drop_column("route", "seed")
    op.drop_column("episode", "overrules")
