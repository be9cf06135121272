"""Persons: known again from shot to shot, and never two at once."""

from dataclasses import replace

import numpy as np
import pytest

from storage.catalog import Track
from tasks.likeness import Likeness
from tasks.persons import number

NOTHING = np.zeros(0, np.uint8)
NO_EYE = np.zeros((0, 128), np.float16)


def track(shot: int, start: int = 0, end: int = 50, style: str = "photoreal") -> Track:
    return Track(shot, "f1", start, end, end - start, "0" * 64, 200.0, 0.0, 80.0, style)


def filmed(who: int, blur: float = 0.0) -> Likeness:
    """A person is a corner of a cube; another is 0.85 away. `blur` moves the picture off it."""
    face = np.zeros(128, np.float32)
    face[who] = 0.6
    face[100 + who] = blur
    return Likeness(np.stack([face, face]), np.full(256, 1 / 256, np.float32), NOTHING, NO_EYE)


def drawn(colour: int) -> Likeness:
    colours = np.zeros(256, np.float32)
    colours[colour : colour + 4] = 0.25
    return Likeness(np.zeros((0, 128), np.float32), colours, NOTHING, NO_EYE)


def test_one_face_in_many_shots_is_one_person_and_numbers_go_by_first_appearance() -> None:
    tracks = [track(1), track(2), track(3), track(4), track(5)]
    assert number(tracks, [filmed(7), filmed(3), filmed(7, 0.3), filmed(3), filmed(1)]) == [1, 2, 1, 2, 3]


def test_two_faces_seen_at_once_are_two_persons_however_alike() -> None:
    tracks = [track(1), track(1), track(2)]
    first, second, third = number(tracks, [filmed(7), filmed(7), filmed(7, 0.1)])
    assert first != second and third in (first, second)


def test_who_comes_back_in_the_same_shot_is_the_same() -> None:
    assert number([track(1, 0, 20), track(1, 30, 50)], [filmed(7), filmed(7)]) == [1, 1]


def test_drawn_heads_are_known_by_their_colours_and_are_nobody_who_was_filmed() -> None:
    styles = ["stylised", "photoreal", "stylised", "stylised", "stylised"]
    tracks = [track(n, style=style) for n, style in enumerate(styles, start=1)]
    assert number(tracks, [drawn(0), filmed(0), drawn(1), drawn(100), drawn(0)]) == [1, 2, 1, 3, 1]


def test_a_drawn_head_on_which_a_mesh_was_found_in_some_shots_is_one_person() -> None:
    tracks = [track(n, style="stylised") for n in range(1, 4)]
    meshed, other = (replace(drawn(0), faces=filmed(who).faces) for who in (3, 9))
    assert number(tracks, [drawn(0), meshed, drawn(0)]) == [1, 1, 1]
    assert number(tracks[:2], [meshed, other]) == [1, 1]  # what a network for photographs says of it weighs half


def test_a_face_that_cannot_be_compared_is_a_person_of_its_own() -> None:
    blind = Likeness(np.zeros((0, 128), np.float32), np.zeros(256, np.float32), NOTHING, NO_EYE)
    assert number([track(1), track(2), track(3)], [None, blind, None]) == [1, 2, 3]


@pytest.mark.parametrize("count", [0, 1])
def test_few_are_numbered_too(count: int) -> None:
    assert number([track(1)] * count, [filmed(1)] * count) == [1] * count
