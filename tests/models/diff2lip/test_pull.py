"""A wanted mouth is shown to the network as a drawing, and as references whose lips lie where it wants them."""

import numpy as np
import pytest

from models.diff2lip import pull
from models.face import form
from tests.models.conftest import Filmed


def test_a_reference_is_pulled_to_the_wanted_mouth(filmed: Filmed) -> None:
    """Where the wanted mouth has a lip point, the reference's own lip point is looked up."""
    shown = filmed.meshes[0].numpy()[list(form.MOUTH)] * 128 - (24, 56)
    wanted = shown.astype(np.float32) + np.array([0, 3], np.float32)
    pose = np.array([[1, 0, -24], [0, 1, -56]], np.float32)
    x, y = pull.look_up(pose, shown.astype(np.float32), wanted, 80, 64)
    column, row = np.rint(wanted[form.LOWER_LIP] - 0.5).astype(int)
    assert (x[row, column], y[row, column]) == pytest.approx((column + 24, row + 56 - 3), abs=0.3)
    assert (x[2, 2], y[2, 2]) == pytest.approx((26, 58), abs=0.1)  # the cheek stays


def test_drawn_planes_are_lips_gap_and_chin(filmed: Filmed) -> None:
    mouth = (filmed.meshes[0].numpy()[list(form.MOUTH)] * 128 - (24, 56)).astype(np.float32)
    lips, gap, chin = pull.draw(mouth, 80, 64) > 127
    assert lips.sum() > gap.sum() and lips.sum() > 100 and chin.any()
    assert np.flatnonzero(chin.any(axis=1)).min() > np.flatnonzero(lips.any(axis=1)).max()
