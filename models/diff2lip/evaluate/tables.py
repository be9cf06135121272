"""The rows of an evaluation as markdown: each part of the corpus over all its clips, then every speaker by name.

Shares stand beside their counts. Means are of clips, so a speaker with one clip counts as one clip; a figure that a row
cannot have (a film has no seam) is a dash.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

Row = dict[str, Any]

LEGEND: Final = (
    "±1: clips whose mouth is within one frame of the voice it is given (film: its own; all else: the dub).",
    "margin: of the judge's curve at that lag; in brackets its share of the film's own margin.",
    "opening r, amplitude, LMD, shape: drawn from the clip's own voice; LMD in % of the eye distance, shape without the"
    " place, in brackets against `reference pasted`.",
    "leak: slope of the silent mouth's opening on the filmed one, in brackets the worst clip's. silent: outer lip"
    " height over that of the face's own closed mouth, for digital silence and for the noise of the clip's own room; in"
    " brackets the inner gap above it, in eye distances.",
    "sharp: gradient energy in the lips' box over the film's, all frames / open mouths; trip: over that of the film"
    " sent through the same crop and paste. white: 90th percentile of min(R,G,B) between open lips, 0 … 255.",
    "ring, rim: restlessness over the film's outside half the matte, and where the matte is above 0 and below half;"
    " inside: in the lips' box, own voice / dubbed. seam: ΔE across the matte's rim over the film's own.",
)
HEADS: Final = ("row", "clips", "±1", "margin", "opening r", "amplitude", "LMD", "shape", "leak", "silent, digital",
                "silent, room", "sharp", "trip", "white", "ring", "rim", "inside", "seam")  # fmt: skip


def markdown(rows: Sequence[Row]) -> list[str]:
    """All tables; nothing measured, no tables."""
    out: list[str] = [*LEGEND, ""] if rows else []
    for part in sorted({row["part"] for row in rows}, reverse=True):
        here = [row for row in rows if row["part"] == part]
        out += [f"### {part[0].upper()}{part[1:]}", "", *table(here), ""]
        for speaker in sorted({row["speaker"] for row in here}):
            out += [f"**{speaker}**, {part}", "", *table([row for row in here if row["speaker"] == speaker]), ""]
    return out


def table(rows: Sequence[Row]) -> list[str]:
    """One line for each kind of row, in the order they were measured."""
    kinds = list(dict.fromkeys(row["row"] for row in rows))
    of = {kind: [row for row in rows if row["row"] == kind] for kind in kinds}
    film, pasted = of.get("film", []), of.get("reference pasted", [])
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for kind in kinds:
        lines.append(f"| {' | '.join(_cells(kind, of[kind], film, pasted))} |")
    return lines


def _cells(kind: str, rows: list[Row], film: list[Row], pasted: list[Row]) -> list[str]:
    mean = _mean(rows)
    hits = sum(abs(row["lag"]) <= 1 for row in rows if "lag" in row)
    timed = [row for row in rows if "lag" in row]
    return [
        kind,
        str(len(rows)),
        f"{hits}/{len(timed)} ({100 * hits / len(timed):.0f} %)" if timed else "–",
        _beside(mean("margin"), _mean(film)("margin"), lambda now, own: f"{now:.3f} ({now / own:.2f})"),
        _plain(mean("correlation"), 2),
        _plain(mean("amplitude"), 2),
        _beside(mean("lmd"), _mean(pasted)("lmd"), _less),
        _beside(mean("shape"), _mean(pasted)("shape"), _less),
        _beside(mean("leak"), _worst(rows, "leak"), lambda usual, worst: f"{usual:+.3f} ({worst:+.2f})"),
        *(
            _beside(mean(f"height {kind}"), mean(f"gap {kind}"), lambda height, gap: f"{height:.2f} ({gap:+.3f})")
            for kind in ("digital", "room")
        ),
        _beside(mean("sharpness"), mean("sharpness open"), lambda all_, open_: f"{all_:.2f} / {open_:.2f}"),
        _beside(mean("to trip"), mean("to trip open"), lambda all_, open_: f"{all_:.2f} / {open_:.2f}"),
        _plain(mean("white"), 0),
        _plain(mean("ring"), 3),
        _plain(mean("rim"), 3),
        _beside(mean("inside"), mean("inside dubbed"), lambda own, dubbed: f"{own:.2f} / {dubbed:.2f}"),
        _plain(mean("seam"), 2),
    ]


def _mean(rows: list[Row]) -> Callable[[str], float]:
    def mean(key: str) -> float:
        found = [row[key] for row in rows if key in row and not np.isnan(row[key])]
        return float(np.mean(found)) if found else float("nan")

    return mean


def _worst(rows: list[Row], key: str) -> float:
    return max((float(row[key]) for row in rows if key in row), key=abs, default=float("nan"))


def _plain(value: float, digits: int) -> str:
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def _less(now: float, pasted: float) -> str:
    return f"{now:.2f} ({100 * (now / pasted - 1):+.0f} %)"


def _beside(value: float, other: float, both: Callable[[float, float], str]) -> str:
    return _plain(value, 3) if np.isnan(other) else "–" if np.isnan(value) else both(value, other)
