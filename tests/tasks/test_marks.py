"""Song, laughter and crowds: what words and voices say of them, and nothing else."""

from typing import Any

import pytest

from storage.catalog import Side, Speaker, Turn
from tasks.marks import crowds, in_words, marks
from tasks.ranges import Range
from tests.shoot import PAL
from tests.tasks.test_route import film_at

FILM = film_at(PAL, 250)


def said(start: float, end: float, text: str | None = None, name: str = "A", side: Side = Side.DUB) -> Turn:
    speaker = Speaker(side=side, name=name, heard_by="stem")
    return Turn(speaker=speaker, start_us=int(start * 1e6), end_us=int(end * 1e6), text=text)


def found(text: str | None) -> dict[str, bool]:
    return marks(FILM, [(25, 50)], [said(1, 2, text)], [])


@pytest.mark.parametrize("text", ["♪ Over the hills ♪", "[sings] over the hills", "(singt leise) Hinaus", "(chante)"])
def test_words_that_are_marked_as_song_are_sung(text: str) -> None:
    assert found(text) == {"sings": True, "laughs": False, "crowd": False}


@pytest.mark.parametrize(
    "text",
    ["(laughs) No!", "[chuckling]", "(lacht) Nein!", "(rires)", "(ríe)", "(risata)", "Ha ha ha!", "hahaha", "Jajaja"],
)
def test_words_that_are_marked_as_laughter_are_laughed(text: str) -> None:
    assert found(text) == {"sings": False, "laughs": True, "crowd": False}


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Using a single thing",
        "I never laugh",
        "Lacher",
        "He has had it",
        "ah, he is",
        "(sighs)",
        "Hihi",
        "Haha",
    ],
)
def test_plain_speech_has_no_marks(text: str | None) -> None:
    assert not any(found(text).values())


def test_what_is_sung_elsewhere_does_not_mark_these_frames() -> None:
    assert not any(marks(FILM, [(25, 50)], [said(2.1, 3, "♪ la ♪"), said(0, 0.9, "(laughs)")], []).values())


@pytest.mark.parametrize(
    ("turns", "crowd"),
    [
        pytest.param([said(1, 3), said(1, 3, name="B"), said(1, 3, name="C")], [(25, 75)], id="three-voices"),
        pytest.param([said(1, 3), said(1, 3, name="B"), said(2, 4, name="B")], [], id="two-that-meet-themselves"),
        pytest.param([said(1, 3), said(1, 3, name="B"), said(1, 3, side=Side.ORIGINAL)], [], id="two-and-one"),
        pytest.param([said(n, n + 3, name=name) for n, name in enumerate("ABCD")], [(50, 100)], id="one-after-another"),
        pytest.param([], [], id="nobody"),
    ],
)  # fmt: skip
def test_a_crowd_is_three_voices_at_once(turns: list[Turn], crowd: list[Range]) -> None:
    assert crowds(FILM, turns) == crowd


@pytest.mark.parametrize(("frames", "marked"), [((0, 31), True), ((0, 30), False), ((75, 100), False)])
def test_turns_that_only_meet_are_no_crowd(frames: Range, marked: bool) -> None:
    crowded = crowds(FILM, [said(1, 3, name=name) for name in "ABC"])
    assert marks(FILM, [frames], [], crowded)["crowd"] == marked


def test_the_words_of_a_route_name_what_was_found() -> None:
    measures: dict[str, Any] = {"sings": True, "laughs": False, "crowd": True, "frames": 3}
    assert in_words(measures) == ["part of it is sung", "three voices or more at once"]
