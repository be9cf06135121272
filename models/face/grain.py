"""The grain of a film, measured between its frames, and more of the same for what a model drew.

A model draws without grain, and a mouth without grain in a film that has it looks cut out. Grain is what differs from
one frame to the next where nothing moves: texture of skin stays, so it is not taken for grain, and a drawn film or one
whose noise a codec froze has none, and gets none. Per plane: how strong at which brightness, and its spectrum.

Promises: deterministic in the generator; no frame's noise is another's; where a film has no grain there is no `Grain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats

BLOCK: Final = 24  # samples a side of what is looked at together
COARSE: Final = 4.0  # sigma in samples: what is larger is light or movement, not grain
BINS: Final = 4  # of brightness
SEEN: Final = 3  # at so many of them there must be grain: what is in one alone is movement
ENOUGH: Final = 12  # blocks that a brightness must have been seen in to count
STILL: Final = 0.25  # share of the blocks that hold nothing but grain, at least; moving ones differ by more
FEWEST: Final = 0.05  # where fewer than so many have it, it is movement, or a codec froze the rest
ALIKE: Final = 2.0  # blocks with so many times their variance are still grain: chance, not movement
BY_CHANCE: Final = 0.65  # fresh grain is no more like the grain of another frame than this, wherever it is laid
LEAST: Final = 0.4 / 255  # of full scale: the rounding of an 8 bit film is 0.29 of a code value, and no grain
REACH: Final = 5  # samples from the middle of the kernel to its edge


@dataclass(frozen=True, eq=False)
class Grain:
    """One plane's grain."""

    levels: Floats  # (n,) brightness, rising, full scale 1
    strengths: Floats  # (n,) standard deviation at that brightness
    kernel: Floats  # (11, 11) gives white noise the grain's spectrum and leaves its variance

    def drawn(self, brightness: Floats, chance: np.random.Generator) -> Floats:
        """(h, w) fresh grain for a plane of that brightness (h, w), full scale 1."""
        if not brightness.size:
            return np.zeros_like(brightness)
        white = chance.standard_normal(brightness.shape, np.float32)
        noise = cv2.filter2D(white, cv2.CV_32F, self.kernel, borderType=cv2.BORDER_REFLECT)
        return np.asarray(noise * np.interp(brightness, self.levels, self.strengths), np.float32)


def measure(pairs: Sequence[tuple[Floats, Floats]]) -> Grain | None:
    """The grain of a plane, or None if it has none that can be seen.

    pairs  the same place in two frames that follow each other, (h, w) full scale 1; more pairs, a surer measure
    """
    pairs = [pair for pair in pairs if not np.array_equal(*pair)]  # a frame that is shown twice tells nothing
    if not pairs or (pairs[0][0].shape[0] // BLOCK) * (pairs[0][0].shape[1] // BLOCK) * len(pairs) < ENOUGH:
        return None
    blocks: list[Floats] = []  # (n, BLOCK, BLOCK)
    facts: list[NDArray[np.float64]] = []  # (n, 2) brightness and variance
    for before, after in pairs:
        old, new = (_blocks(one - cv2.GaussianBlur(one, (0, 0), COARSE)) for one in (before, after))
        apart = np.asarray((new - old) * np.sqrt(0.5), np.float32)
        variance = np.min([_spread(apart), _spread(old), _spread(new), _left(old, new)], axis=0)
        blocks.append(apart)
        facts.append(np.stack([_blocks(after).mean(axis=(1, 2)), variance], axis=1))
    every, known = np.concatenate(blocks), np.concatenate(facts)
    edges = np.quantile(known[:, 0], np.linspace(0, 1, BINS + 1))
    levels, strengths, spectra = [], [], []
    window = np.outer(np.hanning(BLOCK + 2)[1:-1], np.hanning(BLOCK + 2)[1:-1])
    for low, high in pairwise(edges):
        here = (known[:, 0] >= low) & (known[:, 0] <= high)
        if here.sum() < ENOUGH:
            continue
        fewest, still = np.quantile(known[here, 1], [FEWEST, STILL])
        least = min(still, ALIKE * fewest)
        alone = here & (known[:, 1] <= ALIKE * least) & (every.var(axis=(1, 2)) <= ALIKE * least)
        if not alone.any():
            continue
        levels.append(known[alone, 0].mean())
        strengths.append(np.sqrt(known[alone, 1].mean()))
        spectra.append((np.abs(np.fft.fft2(every[alone] * window)) ** 2).mean(axis=0) / max(strengths[-1] ** 2, 1e-12))
    if np.count_nonzero(np.array(strengths) >= LEAST) < SEEN:
        return None
    order = np.argsort(levels)
    return Grain(
        np.asarray(levels, np.float32)[order],
        np.asarray(strengths, np.float32)[order],
        _kernel(np.mean(spectra, axis=0)),
    )


def _blocks(plane: Floats) -> Floats:
    """(n, BLOCK, BLOCK) the whole blocks of a plane."""
    down, across = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    cut = plane[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)


def _spread(blocks: Floats) -> NDArray[np.float64]:
    """(n,) the variance of each block as its middle half tells it: a line that moved through it does not count."""
    return np.asarray(np.square(1.4826 * np.median(np.abs(blocks), axis=(1, 2))), np.float64)


def _left(old: Floats, new: Floats) -> NDArray[np.float64]:
    """(n,) the variance that is left when one block is moved over the other; infinite where they show nothing alike."""
    spectra = np.fft.rfft2(old).conj() * np.fft.rfft2(new)
    shared = np.fft.irfft2(spectra, s=(BLOCK, BLOCK)).max(axis=(1, 2)) / BLOCK**2
    energy = (np.square(old).mean(axis=(1, 2)) + np.square(new).mean(axis=(1, 2))) / 2
    return np.where(shared > BY_CHANCE * energy, np.maximum(energy - shared, 0), np.inf)


def _kernel(spectrum: NDArray[np.float64]) -> Floats:
    """The filter without phase that has this power spectrum, with energy 1."""
    whole = np.fft.fftshift(np.fft.ifft2(np.sqrt(spectrum)).real)
    middle = BLOCK // 2
    kernel = whole[middle - REACH : middle + REACH + 1, middle - REACH : middle + REACH + 1]
    return np.asarray(kernel / np.sqrt(np.square(kernel).sum()), np.float32)
