"""Bindings: what persons have said about the cast is kept as it was said, and told without its numbers."""

from pathlib import Path

from storage.catalog import binding, episode
from storage.catalog.binding import NOBODY, Binding, FaceWord
from storage.catalog.session import catalog
from tests.storage.drawn_rows import add_episode

FACE = FaceWord("sh0010", "f1", (0.1234, -0.5))


def test_a_word_comes_back_as_it_was_said_and_others_stay(house: Path) -> None:
    anna = Binding("eva", "the tall one", (FACE,), original="A", dub="Anna")
    with catalog() as session:
        binding.say(session, add_episode(session), {"ANNA": anna, NOBODY: Binding("eva", faces=(FACE, FACE))})
    with catalog() as session:
        row = episode.by_name(session, "ep01")
        assert binding.of(row)["ANNA"] == anna
        binding.say(session, row, {"ANNA": None, "BERT": Binding("eva", dub="B")})
        assert set(binding.of(row)) == {NOBODY, "BERT"}
    with catalog() as session:
        assert set(binding.of(episode.by_name(session, "ep01"))) == {NOBODY, "BERT"}


def test_a_word_that_says_nothing_any_more_is_gone(house: Path) -> None:
    with catalog() as session:
        row = add_episode(session)
        binding.say(session, row, {"ANNA": Binding("eva", "her", (FACE,))})
        binding.say(session, row, {"ANNA": Binding("eva", "her")})
        assert row.bindings == {}


def test_events_tell_where_a_face_was_seen_and_not_its_numbers() -> None:
    assert binding.told(Binding("eva", faces=(FACE,))) == {"by": "eva", "faces": ["sh0010/f1"]}
    assert binding.told(None) == {}
