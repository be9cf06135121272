"""Words about faces, and the cast of the episode before, put to the faces and voices of this one."""

from pathlib import Path

import numpy as np
import pytest

from storage.catalog import Character, Side, Speaker, Track
from storage.catalog.binding import NOBODY, Binding, FaceWord
from storage.errors import Refused
from tasks.bind import Choice
from tasks.carried import CastFile, Person, known_voices, read, write
from tasks.likeness import Likeness
from tasks.persons import looks
from tasks.words import Seen, Words, carry, heed, name_voices

NOTHING = np.zeros(0, np.uint8)
NO_EYE = np.zeros((0, 128), np.float16)


def track(shot: int, style: str = "photoreal") -> Track:
    return Track(shot, "f1", 0, 50, 50, "0" * 64, 200.0, 0.0, 80.0, style)


def filmed(who: int) -> Likeness:
    """A person is a corner of a cube; another is 0.85 away."""
    one = np.zeros((2, 128), np.float32)
    one[:, who] = 0.6
    return Likeness(one, np.full(256, 1 / 256, np.float32), NOTHING, NO_EYE)


def drawn(colour: int) -> Likeness:
    colours = np.zeros(256, np.float32)
    colours[colour : colour + 4] = 0.25
    return Likeness(filmed(9).faces, colours, NOTHING, NO_EYE)


def face(who: int) -> list[float]:
    return list(looks([track(0)], [filmed(who)]))


def seen(*who: int) -> Seen:
    """One shot after another, a person in each."""
    return Seen(
        [track(n) for n in range(len(who))], [filmed(each) for each in who],
        [1 + list(dict.fromkeys(who)).index(each) for each in who],
        {n: f"sh{n}" for n in range(len(who))},
    )  # fmt: skip


def cast(*names: str) -> list[Character]:
    return [Character(name, 10 + n, 20 + n, 1.0) for n, name in enumerate(names)]


def speakers(*names: str, heard_by: str = "diarization") -> dict[int, Speaker]:
    return {10 + n: Speaker(Side.ORIGINAL, name, heard_by) for n, name in enumerate(names)} | {
        20 + n: Speaker(Side.DUB, name, "diarization") for n, name in enumerate(names)
    }


def said(name: str, *words: FaceWord) -> dict[str, Binding]:
    return {name: Binding("eva", faces=words)}


def test_a_word_finds_the_nearest_person_and_nobody_who_is_only_near() -> None:
    people = seen(7, 3, 7)
    assert people.who(FaceWord("gone", "f1", tuple(face(3)))) == (0.0, 2)
    assert people.who(FaceWord("sh1", "f1", tuple(face(9)))) is None  # somebody else stands in her place now
    assert people.word(1).seen == tuple(face(7)) and len(people.word(1).seen) == 128


def test_drawn_heads_are_found_by_their_colours() -> None:
    heads = [track(0, "stylised"), track(1, "stylised"), track(2)]
    people = Seen(heads, [drawn(0), drawn(100), filmed(9)], [1, 2, 3], {0: "sh0", 1: "sh1", 2: "sh2"})
    assert len(people.word(2).seen) == 256
    assert people.who(FaceWord("gone", "f1", people.word(2).seen)) == (0.0, 2)
    assert people.who(FaceWord("gone", "f1", tuple(face(9)))) == (0.0, 3)  # who was filmed is nobody who was drawn


def test_one_shot_in_which_a_filmed_face_is_taken_for_a_drawn_one_changes_nothing() -> None:
    shots = [track(0), track(1, "stylised"), track(2)]
    people = Seen(shots, [filmed(7), drawn(0), filmed(7)], [1, 1, 1], {n: f"sh{n}" for n in range(3)})
    assert people.word(1).seen == tuple(face(7))


def test_only_who_cannot_be_compared_is_found_by_the_place() -> None:
    people = Seen([track(0), track(1)], [None, filmed(3)], [1, 2], {0: "sh0", 1: "sh1"})
    assert people.who(FaceWord("sh0", "f1", tuple(face(7)))) == (1.0, 1)
    assert people.who(FaceWord("sh1", "f1")) == (1.0, 2)
    assert people.who(FaceWord("sh1", "f1", tuple(face(7)))) is None
    assert people.who(FaceWord("sh1", "f2")) is None


def test_of_two_words_the_nearer_one_counts_and_the_other_is_told() -> None:
    near = np.array(face(7)) + np.eye(1, 128, 50)[0] * 0.2
    words = said("A", FaceWord("sh0", "f1", tuple(near))) | said("B", FaceWord("sh0", "f1", tuple(face(7))))
    bound, notes = heed(words, cast("A", "B"), seen(7))
    assert bound[1].character is not None and bound[1].character.name == "B"
    assert notes == ["face 1 is A's by one word and B's by a nearer one"]


