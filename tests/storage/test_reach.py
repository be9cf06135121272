"""A catalog that goes away is worth another try, one that will not have us is not, and both say so in words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from flows import doctor
from storage.catalog import Event, episode, event, session
from storage.catalog.session import catalog
from storage.errors import Missing, Unreachable
from storage.settings import settings
from tests.storage.drawn_rows import add_episode
from tests.storage.postgres import Postgres, running_postgres


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as cluster:
        yield cluster


@pytest.fixture
def server(cluster: Postgres, house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """The settings name a PostgreSQL whose tables are made and empty."""
    name_it(monkeypatch, cluster.url)
    with catalog() as opened:
        opened.execute(text("truncate episode cascade"))
    yield cluster


def name_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DUBLINE_CATALOG", url)
    settings.cache_clear()


def names() -> list[str]:
    with catalog() as opened:
        return [each.name for each in episode.newest_first(opened)]


def test_a_database_that_stops_in_a_block_is_unreachable_and_the_next_block_works(server: Postgres) -> None:
    with catalog() as opened:
        add_episode(opened, "before")
    with pytest.raises(Unreachable, match="broke off") as broken, catalog() as opened:
        add_episode(opened, "lost")
        server.stop()
        try:
            add_episode(opened, "never")
        finally:
            server.start()
    assert broken.value.retryable and broken.value.exit_code == 1
    assert names() == ["before"]


def test_a_database_that_stops_before_the_commit_has_nothing_of_the_block(server: Postgres) -> None:
    with pytest.raises(Unreachable, match="broke off"), catalog() as opened:
        add_episode(opened, "lost")
        server.stop()
        server.start()
    assert names() == []


def test_between_two_blocks_a_database_may_start_again_unnoticed(server: Postgres) -> None:
    with catalog() as opened:
        add_episode(opened, "before")
    server.stop()
    server.start()
    assert names() == ["before"]


def test_while_it_is_away_every_block_is_unreachable_and_the_doctor_says_so(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(Unreachable, match="does not answer"):
                names()
        session.close()
        with pytest.raises(Unreachable, match="does not answer"):  # a process that starts meanwhile
            names()
        monkeypatch.setattr("flows.doctor.CHECKS", (doctor._catalog,))
        (check,) = doctor.examine()
    finally:
        server.start()
    assert not check.ok and "does not answer" in check.found and "Error" not in check.found
    assert names() == []


@pytest.mark.parametrize(
    ("who", "says"),
    [
        pytest.param({"database": "nothing"}, 'database "nothing" does not exist', id="no-such-database"),
        pytest.param({"username": "nobody", "password": "secret"}, 'role "nobody" does not exist', id="no-such-role"),
    ],
)
def test_a_database_that_will_not_have_us_is_missing(
    server: Postgres, monkeypatch: pytest.MonkeyPatch, who: dict[str, str], says: str
) -> None:
    name_it(monkeypatch, make_url(server.url).set(**who).render_as_string(hide_password=False))  # type: ignore[arg-type]
    with pytest.raises(Missing, match=says) as missing, catalog():
        pass
    assert "secret" not in str(missing.value)


def test_nonsense_is_a_bug_and_no_database_that_is_away(server: Postgres) -> None:
    with pytest.raises(ProgrammingError), catalog() as opened:
        opened.execute(text("selec"))
    with pytest.raises(IntegrityError), catalog() as opened:
        add_episode(opened, "twice")
        add_episode(opened, "twice")
    assert names() == []


def test_who_holds_the_pen_for_too_long_is_not_waited_for_for_ever(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = session.POSTGRES | {
        "options": str(session.POSTGRES["options"]).replace("lock_timeout=60s", "lock_timeout=1s")
    }
    monkeypatch.setattr(session, "POSTGRES", quick)
    session.close()
    with catalog() as slow:
        event.append(slow, None, "anna", "note", "first")
        with pytest.raises(Unreachable, match="lock timeout"), catalog() as other:
            event.append(other, None, "bert", "note", "second")
    with catalog() as opened:
        assert [each.who for each in opened.query(Event)] == ["anna"]


def test_a_machine_that_is_lost_in_a_block_lets_go_of_the_pen(server: Postgres) -> None:
    with catalog() as opened:
        said = {
            name: opened.scalar(text(f"show {name}"))
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle")
        }
    assert said == {
        "lock_timeout": "1min", "idle_in_transaction_session_timeout": "5min", "tcp_keepalives_idle": "30",
    }  # fmt: skip


def test_what_the_url_asks_for_counts(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    name_it(monkeypatch, server.url + "?options=-c%20lock_timeout%3D7s")
    with catalog() as opened:
        assert opened.scalar(text("show lock_timeout")) == "7s"


def test_sqlite_that_another_holds_is_worth_another_try(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BUSY_SECONDS", 0.1)
    with catalog() as opened:
        add_episode(opened, "slow")
        with pytest.raises(Unreachable, match="busy"):
            names()
    assert names() == ["slow"]


def test_a_file_that_is_no_catalog_is_missing(house: Path) -> None:
    house.mkdir()
    (house / "catalog.sqlite").write_bytes(b"this is a letter to my mother\n" * 100)
    with pytest.raises(Missing, match="cannot be used: file is not a database"), catalog():
        pass


def test_a_full_disk_under_the_catalog_names_its_folder(house: Path) -> None:
    with catalog() as opened:
        pages = opened.scalar(text("pragma page_count"))
    with pytest.raises(Unreachable, match=f"no room left in {house}"), catalog() as opened:
        opened.execute(text(f"pragma max_page_count = {pages}"))  # SQLite's own word for a disk without room
        add_episode(opened, "x" * 200_000)
    assert names() == []
