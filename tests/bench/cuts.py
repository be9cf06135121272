"""What `tasks.split` finds on films whose cuts are known.

The cuts of the synthetic episode are measured from its making; those of Tears of Steel were marked by one person by
eye, and the thresholds of tasks/split.py were set on these two films.
"""

import time
from pathlib import Path
from typing import Final

from storage.film.probe import probe
from tasks.split import find_shots

CUTS: Final = {
    "synthetic_episode_grid.mp4": [
        75, 150, 225, 301, 376, 451, 526, 601, 677, 752, 827, 902, 977, 1053, 1128, 1203, 1278, 1353, 1429,
    ],
    "multishot_tos_battle_20be8df.mp4": [
        52, 122, 158, 221, 309, 715, 788, 872, 901, 987, 1127, 1157, 1203, 1234, 1246, 1284, 1345, 1378, 1430, 1472,
        1525, 1571, 1618, 1650, 1689,
    ],
}  # fmt: skip


def main(folder: Path) -> None:
    for name, cuts in CUTS.items():
        film = probe(folder / name)
        began = time.perf_counter()
        found = [shot.start for shot in find_shots(film)[1:]]
        seconds = time.perf_counter() - began
        right = set(found) & set(cuts)
        print(
            f"{name}: {len(cuts)} cuts, precision {len(right)}/{len(found)}, recall {len(right)}/{len(cuts)}, "
            f"false {sorted(set(found) - right)}, missed {sorted(set(cuts) - right)}, "
            f"{film.frames / seconds:.0f} frames/s"
        )
