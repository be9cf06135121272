"""Does this face say what is heard? Three senses, fused into log-odds.

- lips: how fast they move, how much more the mouth changes than the face, open when it is loud (models/face/lips.py);
- sync: the mouth's points against the sound, window by window (models/syncnet, Dubline's own expert);
- talk: LR-ASD, where the user has given its weights (models/lr_asd);
- drawn: of a drawn mouth, which has no points, only how it opens.

Each may be lacking; most houses have no LR-ASD. The weights of every set of senses are a logistic regression on GRID
clips of people and lines that the expert was not taught on: talking, against listening and against talking of something
else (docs/MEASURED.md, "Who speaks"; `python -m tests.bench senses`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from math import log
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.syncnet.meter import Meter, alike
from models.syncnet.network import SPAN
from models.syncnet.senses import heard, seen

PIECE: Final = 250  # windows of 25 a second that are compared with each other at once
LEAST: Final = 20  # under which nothing is read
LATE: Final = (-1, 0, 1)  # frames of 25 a second by which a film's mouths may be late
DEAF: Final = 0.5  # share of persons whose sync is not to be believed: films are post-synchronised; a guess
SECOND: Final = 25  # windows for which sync counts once: it grows with the root of what was seen
CLIP: Final = 6.0  # log-odds at most: no face in one shot is surer than that

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Senses:
    """What each says of one face and one voice; None where it says nothing."""

    lips: float | None = None  # log-odds of its own
    sync: float | None = None  # mean similarity over its speech, times the root of its seconds
    talk: float | None = None  # mean logit of LR-ASD
    drawn: float | None = None  # log-odds of a drawn mouth's opening alone

    @property
    def there(self) -> tuple[str, ...]:
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is not None)


WEIGHTS: Final[Mapping[tuple[str, ...], tuple[float, ...]]] = {  # by the senses that are there; the last is the bias
    ("drawn",): (1.0, 0.0),
    ("lips",): (0.46, -0.76),
    ("sync",): (17.02, -3.52),
    ("talk",): (1.20, -1.07),
    ("lips", "sync"): (0.13, 15.54, -3.47),
    ("lips", "talk"): (0.27, 0.87, -1.26),
    ("sync", "talk"): (15.10, 0.39, -3.48),
    ("lips", "sync", "talk"): (0.08, 14.53, 0.32, -3.46),
}


def odds(senses: Senses) -> float:
    """Log-odds that the face says it; 0 where no sense says anything.

    Half of the time sync is not believed: many a voice was laid to its picture later, and lies loosely. A drawn
    face may have a mesh or none that means anything: both are believed by half.
    """
    if senses.drawn is not None and senses.there != ("drawn",):
        mesh = odds(replace(senses, drawn=None))
        return float(np.logaddexp(mesh, _weighed(Senses(drawn=senses.drawn))) - log(2))
    if senses.sync is None:
        return _weighed(senses)
    deaf = _weighed(replace(senses, sync=None))
    return float(np.logaddexp(_weighed(senses) + log(1 - DEAF), deaf + log(DEAF)))


def _weighed(senses: Senses) -> float:
    there = senses.there
    if not there:
        return 0.0
    weights = WEIGHTS[there]
    said = sum(w * getattr(senses, name) for w, name in zip(weights, there, strict=False)) + weights[-1]
    return float(np.clip(said, -CLIP, CLIP))


def in_time(mouths: Floats, speech: Floats, speaking: NDArray[np.bool_]) -> float | None:
    """How well mouths and sound belong together; about 0.4 for a second of who speaks, near 0 for others.

    mouths    (n, 43, 2) measured (models/face/form.py), 25 a second
    speech    samples at 16 kHz from the first of them on
    speaking  (n,) whether the voice in question is heard under each
    """
    inner = speaking[SPAN // 2 : len(speaking) - SPAN // 2]
    if len(mouths) < LEAST or not inner.any():
        return None
    ear, eye = _expert().ear, _expert().eye
    sounds = heard(speech, len(mouths))[SPAN // 2 : len(mouths) - SPAN // 2]
    with torch.no_grad():
        a, b = ear(torch.from_numpy(sounds)).numpy(), eye(torch.from_numpy(seen(mouths))).numpy()
    found = [
        _similar(a[start : start + PIECE], b[start : start + PIECE], inner[start : start + PIECE])
        for start in range(0, len(a), PIECE)
    ]
    count = sum(n for _, n in found)
    if not count:
        return None
    return float(sum(mean * n for mean, n in found) / count * np.sqrt(count / SECOND))


def _similar(sounds: Floats, mouths: Floats, speaking: NDArray[np.bool_]) -> tuple[float, int]:
    """The mean over the windows of speech at the best of LATE, and how many they are."""
    if len(sounds) < LEAST - SPAN or not speaking.any():
        return 0.0, 0
    similar = alike(sounds, mouths)
    rows = np.flatnonzero(speaking)
    means = []
    for late in LATE:
        here = rows[(rows + late >= 0) & (rows + late < len(mouths))]
        means.append(float(similar[here, here + late].mean()) if len(here) else 0.0)
    return max(means), len(rows)


@cache
def _expert() -> Meter:
    return Meter.open("expert")
