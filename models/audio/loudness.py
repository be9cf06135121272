"""How loud a voice is, and a voice brought to one loudness, so that a soft dub opens a mouth as far as a loud one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TOP: Final = -20.0  # dBFS (RMS of 10 ms) above which a levelled voice is for 5 % of its time; GRID's own loudness
LIFT: Final = 20.0  # dB at most, so that a shot in which nobody speaks is not made to speak
NOTHING: Final = -70.0  # dBFS under which it is no voice


def level(speech: Floats) -> Floats:
    """(N,) samples at 16 kHz, so loud that 95 % of 10 ms stretches lie under TOP; all zero if there is no voice."""
    loud = loudness(speech)
    top = float(np.percentile(loud, 95)) if len(loud) else -120.0
    gain = 10 ** (min(LIFT, TOP - top) / 20) if top > NOTHING else 0.0
    return np.asarray(speech * gain, np.float32)


def loudness(speech: Floats) -> NDArray[np.float64]:
    """(N // 160,) RMS of every 10 ms in dBFS, −120 at least."""
    power = np.square(speech[: len(speech) // 160 * 160].astype(np.float64)).reshape(-1, 160).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-12))
