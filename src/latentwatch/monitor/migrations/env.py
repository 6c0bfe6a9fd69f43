"""Alembic's entry: runs the migrations on the connection that the store gives."""

from alembic import context

from latentwatch.monitor.model import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
