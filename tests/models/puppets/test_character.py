"""Who the puppets are: mouths that can be read, in all but a stated share."""

import numpy as np

from models.puppets.canvas import luminance
from models.puppets.character import CLEAR, FAINT, SEEN, random_character
from models.puppets.kinds import SPECIES, STYLES


def test_mouths_stand_clear_of_the_skin_in_all_but_the_faint_share() -> None:
    rng = np.random.default_rng(0)
    who = [random_character(rng) for _ in range(1500)]
    inside = np.array([abs(luminance(c.inside) - luminance(c.around)) for c in who])
    lips = np.array([abs(luminance(c.lip) - luminance(c.around)) for c in who])
    assert (
        0.02 < np.mean(inside < CLEAR - 3) <= FAINT
    )  # three levels for rounding; on light skin the faint are clear too
    assert np.mean(lips < SEEN) <= FAINT
    assert inside.min() > 15


def test_small_and_large_mouths_come_in_modest_shares() -> None:
    rng = np.random.default_rng(0)
    half = np.array([random_character(rng).mouth.half for _ in range(1500)])
    assert 0.09 < np.mean(half < 0.245) < 0.16
    assert 0.03 < np.mean(half > 0.35) < 0.12
    assert half.min() >= 0.16


def test_every_kind_comes_up() -> None:
    rng = np.random.default_rng(0)
    who = [random_character(rng) for _ in range(600)]
    assert {c.species for c in who} == set(SPECIES)
    assert {c.style for c in who} == set(STYLES)
    assert {"glasses", "cap", "hat", "beard", "moustache", "freckles"} == set().union(*(c.worn for c in who))
