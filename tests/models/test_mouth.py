"""Where a mouth rests, read from meshes whose jaw moves, whose head moves, and which jitter."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.form import CHIN, INNER, OUTER
from models.face.mouth import of_mesh, steady

Floats = NDArray[np.float32]
JAW = (*OUTER[1:10], *INNER[1:10], *CHIN)  # lower lip and chin


@pytest.fixture
def mesh() -> Floats:
    """(468, 2) a face with its eyes 64 pixels apart and its lips shut."""
    points = np.random.default_rng(3).uniform(20, 120, (468, 2)).astype(np.float32)
    points[33], points[263] = (40, 40), (104, 40)
    points[61], points[291] = (56, 90), (88, 90)
    points[13], points[14] = (72, 89), (72, 91)
    return points


def speaking(mesh: Floats, frames: int = 40) -> Floats:
    points = np.repeat(mesh[None], frames, axis=0)
    points[:, list(JAW), 1] += 14 * np.abs(np.sin(np.arange(frames) / 3))[:, None].astype(np.float32)
    return points


def test_the_mouth_stays_where_it_is_however_far_the_lips_open(mesh: Floats) -> None:
    rows = of_mesh(speaking(mesh))
    assert rows.shape == (40, 4) and np.ptp(rows, axis=0).max() < 0.01
    assert rows[0] == pytest.approx([72, 91, 16, 0], abs=1.0)


def test_it_goes_with_the_head_and_leans_and_grows_with_it(mesh: Floats) -> None:
    points = speaking(mesh)
    angle = np.linspace(0, 0.4, len(points))
    scale = np.linspace(1, 1.3, len(points))
    turn = scale[:, None, None] * np.moveaxis(
        np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]), 2, 0
    )
    moved = (np.einsum("tij,tkj->tki", turn, points) + np.linspace(0, 30, len(points))[:, None, None]).astype(
        np.float32
    )
    rest = of_mesh(points)[0]
    rows = of_mesh(moved)
    there = np.einsum("tij,j->ti", turn, rest[:2]) + np.linspace(0, 30, len(points))[:, None]
    inner = slice(8, -8)  # at the ends smoothing has nothing to lean on
    assert np.abs(rows[inner, :2] - there[inner]).max() < 0.5
    assert rows[inner, 2] == pytest.approx(rest[2] * scale[inner], rel=0.02)
    assert rows[inner, 3] == pytest.approx(angle[inner], abs=0.01)


def test_jitter_is_smoothed_and_one_wild_frame_leaves_no_trace() -> None:
    chance = np.random.default_rng(1)
    rows = np.tile(np.array([100, 80, 20, 0.1], np.float32), (60, 1))
    shaken = rows + chance.normal(0, 1, rows.shape).astype(np.float32) * np.array([1, 1, 1, 0.03], np.float32)
    shaken[30] += (40, -30, 30, 1)
    calm = steady(shaken)
    assert np.abs(np.diff(calm[:, :2], axis=0)).max() < 0.8 < np.abs(np.diff(shaken[:, :2], axis=0)).max()
    assert np.abs(calm - rows).max(axis=0) == pytest.approx(np.zeros(4), abs=1.5)


def test_nothing_is_smoothed_over_a_gap() -> None:
    rows = np.array([[0, 0, 10, 0]] * 8 + [[90, 0, 10, 0]] * 8, np.float32)
    frames = np.array([*range(8), *range(20, 28)], np.int32)
    assert steady(rows, frames) == pytest.approx(rows, abs=1e-4)
    assert steady(rows)[8, 0] < 85


def test_one_frame_and_none_are_enough(mesh: Floats) -> None:
    assert of_mesh(mesh[None]).shape == (1, 4)
    assert of_mesh(np.zeros((0, 468, 2), np.float32)).shape == (0, 4)
