"""The door to the catalog: one `with catalog() as session:` is one transaction.

Promises: it is committed when the block ends well and undone when it does not; rows may be used after it, detached.
An absent or old catalog is brought up to date at the first opening; one written by a newer Dubline is left alone.
On SQLite a block holds the only pen, so blocks are short: compute first, then open, write, leave.
A database that does not answer, or goes away in a block, is Unreachable; the next block after it is back works.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

import migrations
from storage.catalog import reach
from storage.errors import Missing, Refused
from storage.settings import settings

BUSY_SECONDS = 60  # how long a writer waits for another's short transaction before it gives up
# A machine that is lost in a block must not hold the pen of all others for the two hours that TCP grants it.
POSTGRES = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,  # the client sees a lost server
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=300s "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",  # and the server a lost client
}  # fmt: skip


class Standing(StrEnum):
    """How a catalog compares with this Dubline."""

    ABSENT = "absent"  # no table yet; made at the first opening
    CURRENT = "current"
    OLD = "old"  # brought up to date at the first opening
    NEWER = "newer"  # written by a newer Dubline; this one keeps its hands off


@contextmanager
def catalog() -> Iterator[Session]:
    """One transaction on the catalog of the settings.

    raises  Unreachable if the database does not answer or breaks off: nothing of the block was written, unless it
            broke off while committing; then either all of it was, or nothing
    """
    engine = _opened(settings().catalog_url)
    with _answering(engine.url), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def standing() -> Standing:
    """Looks without touching: makes neither file nor table. Raises Unreachable where the database does not answer."""
    url = _url(settings().catalog_url)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        return Standing.ABSENT
    engine = _engine(url)
    try:
        with _answering(engine.url), engine.begin() as connection:
            return _standing(connection)
    finally:
        engine.dispose()


def shown_url() -> str:
    """Where the catalog is, without its password."""
    return _url(settings().catalog_url).render_as_string(hide_password=True)


def close() -> None:
    """Let go of every connection; the next `catalog()` opens anew."""
    while _engines:
        _engines.pop().dispose()
    _opened.cache_clear()


_engines: list[Engine] = []


@cache
def _opened(given: str) -> Engine:
    """The engine of a catalog that is known to be up to date, one a process."""
    url = _url(given)
    if url.get_backend_name() == "sqlite" and url.database:
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Missing(f"No catalog can be made at {url.database}: {error.strerror}. Set DUBLINE_HOME.") from None
    _engines.append(engine := _engine(url))
    with _answering(engine.url), engine.begin() as connection:
        match _standing(connection):
            case Standing.NEWER:
                raise Missing(
                    f"The catalog {shown_url()} was written by a newer Dubline. "
                    "Install that one, or set DUBLINE_CATALOG to another database."
                )
            case Standing.ABSENT | Standing.OLD:
                migrate(connection)
            case Standing.CURRENT:
                pass
    return engine


def migrate(connection: Connection) -> None:
    """Bring an absent or old catalog up to date, inside the connection's transaction."""
    from alembic import command

    hold_the_pen(connection)  # a second process that opens the same empty catalog waits here and finds it made
    command.upgrade(alembic(connection), "head")


def alembic(connection: Connection) -> Any:
    """The Alembic Config of this installation, wherever it lies, on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def hold_the_pen(connection: Connection) -> None:
    """Until this transaction ends no other decides what to write. SQLite's BEGIN IMMEDIATE has seen to it already.

    Whoever reads to decide what to write (the next version, a free name, whether it may move) takes the pen before
    reading; taken again in the same transaction it is the same pen.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(19681218)"))


def _standing(connection: Connection) -> Standing:
    revision = _revision(connection)
    if revision is None:
        return Standing.ABSENT
    if revision == migrations.HEAD:
        return Standing.CURRENT
    return Standing.OLD if revision < migrations.HEAD else Standing.NEWER


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def _url(given: str) -> URL:
    try:
        return make_url(given)
    except ArgumentError:
        raise Refused(
            "DUBLINE_CATALOG is no database URL. Like this: postgresql+psycopg://user@host/dubline."
        ) from None


@contextmanager
def _answering(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if (said := reach.in_words(error, url)) is None:
            raise
        raise said from error


def _asked_of(url: URL) -> dict[str, Any]:
    """What is asked of every connection, unless the URL asks otherwise."""
    libpq = url.get_backend_name() == "postgresql" and url.get_driver_name() in ("psycopg", "psycopg2")
    return {name: value for name, value in POSTGRES.items() if libpq and name not in url.query}


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return create_engine(url, pool_pre_ping=True, connect_args=_asked_of(url))
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise Missing(f"{url.drivername} needs a driver: {error}. `pip install 'dubline[farm]'`.") from None
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own; _begin does
        connection.execute("PRAGMA foreign_keys = ON")
        _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a transaction that starts by reading may still write at its end

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """So that a reader does not wait for a writer.

    SQLite refuses this change at once, without the patience asked of it, while another connection makes it too:
    several processes that open a new catalog. https://sqlite.org/c3ref/busy_handler.html
    """
    until = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if monotonic() > until:
                raise
            sleep(0.01)
