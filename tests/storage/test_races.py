"""Many machines on one PostgreSQL: what is read to decide what to write is still so when it is written."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, text

from storage.catalog import Artifact, Episode, Event, ShotStatus, Take, artifact, episode, event, moves, shot, take
from storage.catalog.session import catalog
from storage.settings import settings
from tests.storage.drawn_rows import add_episode, add_shot, add_track, draw_take
from tests.storage.postgres import running_postgres

MACHINES = 6


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.url


@pytest.fixture(autouse=True)
def shared_catalog(url: str, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_CATALOG", url)
    settings.cache_clear()
    with catalog() as opened:
        opened.execute(text("truncate episode, artifact cascade"))


def all_at_once(deed: Callable[[int], object]) -> list[object]:
    """Every machine has its connection before any begins."""
    together = Barrier(MACHINES)

    def one(number: int) -> object:
        together.wait(30)
        return deed(number)

    with ThreadPoolExecutor(MACHINES) as machines:
        return list(machines.map(one, range(MACHINES)))


def test_takes_of_one_track_are_counted_up_and_exactly_one_is_circled() -> None:
    with catalog() as opened:
        row = add_episode(opened)
        track = add_track(opened, add_shot(opened, row))

    def draw(number: int) -> None:
        with catalog() as opened:
            new = draw_take(track, take.next_version(opened, track.id), key=f"{number:064d}")
            opened.add(new)
            take.circle(opened, new)

    all_at_once(draw)
    with catalog() as opened:
        takes = take.of_episode(opened, row.id)
    assert [each.version for each in takes] == list(range(1, MACHINES + 1))
    assert [each.circled for each in takes] == [False] * (MACHINES - 1) + [True]


def test_the_same_bytes_are_remembered_once() -> None:
    def remember(number: int) -> None:
        with catalog() as opened:
            artifact.remember(opened, [Artifact("a" * 64, "speech", ".wav", 7)])

    all_at_once(remember)
    with catalog() as opened:
        assert len(opened.scalars(select(Artifact)).all()) == 1


def test_one_machine_moves_a_shot_and_the_others_find_it_moved() -> None:
    with catalog() as opened:
        row = add_shot(opened, add_episode(opened))
        moves.move(opened, row, ShotStatus.WAITING)

    def begin(number: int) -> bool:
        with catalog() as opened:
            mine = shot.by_name(opened, row.episode_id, row.name)
            moves.move(opened, mine, ShotStatus.RENDERING, "", by=f"machine {number}")
        return True

    assert all(all_at_once(begin))
    with catalog() as opened:
        said = [each.what for each in event.of_episode(opened, row.episode_id)]
        assert event.verify_chain(opened) is None
    assert said == ["shot.waiting", "shot.rendering"]


def test_everyone_gets_a_free_name_of_their_own() -> None:
    def name(number: int) -> None:
        with catalog() as opened:
            add_episode(opened, episode.free_name(opened, "ep01"))

    all_at_once(name)
    with catalog() as opened:
        names = set(opened.scalars(select(Episode.name)))
    assert names == {"ep01"} | {f"ep01-{number}" for number in range(2, MACHINES + 1)}


def test_the_chain_of_events_has_one_end() -> None:
    def say(number: int) -> None:
        with catalog() as opened:
            event.append(opened, None, f"machine {number}", "note", "race")

    with catalog() as opened:
        opened.execute(text("delete from event"))
    all_at_once(say)
    with catalog() as opened:
        assert event.verify_chain(opened) is None
        assert len(opened.scalars(select(Event)).all()) == MACHINES and opened.scalars(select(Take)).all() == []
