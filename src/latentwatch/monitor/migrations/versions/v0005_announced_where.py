"""In which topics a broker was told of a camera, so that it can forget them when their prefix is changed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form of the tables; where it was told before is not known."""
    op.add_column("announced", sa.Column("topic", sa.String()))
    op.add_column("announced", sa.Column("discovery", sa.String()))


def downgrade() -> None:
    """Back to the form before."""
    op.drop_column("announced", "discovery")
    op.drop_column("announced", "topic")
