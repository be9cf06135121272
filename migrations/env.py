"""How Alembic reaches the catalog: through the connection that storage.catalog.session hands it, and only so."""

from alembic import context

from storage.catalog import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a column; a batch copies the table
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
