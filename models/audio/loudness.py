"""How loud a voice is, and a voice brought to one loudness, so that a soft dub opens a mouth as far as a loud one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TOP: Final = -20.0  # dBFS (RMS of 10 ms) above which a levelled voice is for 5 % of its time; GRID's own loudness
LIFT: Final = 20.0  # dB at most, so that a shot in which nobody speaks is not made to speak
NOTHING: Final = -70.0  # dBFS under which it is no voice
RISES: Final = (
    14.0  # dB by which a voice stands over its own pauses (GRID: 25 at least in 2.3 s, its rooms 7, rarely 13)
)
LOUD: Final = -35.0  # dBFS above which it is a voice even if it stands over nothing, as when it is cut into silence


def level(speech: Floats) -> Floats:
    """(N,) samples at 16 kHz, so loud that 95 % of 10 ms stretches lie under TOP; all zero if there is no voice."""
    if not voiced(speech):
        return np.zeros_like(speech, np.float32)
    gain = 10 ** (min(LIFT, TOP - float(np.percentile(loudness(speech), 95))) / 20)
    return np.asarray(speech * gain, np.float32)


def voiced(speech: Floats) -> bool:
    """Whether anyone may speak here: a room, however quiet or loud its hum, is steady, a voice is not.

    Judged on 50 ms of emphasised sound, in which rumble counts for little; digital silence is no pause of a voice.
    """
    if len(speech) < 160 or float(np.percentile(loudness(speech), 95)) <= NOTHING:
        return False
    power = 10 ** (loudness(np.append(speech[:1], speech[1:] - 0.97 * speech[:-1])) / 10)
    heard = power[power > 1e-11]
    if not len(heard):
        return False
    smooth = 10 * np.log10(np.convolve(heard, np.full(5, 0.2), "valid" if len(heard) >= 5 else "same"))
    low, top = np.percentile(smooth, (10, 95))
    return bool(top > LOUD or top - low > RISES)


def loudness(speech: Floats) -> NDArray[np.float64]:
    """(N // 160,) RMS of every 10 ms in dBFS, −120 at least."""
    power = np.square(speech[: len(speech) // 160 * 160].astype(np.float64)).reshape(-1, 160).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-12))
