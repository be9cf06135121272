"""What of the dub was heard as the wrong voice goes to who speaks there in the film, and nothing else moves."""

import pytest

from storage.catalog import Side, Speaker, Turn
from tasks.misheard import put_right

FILM = {name: Speaker(Side.ORIGINAL, name, "diarization") for name in "AB"}
DUB = {name: Speaker(Side.DUB, name, "diarization") for name in "XYZ"}
STEM = Speaker(Side.DUB, "ANNA", "stem")

Said = tuple[Speaker, float, float]


def turns(*said: Said) -> list[Turn]:
    return [Turn(speaker, round(start * 1e6), round(end * 1e6)) for speaker, start, end in said]


def dubbed(*said: Said) -> list[tuple[str, float, float]]:
    found, _ = put_right(turns(*said))
    mine = [
        (each.speaker.name, each.start_us / 1e6, each.end_us / 1e6) for each in found if each.speaker.side == Side.DUB
    ]
    return sorted(mine, key=lambda each: each[1])


A, B = FILM["A"], FILM["B"]
X, Y, Z = DUB["X"], DUB["Y"], DUB["Z"]
DIALOGUE: tuple[Said, ...] = ((A, 0, 3), (B, 4, 7), (A, 8, 11), (B, 12, 15), (X, 0.1, 3), (Y, 4.1, 6.8), (X, 8, 11.2))


def test_a_line_heard_as_the_wrong_voice_goes_to_who_speaks_there_in_the_film() -> None:
    *_, last = dubbed(*DIALOGUE, (X, 12.2, 14.9))
    assert last == ("Y", 12.2, 14.9)


def test_a_voice_that_nobody_has_in_the_film_gives_its_lines_back() -> None:
    *_, last = dubbed(*DIALOGUE, (Z, 12.2, 14.9))
    assert last == ("Y", 12.2, 14.9)


def test_two_lines_heard_as_one_are_parted() -> None:
    *_, first, second = dubbed(*DIALOGUE[:-1], (X, 8, 14.9))
    assert (first[0], second[0]) == ("X", "Y")
    assert first[1] == 8 and second[2] == 14.9 and 11 <= first[2] == second[1] <= 12


@pytest.mark.parametrize(
    "line",
    [
        pytest.param((Y, 12.2, 14.9), id="rightly-heard"),
        pytest.param((X, 11.2, 11.9), id="longer-than-in-the-film"),
        pytest.param((X, 16, 18), id="where-the-film-is-silent"),
        pytest.param((STEM, 12.2, 14.9), id="a-stem-is-never-doubted"),
        pytest.param((X, 10, 12.5), id="runs-into-the-next-line"),
    ],
)
def test_what_stands_is_left_as_it_is(line: Said) -> None:
    said = turns(*DIALOGUE, line)
    found, moved = put_right(said)
    assert moved == 0 and all(a is b for a, b in zip(found, said, strict=True))


def test_who_is_heard_there_in_the_dub_already_gets_nothing_more() -> None:
    """Two speak at once in the dub: the second is somebody else, whoever it is."""
    said = turns(*DIALOGUE, (Y, 12.2, 14.9), (X, 12.3, 14.8))
    assert put_right(said)[1] == 0


def test_without_voices_in_the_film_nothing_is_doubted() -> None:
    assert put_right(turns((X, 0, 3), (Y, 4, 7)))[1] == 0 and put_right([]) == ([], 0)
