"""Times in which a camera sees badly, with their messages; who was given originals of blurred clips."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form of the tables."""
    op.create_table(
        "problem",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("problem", sa.String(32), nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("end", sa.Float()),
    )
    op.create_index("ix_problem_camera", "problem", ["camera"])
    op.create_index("ix_problem_start", "problem", ["start"])
    op.create_table(
        "unblurring",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("file", sa.String(120), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("host", sa.String(120), nullable=False),
    )
    op.create_index("ix_unblurring_event_id", "unblurring", ["event_id"])
    with op.batch_alter_table("message") as message:
        message.alter_column("event_id", existing_type=sa.String(32), nullable=True)
        message.add_column(sa.Column("problem_id", sa.String(32)))
        message.create_foreign_key(
            "fk_message_problem", "problem", ["problem_id"], ["id"], ondelete="CASCADE"
        )
        message.create_index("ix_message_problem_id", ["problem_id"])


def downgrade() -> None:
    """Back to the form before."""
    op.execute("DELETE FROM message WHERE event_id IS NULL")
    with op.batch_alter_table("message") as message:
        message.drop_index("ix_message_problem_id")
        message.drop_constraint("fk_message_problem", type_="foreignkey")
        message.drop_column("problem_id")
        message.alter_column("event_id", existing_type=sa.String(32), nullable=False)
    for name in ("unblurring", "problem"):
        op.drop_table(name)
