"""The ledger: a step is whole or absent, done once, and done anew with all behind it when something else is asked."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ledger import Found, Ledger
from flows.progress import Lines
from storage.catalog import (
    Character,
    Episode,
    Shot,
    Side,
    Speaker,
    Track,
    Turn,
    character,
    shot,
    step,
    take,
    track,
    turn,
)
from storage.catalog.session import catalog
from tasks.progress import OnProgress
from tests.storage.drawn_rows import add_episode, draw_take


class Count:
    """A step that counts how often it is computed."""

    def __init__(self, make: Callable[[], Found]) -> None:
        self.make, self.times = make, 0

    def __call__(self, on_progress: OnProgress) -> Found:
        self.times += 1
        return self.make()


@pytest.fixture
def row(house: Path) -> Episode:
    with catalog() as session:
        return add_episode(session)


def two_shots() -> Found:
    return Found([Shot(name="sh0010", start=0, end=40), Shot(name="sh0020", start=40, end=100)], {"cuts": 1})


def turns() -> Found:
    anna, bert = Speaker(Side.ORIGINAL, "A", "vad"), Speaker(Side.DUB, "B", "vad")
    return Found([Turn(anna, 0, 1_000_000), Turn(bert, 0, 900_000), Turn(anna, 2_000_000, 3_000_000)])


def ledger(row: Episode) -> Ledger:
    return Ledger(row, Lines(io.StringIO()))


def test_a_step_is_computed_once_and_read_ever_after(row: Episode) -> None:
    splitting = Count(two_shots)
    for _ in range(3):
        book = ledger(row)
        assert book.step("split", {}, splitting) == {"cuts": 1}
        assert [each.name for each in book.read(shot.of_episode)] == ["sh0010", "sh0020"]
    assert splitting.times == 1


def test_a_step_that_is_killed_leaves_nothing(row: Episode) -> None:
    def killed(on_progress: OnProgress) -> Found:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger(row).step("split", {}, killed)
    with catalog() as session:
        assert not step.of_episode(session, row.id) and not shot.of_episode(session, row.id)


def test_rows_that_cannot_be_written_leave_nothing_either(row: Episode) -> None:
    twins = Count(lambda: Found([Shot(name="sh0010", start=0, end=40), Shot(name="sh0010", start=40, end=50)]))
    with pytest.raises(Exception, match="UNIQUE"):
        ledger(row).step("split", {}, twins)
    with catalog() as session:
        assert not step.of_episode(session, row.id) and not shot.of_episode(session, row.id)


def test_what_is_asked_anew_is_forgotten_with_all_behind_it(row: Episode) -> None:
    looking = Count(Found)
    listening = Count(turns)
    casting = Count(lambda: Found([Character("ANNA", None, None, 0.0)]))
    for stems in ({}, {}, {"Anna": "sha"}):
        book = ledger(row)
        book.step("split", {}, Count(two_shots))
        book.step("look", {}, looking)
        book.step("listen", {"stems": stems}, listening)
        book.step("cast", {}, casting)
    assert (looking.times, listening.times, casting.times) == (1, 2, 2)
    assert len(book.read(turn.of_episode)) == 3
    assert len(book.read(character.of_episode)) == 1
    assert {each.speaker.name for each in book.read(turn.of_episode)} == {"A", "B"}


def test_takes_outlive_what_is_forgotten(row: Episode) -> None:
    book = ledger(row)
    book.step("split", {}, Count(two_shots))
    first = book.read(shot.of_episode)[0]
    seen = Track(first.id, "f1", 0, 40, 40, "0" * 64, 200.0, 3.0, 80.0, "photoreal")
    book.step("look", {}, Count(lambda: Found([seen])))
    with catalog() as session:
        session.add(draw_take(seen))
    ledger(row).step("split", {"cuts": "another list"}, Count(two_shots))
    with catalog() as session:
        assert not track.of_episode(session, row.id)
        assert len(take.answering(session, "a" * 64)) == 1


def test_a_step_whose_file_is_gone_is_done_again(row: Episode) -> None:
    delivering = Count(lambda: Found(notes={"out": "/gone"}))
    for _ in range(2):
        ledger(row).step("deliver", {}, delivering, stands=lambda notes: Path(notes["out"]).exists())
    assert delivering.times == 2


def test_a_step_of_another_dubline_is_done_again(row: Episode, monkeypatch: pytest.MonkeyPatch) -> None:
    splitting = Count(two_shots)
    ledger(row).step("split", {}, splitting)
    monkeypatch.setattr("flows.ledger.VERSION", "9.9")
    ledger(row).step("split", {}, splitting)
    assert splitting.times == 2