def test_a_word_about_somebody_who_is_called_so_no_more_binds_nobody_and_is_told() -> None:
    bound, notes = heed(said("EVA", FaceWord("sh0", "f1", tuple(face(7)))), cast("A"), seen(7))
    assert not bound and notes == ["eva spoke of EVA, and nobody is called so now"]


def test_nobodys_face_is_bound_to_nobody() -> None:
    bound, notes = heed(said(NOBODY, FaceWord("sh0", "f1", tuple(face(7)))), cast("A"), seen(7))
    assert bound[1].character is None and not notes


CARRIED = CastFile(
    schema=1,
    episode="ep01",
    characters=[Person(name="ANNA", faces=[face(7), face(8)]), Person(name="BERT", faces=[face(3)])],
    nobody=[face(5)],
)


def test_a_face_known_from_before_gives_its_name_to_the_voice_it_speaks_with_most() -> None:
    people, characters = seen(7, 7, 3, 5), cast("A", "B")
    spoke = [Choice(11, 0.9, ""), Choice(10, 0.6, ""), Choice(None, 0.0, ""), Choice(10, 0.9, "")]
    more, notes = carry(
        Words(carried=CARRIED), characters, {one.original_id: one for one in characters}, speakers("A", "B"), people,
        spoke, {},
    )  # fmt: skip
    assert [one.name for one in characters] == ["A", "ANNA"] and characters[1].bound_by == "the cast of ep01"
    assert {who: one.character and one.character.name for who, one in more.items()} == {1: "ANNA", 3: None}
    assert more[1].reason == "face 1 is ANNA's in the cast of ep01"
    assert notes == ["face 2 is BERT's in the cast of ep01, and does not speak in this one"]


def test_a_second_face_of_somebody_known_has_the_same_voice() -> None:
    people, characters = seen(7, 8), cast("A", "B")
    spoke = [Choice(11, 0.9, ""), Choice(None, 0.0, "")]
    owners = {one.original_id: one for one in characters}
    more, _ = carry(Words(carried=CARRIED), characters, owners, speakers("A", "B"), people, spoke, {})
    assert more[1].character is more[2].character is characters[1]


@pytest.mark.parametrize(("heard_by", "bound_by"), [("stem", "dubline"), ("vad", "eva")])
def test_names_that_persons_gave_in_this_episode_stay(heard_by: str, bound_by: str) -> None:
    characters = cast("A")
    characters[0].bound_by = bound_by
    owners = {one.original_id: one for one in characters}
    more, notes = carry(
        Words(carried=CARRIED), characters, owners, speakers("A", heard_by=heard_by), seen(7), [Choice(10, 1.0, "")], {}
    )
    assert not more and characters[0].name == "A" and "speaks as A: nothing was changed" in notes[0]


def test_what_was_said_in_this_episode_is_not_asked_again() -> None:
    characters = cast("A", "ANNA")
    bound, _ = heed(said("A", FaceWord("sh0", "f1", tuple(face(7)))), characters, seen(7))
    assert carry(Words(carried=CARRIED), characters, {}, {}, seen(7), [Choice(None, 0.0, "")], bound) == ({}, [])


def voice(direction: int, other: float = 0.0) -> list[float]:
    """One of 192 directions, and something of the next."""
    return [1.0 if n == direction else other if n == direction + 1 else 0.0 for n in range(192)]


def test_a_voice_known_from_before_gets_its_name_and_no_voice_two() -> None:
    carried = CARRIED.model_copy(
        update={"characters": [Person(name="ANNA", voice=voice(0)), Person(name="BERT", voice=voice(0, 0.9))]}
    )
    prints = {
        "original A": np.array(voice(0, 0.8)),
        "original B": np.array(voice(0, 0.1)),
        "original C": np.array(voice(9)),
    }
    assert known_voices(carried, ["A", "B", "C"], prints) == {"A": "BERT", "B": "ANNA"}
    characters = cast("A", "B", "C")
    name_voices(Words(carried=carried, prints=prints), characters, speakers("A", "B", "C"))
    assert [one.name for one in characters] == ["BERT", "ANNA", "C"]


def test_a_cast_comes_back_as_it_was_written_and_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cast.json"
    write(file, CARRIED)
    assert read(file) == CARRIED and not list(tmp_path.glob("*.part"))
    file.write_text(file.read_text().replace('"nobody"', '"somebody"'))
    with pytest.raises(Refused, match="somebody: Extra inputs are not permitted"):
        read(file)
    with pytest.raises(Refused, match="cannot be written"):
        write(tmp_path / "no" / "cast.json", CARRIED)
