"""Which channels know of which cameras, so that a camera that is gone at a start can be forgotten by them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form of the tables; what was told before is known from the messages that are kept."""
    op.create_table(
        "announced",
        sa.Column("camera", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), primary_key=True),
    )
    op.execute(
        "INSERT INTO announced (camera, channel) "
        "SELECT event.camera, message.channel FROM message JOIN event ON event.id = message.event_id "
        "UNION SELECT problem.camera, message.channel FROM message "
        "JOIN problem ON problem.id = message.problem_id"
    )


def downgrade() -> None:
    """Back to the form before."""
    op.drop_table("announced")
