"""The catalog: transactions, the chain of events, the moves of a status, what is found again."""

from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from storage.catalog import Event, ShotStatus, Side, Speaker, Turn, episode, event, moves, shot, take, turn
from storage.catalog.session import Standing, catalog, close, standing
from storage.errors import Missing, Refused, Unreachable
from storage.settings import settings
from tests.storage.drawn_rows import add_episode, add_shot, add_track, draw_take


def test_a_block_that_fails_leaves_nothing(house: Path) -> None:
    with pytest.raises(RuntimeError), catalog() as session:
        add_episode(session)
        raise RuntimeError("killed")
    with catalog() as session:
        assert episode.newest_first(session) == []


def test_rows_are_used_after_the_block_and_load_nothing_by_themselves(house: Path) -> None:
    with catalog() as session:
        row = add_episode(session)
        speaker = Speaker(side=Side.DUB, name="Anna", heard_by="stem")
        speaker.episode_id = row.id
        session.add(Turn(speaker=speaker, start_us=0, end_us=1_000_000))
    with catalog() as session:
        (heard,) = turn.of_episode(session, row.id)
    assert row.name == "ep01" and heard.speaker.name == "Anna"
    with catalog() as session:
        bare = session.get_one(Turn, heard.id)
    with pytest.raises(InvalidRequestError, match="raise"):
        _ = bare.speaker


def test_looking_at_the_standing_makes_nothing(house: Path) -> None:
    assert standing() is Standing.ABSENT and not house.exists()
    with catalog():
        pass
    assert standing() is Standing.CURRENT


def test_sqlite_keeps_foreign_keys_and_lets_readers_pass(house: Path) -> None:
    with pytest.raises(IntegrityError), catalog() as session:
        add_shot(session, add_episode(session)).episode_id = 999
    with catalog() as session:
        assert session.scalar(text("pragma journal_mode")) == "wal"


def test_a_catalog_of_a_newer_dubline_is_left_alone(house: Path) -> None:
    with catalog() as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    close()
    assert standing() is Standing.NEWER
    with pytest.raises(Missing, match="newer Dubline"), catalog():
        pass


@pytest.mark.parametrize(
    ("url", "kind", "says"),
    [
        pytest.param("sqlite:////proc/nowhere/c.db", Missing, "No catalog can be made", id="no-such-folder"),
        pytest.param("oracle+nothing://joe:secret@host/x", Missing, "needs a driver", id="no-driver"),
        pytest.param(
            "postgresql+psycopg://joe:secret@127.0.0.1:1/x", Unreachable, "does not answer", id="nobody-listens"
        ),
    ],
)
def test_a_catalog_out_of_reach_is_explained_without_its_password(
    house: Path, monkeypatch: pytest.MonkeyPatch, url: str, kind: type[Exception], says: str
) -> None:
    monkeypatch.setenv("DUBLINE_CATALOG", url)
    settings.cache_clear()
    with pytest.raises(kind, match=says) as error, catalog():
        pass
    assert "secret" not in str(error.value)


def test_events_are_chained_and_a_forger_is_found(house: Path) -> None:
    with catalog() as session:
        row = add_episode(session)
        for number in range(5):
            event.append(session, row.id, "anna", "shot.held", f"sh{number:04d}", {"n": number}, {"share": 0.1})
    with catalog() as session:
        assert event.verify_chain(session) is None
        assert len(event.of_episode(session, row.id)) == 5
    with catalog() as session:
        session.execute(update(Event).where(Event.about == "sh0002").values(who="bert"))
    with catalog() as session:
        forged = event.verify_chain(session)
        assert forged is not None and forged.about == "sh0002"


def test_an_event_taken_out_of_the_middle_is_missed(house: Path) -> None:
    with catalog() as session:
        for number in range(3):
            event.append(session, None, "anna", "note", str(number))
        session.execute(text("delete from event where about = '1'"))
        broken = event.verify_chain(session)
        assert broken is not None and broken.about == "2"


def test_a_move_changes_the_row_and_writes_the_event(house: Path) -> None:
    with catalog() as session:
        row = add_shot(session, add_episode(session))
    with catalog() as session:
        moves.move(session, row, ShotStatus.HELD, "two faces, one voice", by="anna")
    with catalog() as session:
        stored = shot.by_name(session, row.episode_id, "sh0010")
        (said,) = event.of_episode(session, row.episode_id)
    assert stored.status is row.status is ShotStatus.HELD and stored.reason == "two faces, one voice"
    assert (said.who, said.what, said.about) == ("anna", "shot.held", "sh0010")
    assert said.before == {"status": "planned", "reason": ""}


def test_a_forbidden_move_is_refused_and_says_what_is_allowed(house: Path) -> None:
    with catalog() as session:
        row = add_shot(session, add_episode(session))
        with pytest.raises(
            Refused, match=r"sh0010 is planned and cannot become done. From planned it may become held,"
        ):
            moves.move(session, row, ShotStatus.DONE)
        assert event.of_episode(session, row.episode_id) == []


def test_a_move_believes_the_catalog_and_not_the_row_in_hand(house: Path) -> None:
    with catalog() as session:
        stale = add_shot(session, add_episode(session))
    with catalog() as session:
        moves.move(session, shot.by_name(session, stale.episode_id, "sh0010"), ShotStatus.PASSED_THROUGH)
    assert stale.status is ShotStatus.PLANNED
    with catalog() as session, pytest.raises(Refused, match="is passed-through"):
        moves.move(session, stale, ShotStatus.DONE)


def test_every_status_has_its_moves_and_a_way_out() -> None:
    for table in (moves.SHOT, moves.EPISODE):
        assert all(table[status] for status in table)  # type: ignore[index]
        assert set().union(*table.values()) <= set(table)
    assert set(moves.SHOT) == set(ShotStatus)


def test_an_episode_nobody_knows_is_refused_with_the_nearest_name(house: Path) -> None:
    with catalog() as session:
        add_episode(session, "night-train")
        with pytest.raises(Refused, match=r"No episode is called 'nigth-train'. There are night-train."):
            episode.by_name(session, "nigth-train")


def test_a_name_that_is_taken_gets_a_number(house: Path) -> None:
    with catalog() as session:
        assert episode.free_name(session, "ep01") == "ep01"
        add_episode(session, "ep01")
        add_episode(session, "ep01-2")
        assert episode.free_name(session, "ep01") == "ep01-3"
        assert episode.free_name(session, "ep") == "ep"


def test_the_newest_episode_of_the_same_bytes_is_found_again(house: Path) -> None:
    with catalog() as session:
        add_episode(session, "a")
        second = add_episode(session, "b")
        add_episode(session, "c", dub="e" * 64)
        assert episode.of_film(session, "f" * 64, "d" * 64) is second
        assert episode.of_film(session, "0" * 64, "d" * 64) is None


def test_exactly_one_take_of_a_track_is_circled(house: Path) -> None:
    with catalog() as session:
        track = add_track(session, add_shot(session, add_episode(session)))
        first, second = draw_take(track, 1), draw_take(track, 2, key="c" * 64)
        session.add_all([first, second])
        take.circle(session, first)
        take.circle(session, second)
        assert not first.circled and second.circled
        assert take.next_version(session, track.id) == 3


def test_a_take_outlives_the_track_it_was_drawn_for(house: Path) -> None:
    with catalog() as session:
        row = add_shot(session, add_episode(session))
        session.add(draw_take(add_track(session, row)))
    with catalog() as session:
        session.delete(shot.by_name(session, row.episode_id, row.name))
    with catalog() as session:
        (kept,) = take.answering(session, "a" * 64)
        assert kept.track_id is None
