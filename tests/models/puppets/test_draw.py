"""The puppets' drawings: exact pairs, the square a model sees, and where the mouth is."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.face.crop import cut
from models.puppets.character import random_character
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES, SPECIES, STYLES
from models.puppets.pose import COLUMNS, HAND, HAND_X, HAND_Y, PITCH, ROLL, YAW, random_pose

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
SHUT, WIDE = (0.0, 0.5, 0.0, 0.0), (1.0, 0.5, 0.6, 0.6)


def _mouths(count: int, mouth: tuple[float, ...]) -> Floats:
    return np.tile(np.array(mouth, np.float32), (count, 1))


def _view(who: Puppet, poses: Floats) -> Floats:
    """The square that the product cuts for such a mouth."""
    x, y, half, roll = who.mouth_at(poses).T
    return np.stack([x, y, 6 * half, roll], 1)


@pytest.mark.parametrize("species", SPECIES)
def test_two_sounds_differ_at_the_mouth_and_the_chin_only(species: str) -> None:
    who = Puppet.random(np.random.default_rng(3), species, "flat")
    poses = random_pose(np.random.default_rng(4), 3)
    poses[:, HAND] = 0
    differs = (who.render(poses, _mouths(3, SHUT), 96) != who.render(poses, _mouths(3, WIDE), 96)).any(axis=-1)
    for q, changed, (x, y, radius) in zip(poses, differs, who.mouth_box(poses, 96), strict=True):
        rows, columns = np.nonzero(changed)
        assert len(rows)
        away = np.stack([columns + 0.5 - x, rows + 0.5 - y])
        up = -(np.sin(-q[ROLL]) * away[0] + np.cos(q[ROLL]) * away[1])
        unit = 96 * 0.36 * np.exp(q[3])
        assert up.max() <= max(radius, 0.6 * unit) + 1, "changes above the mouth and its muzzle"
        assert np.hypot(*away).max() <= 1.15 * unit, "changes further away than the chin"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("species", SPECIES)
def test_every_kind_opens_its_mouth_where_it_says(species: str, style: str) -> None:
    character = replace(random_character(np.random.default_rng(8), species, style), film=0.0)
    who, poses = Puppet(character), np.zeros((1, COLUMNS), np.float32)
    shut, wide = (who.render(poses, _mouths(1, m), 96, 2)[0].astype(np.int32) for m in (SHUT, WIDE))
    x, y, half, _ = who.mouth_at(poses)[0] * 96
    box = np.abs(wide - shut).sum(-1)[int(y - 2 * half) : int(y + 2 * half), int(x - 1.4 * half) : int(x + 1.4 * half)]
    rows, columns = np.mgrid[0 : box.shape[0], 0 : box.shape[1]]
    assert box.sum() > 1000, "opening the mouth is hardly seen"
    centre = (box * columns).sum() / box.sum() + int(x - 1.4 * half) + 0.5
    middle = (box * rows).sum() / box.sum() + int(y - 2 * half) + 0.5
    assert abs(centre - x) < 0.15 * half
    assert abs(middle - y) < half


def test_the_same_seed_draws_the_same_picture() -> None:
    def drawn() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        rng = np.random.default_rng(11)
        return Puppet.random(rng).render(random_pose(rng, 2), np.zeros((2, 4), np.float32), 64)

    assert (drawn() == drawn()).all()


def test_a_view_is_what_would_be_cut_from_the_whole_picture() -> None:
    errors = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        who = Puppet(replace(random_character(rng), film=0.0))
        poses = random_pose(rng, 1)
        view = _view(who, poses)
        whole = who.render(poses, _mouths(1, WIDE), 480, 4)[0]
        seen = who.render(poses, _mouths(1, WIDE), 96, 4, view)[0]
        expected = cut(whole, view[0] * np.array([480, 480, 480, 1], np.float32), 96)
        errors.append(np.abs(seen.astype(np.float32) - expected).mean())
        (across, down), _ = cv2.phaseCorrelate(seen.mean(-1), expected.mean(-1))
        assert np.hypot(across, down) < 0.5
    assert np.mean(errors) < 2, "lines have whole widths, so single drawings may differ more"


def test_the_view_of_everything_is_the_plain_drawing() -> None:
    rng = np.random.default_rng(2)
    who, poses = Puppet.random(rng), random_pose(rng, 2)
    everything = np.tile(np.array([0.5, 0.5, 1, 0], np.float32), (2, 1))
    plain = who.render(poses, _mouths(2, WIDE), 96)
    assert (plain == who.render(poses, _mouths(2, WIDE), 96, view=everything)).all()


def test_beyond_the_picture_its_edge_is_repeated() -> None:
    rng = np.random.default_rng(2)
    who, poses = Puppet.random(rng, "human", "flat"), random_pose(rng, 1)
    low = who.render(poses, _mouths(1, SHUT), 90, view=np.array([[0.5, 1.0, 0.6, 0]], np.float32))[0].astype(np.int32)
    assert np.abs(low[50:] - low[47]).max() <= 1


def test_a_hand_is_the_same_in_both_drawings() -> None:
    who = Puppet.random(np.random.default_rng(5), "human", "flat")
    poses = np.zeros((1, COLUMNS), np.float32)
    without = who.render(poses, _mouths(1, SHUT), 128)
    poses[0, [HAND, HAND_Y]] = 1.0, who.who.mouth.y + 0.1
    shut, wide = (who.render(poses, _mouths(1, m), 128)[0].astype(np.int32) for m in (SHUT, WIDE))
    x, y = (who.mouth_at(poses)[0, :2] * 128).astype(int)
    assert (without[0, y - 4 : y + 5, x - 4 : x + 5] != shut[y - 4 : y + 5, x - 4 : x + 5]).any()
    assert (shut[y - 2 : y + 6, x - 4 : x + 5] == wide[y - 2 : y + 6, x - 4 : x + 5]).all()


def test_a_face_never_slides_off_its_head() -> None:
    for seed in range(40):
        who = Puppet.random(np.random.default_rng(seed))
        poses = np.zeros((1, COLUMNS), np.float32)
        middle = who.mouth_at(poses)[0]
        poses[0, [YAW, PITCH]] = 3.0, 3.0
        turned = who.mouth_at(poses)[0]
        unit = 0.36
        assert turned[0] + turned[2] - 0.5 < who.who.head[0] * unit
        assert turned[1] - middle[1] < 0.6 * unit


def test_keypoints_do_not_move_in_speech_and_turn_with_the_head() -> None:
    who = Puppet.random(np.random.default_rng(5))
    poses = np.zeros((2, COLUMNS), np.float32)
    poses[1, ROLL] = 0.4
    upright, turned = who.keypoints(poses)
    c, s = np.cos(0.4), np.sin(0.4)
    assert np.allclose(turned - 0.5, (upright - 0.5) @ np.array([[c, s], [-s, c]]), atol=1e-5)


def test_half_of_the_kinds_are_kept_for_judging() -> None:
    assert len(set(LEARNT_SPECIES)) == len(SPECIES) // 2 == 6
    assert len(set(LEARNT_STYLES)) == len(STYLES) // 2 == 3
    assert set(LEARNT_SPECIES) < set(SPECIES)
    assert set(LEARNT_STYLES) < set(STYLES)


def test_hands_come_before_some_faces_only() -> None:
    rng = np.random.default_rng(0)
    poses = [random_pose(rng, 20) for _ in range(300)]
    assert 0.1 < np.mean([p[:, HAND].max() > 0 for p in poses]) < 0.2
    assert max(np.abs(p[:, ROLL]).max() for p in poses) <= np.deg2rad(25) + 1e-6
    assert all(np.isfinite(p).all() and np.abs(p[:, HAND_X]).max() < 2 for p in poses)
