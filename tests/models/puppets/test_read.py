"""The reader of drawn mouths: what was drawn is what is read."""

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.crop import cut
from models.puppets.draw import Puppet
from models.puppets.pose import HAND, HAND_X, HAND_Y, random_pose
from models.puppets.read import OPEN, TOOTH, WIDTH, Reading, energy, read, windows

Floats = NDArray[np.float32]
FRAMES, FILM, SIZE = 20, 256, 96
KINDS = (("human", "outline"), ("mug", "flat"), ("fox", "shaded"))


def speaking(seed: int) -> Floats:
    """(FRAMES, 4) mouths like those of the law: open and shut twice a second."""
    chance, t = np.random.default_rng(seed), np.arange(FRAMES) / 25
    opened = np.clip(0.5 * np.sin(2 * np.pi * (2 * t + chance.uniform())) + 0.25, 0, 1)
    width = 0.5 + 0.3 * np.sin(2 * np.pi * (1.1 * t + chance.uniform()))
    teeth = np.clip(np.sin(2 * np.pi * (2.9 * t + chance.uniform())), 0, 1)
    return np.stack([opened, width, teeth, np.zeros(FRAMES)], axis=1).astype(np.float32)


@cache
def puppet(species: str, style: str) -> tuple[Puppet, Floats, Floats]:
    """A puppet, its poses without a hand, and the squares of 6 half widths about its mouth, 0 … 1 of the picture."""
    chance = np.random.default_rng(11)
    who, poses = Puppet.random(chance, species, style), random_pose(chance, FRAMES)
    poses[:, HAND] = 0
    mouths = who.mouth_at(poses)
    return who, poses, np.concatenate([mouths[:, :2], 6 * mouths[:, 2:3], mouths[:, 3:]], axis=1)


def filmed(species: str, style: str, mouths: Floats) -> NDArray[np.uint8]:
    """Crops as the product cuts them from a film."""
    who, poses, views = puppet(species, style)
    film = who.render(poses, mouths, FILM)
    squares = views * np.array([FILM, FILM, FILM, 1], np.float32)
    return np.stack([cut(frame, square, SIZE) for frame, square in zip(film, squares, strict=True)])


def reading(species: str, style: str, crops: NDArray[np.uint8]) -> Reading:
    return read(*puppet(species, style)[:2], crops, puppet(species, style)[2])


@pytest.mark.parametrize(("species", "style"), KINDS)
def test_true_drawings_are_read_as_they_were_drawn(species: str, style: str) -> None:
    mouths = speaking(1)
    found = reading(species, style, filmed(species, style, mouths))
    assert found.shown.all()
    assert np.corrcoef(found.mouths[:, OPEN], mouths[:, OPEN])[0, 1] > 0.99
    assert np.abs(found.mouths[:, OPEN] - mouths[:, OPEN]).mean() < 0.03
    wide = mouths[:, OPEN] > 0.2
    assert np.corrcoef(found.mouths[wide, WIDTH], mouths[wide, WIDTH])[0, 1] > 0.9
    assert np.corrcoef(found.mouths[wide, TOOTH], mouths[wide, TOOTH])[0, 1] > 0.6


@pytest.mark.parametrize(("species", "style"), KINDS)
def test_shut_mouths_read_as_shut(species: str, style: str) -> None:
    found = reading(species, style, filmed(species, style, np.tile(np.array([0, 0.5, 0, 0], np.float32), (FRAMES, 1))))
    assert found.mouths[:, OPEN].max() < 0.02
    assert not found.mouths[:, TOOTH].any()


def test_another_mouth_than_the_true_one_is_read_too() -> None:
    """The reader knows the pose, never what ought to be said."""
    said = speaking(2)
    found = reading("human", "outline", filmed("human", "outline", said)).mouths[:, OPEN]
    assert np.corrcoef(found, said[:, OPEN])[0, 1] > 0.99
    assert abs(np.corrcoef(found, speaking(1)[:, OPEN])[0, 1]) < 0.9


def test_a_blurred_mouth_is_read_kindly_and_told_by_its_energy_and_its_unlikeness() -> None:

    mouths = speaking(1)
    crops = filmed("human", "outline", mouths)
    soft = np.stack([cv2.GaussianBlur(one, (0, 0), 2.5) for one in crops])
    sharp, blurred = reading("human", "outline", crops), reading("human", "outline", soft)
    assert np.corrcoef(blurred.mouths[:, OPEN], mouths[:, OPEN])[0, 1] > 0.95
    who, poses, views = puppet("human", "outline")
    places = windows(who, poses, views, SIZE, 1.3)
    assert energy(soft, places).mean() < 0.4 * energy(crops, places).mean()
    assert blurred.unlike.mean() > 1.5 * sharp.unlike.mean()


def test_a_mouth_behind_a_hand_is_not_shown() -> None:
    who, poses, views = puppet("human", "outline")
    poses = poses.copy()
    poses[:8, HAND], poses[:8, HAND_X], poses[:8, HAND_Y] = 1, 0, who.who.mouth.y + 0.1
    crops = who.render(poses, speaking(1), SIZE, view=views)
    assert read(who, poses, crops, views).shown.tolist() == [False] * 8 + [True] * (FRAMES - 8)


def test_windows_lie_about_the_mouth_and_inside_the_crop() -> None:
    who, poses, views = puppet("fox", "shaded")
    left, top, side = windows(who, poses, views, SIZE, 1.9).T
    assert (left >= 0).all() and (top >= 0).all() and (left + side <= SIZE).all() and (top + side <= SIZE).all()
    assert np.abs(left + side / 2 - SIZE / 2).max() <= 1 and np.abs(top + side / 2 - SIZE / 2).max() <= 1
