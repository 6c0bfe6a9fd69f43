"""Events, messages and the store's own mark."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form of the tables."""
    op.create_table(
        "event",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("peak", sa.Float(), nullable=False),
        sa.Column("end", sa.Float()),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("boxes", sa.JSON(), nullable=False),
        sa.Column("snapshot", sa.String()),
        sa.Column("clip", sa.String()),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("label", sa.String(16)),
    )
    op.create_index("ix_event_camera", "event", ["camera"])
    op.create_index("ix_event_start", "event", ["start"])
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(48), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(32), sa.ForeignKey("event.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.Float(), nullable=False),
        sa.Column("delivered", sa.Float()),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String()),
    )
    op.create_index("ix_message_event_id", "message", ["event_id"])
    op.create_index("ix_message_waiting", "message", ["channel", "delivered", "failed", "id"])
    op.create_table("owner", sa.Column("id", sa.String(32), primary_key=True))


def downgrade() -> None:
    """Back to the form before."""
    for name in ("owner", "message", "event"):
        op.drop_table(name)
