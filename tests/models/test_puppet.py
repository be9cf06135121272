"""The puppets' law and their drawing: exact pairs, exact silence."""

import numpy as np

from models.puppet import law
from models.puppet.draw import SPECIES, Puppet
from models.puppet.pose import random_pose


def _voice(seconds: float, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A voice of a sort: pulses at 120 Hz through two moving resonances, in syllables."""
    t = np.arange(int(seconds * law.HZ)) / law.HZ
    pulses = np.sign(np.sin(2 * np.pi * 120 * t))
    vowel = np.sin(2 * np.pi * (500 + 200 * np.sin(2 * np.pi * 1.3 * t + seed)) * t)
    return np.asarray(0.3 * pulses * vowel * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1), np.float32)


def test_silence_shuts_every_mouth() -> None:
    assert np.allclose(law.law(np.zeros(law.HZ, np.float32)), [0, 0.5, 0, 0])


def test_gain_does_not_move_the_lips() -> None:
    loud = law.law(_voice(2))
    assert loud[:, 0].max() > 0.3
    assert np.allclose(law.law(_voice(2) * 0.1), loud, atol=1e-6)


def test_every_frame_rate_reads_the_same_curve() -> None:
    moments = np.array([0.5, 1.0, 1.5])
    every = law.mouths(_voice(2), np.linspace(0, 1.99, 200))
    assert np.allclose(law.mouths(_voice(2), moments), every[[50, 100, 150]], atol=0.02)


def test_two_sounds_differ_at_the_mouth_only() -> None:
    for species in SPECIES:
        who = Puppet.random(np.random.default_rng(3), species, "flat")
        poses = random_pose(np.random.default_rng(4), 3)
        shut, wide = (np.tile(np.array([m, 0.5, 0, 0], np.float32), (3, 1)) for m in (0.0, 1.0))
        differs = (who.render(poses, shut, 96) != who.render(poses, wide, 96)).any(axis=-1)
        _, y, radius = who.mouth_box(poses, 96)[1]
        assert differs[1].any(), species
        upper = differs[1][: int(y - 1.5 * radius)]  # the muzzle swells with the chin
        assert not upper.any(), f"{species} changes above its mouth"


def test_the_same_seed_draws_the_same_picture() -> None:
    def drawn() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        rng = np.random.default_rng(11)
        return Puppet.random(rng).render(random_pose(rng, 2), np.zeros((2, 4), np.float32), 64)

    assert (drawn() == drawn()).all()
