"""The heat map of an event."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form of the tables."""
    op.add_column("event", sa.Column("heat", sa.JSON()))


def downgrade() -> None:
    """Back to the form before."""
    op.drop_column("event", "heat")  # in a batch the table would be dropped, and with it all messages
