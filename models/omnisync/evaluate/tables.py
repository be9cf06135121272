"""The rows of an evaluation as Markdown: the kinds that were learnt, those that were not, all of them, and photographs.

Shares stand beside their counts. Means are of clips; what a row cannot have is a dash.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from models.omnisync.evaluate.measure import CARTOON, TRUE, UNDUBBED, succeeded

Row = dict[str, Any]

LEGEND: Final = (
    "success: clips with correlation ≥ 0.6, lag within ±1 frame, outside ≥ 36 dB and leak ≤ 0.4; a clip in which no"
    " mouth (or, for diff2lip, no face) is found is none. found: clips in which one is.",
    "r: correlation of the opening, read before anything is laid back, with the law of the dub; mean / median."
    " ±1: clips whose best lag is within one frame. slope, leak: least squares of the reading on"
    " [law of the dub, law of the filmed voice, 1]; 1 and 0 are best.",
    "silence: mean opening drawn for digital silence / for the room's noise; in brackets the slope on the filmed one.",
    "outside: dB to the source's crop more than a mouth's radius from the mouth, where source and truth agree; mean,"
    " in brackets the worst clip. diff2lip's is of its laid film.",
    "teeth, tongue: where both mouths are open, as read / as the law wants; in brackets the correlation.",
    "sharp: gradient energy about the lips over that of the true drawing, all frames / the widest quarter."
    " pose: how far eyes and nose are from where they were, % of the head's height; mean, in brackets the worst.",
    f"{UNDUBBED}: the film as it is. {TRUE}: what the reader makes of perfect mouths."
    " untouched: clips whose laid film has the film's bits wherever the matte is 0.",
)
HEADS: Final = ("row", "clips", "found", "success", "r", "±1", "slope", "leak", "silence", "outside", "teeth", "tongue",
                "sharp", "pose", "untouched")  # fmt: skip
PHOTOGRAPHED: Final = (
    "reads: correlation of the opening that the mesh reads from the drawn-over film with that of the photographed one."
    " r, ±1, leak: of the opening the mesh reads from the result, against the mouth that was filmed saying the dub;"
    " law r: against the puppets' law of the dub. outside: as above, of the laid film's crops.",
)
CARTOON_HEADS: Final = ("row", "look", "clips", "found", "reads", "r", "law r", "±1", "leak", "outside")


def markdown(rows: Sequence[Row]) -> list[str]:
    """All tables; nothing measured, no tables."""
    drawn = [row for row in rows if row["kind"] != CARTOON]
    filmed = [row for row in rows if row["kind"] == CARTOON]
    out: list[str] = [*LEGEND, ""] if drawn else []
    kinds = sorted({row["kind"] for row in drawn})
    if drawn:
        out += ["### All clips", "", *table(drawn), ""]
    for kind in kinds if len(kinds) > 1 else []:
        out += [f"### {kind[0].upper()}{kind[1:]}", "", *table([row for row in drawn if row["kind"] == kind]), ""]
    if filmed:
        out += ["### Photographed, drawn over", "", *PHOTOGRAPHED, "", *photographed(filmed), ""]
    return out


def table(rows: Sequence[Row]) -> list[str]:
    """One line for each kind of row, in the order they were measured."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for name in dict.fromkeys(row["row"] for row in rows):
        mine = [row for row in rows if row["row"] == name]
        lines.append(f"| {name} | {' | '.join(_cells(mine))} |")
    return lines


def photographed(rows: Sequence[Row]) -> list[str]:
    """A line for each row and look, and one over all looks."""
    lines = [f"| {' | '.join(CARTOON_HEADS)} |", "|---" * len(CARTOON_HEADS) + "|"]
    for name in dict.fromkeys(row["row"] for row in rows):
        mine = [row for row in rows if row["row"] == name]
        for look in ("all", *sorted({row["style"] for row in mine})):
            some = [row for row in mine if look in ("all", row["style"])]
            mean = _mean(some)
            cells = [
                str(len(some)), _share(some, lambda row: row["found"]), _plain(mean("reads"), 2),
                _plain(mean("correlation"), 2), _plain(mean("law"), 2), _share(some, lambda row: abs(row["lag"]) <= 1),
                _plain(mean("leak"), 2), _plain(mean("outside"), 1),
            ]  # fmt: skip
            lines.append(f"| {name} | {look} | {' | '.join(cells)} |")
    return lines


def _cells(rows: list[Row]) -> list[str]:
    mean, worst = _mean(rows), _over(rows, min)
    silence = [f"{_plain(mean(f'open {kind}'), 3)} ({_plain(mean(f'leak {kind}'), 2)})" for kind in ("digital", "room")]
    return [
        str(len(rows)),
        _share(rows, lambda row: row["found"]),
        _share(rows, succeeded),
        f"{_plain(mean('correlation'), 2)} / {_plain(_over(rows, np.median)('correlation'), 2)}",
        _share(rows, lambda row: abs(row["lag"]) <= 1),
        _plain(mean("slope"), 2),
        _plain(mean("leak"), 2),
        " / ".join(silence) if not np.isnan(mean("open digital")) else "–",
        f"{_plain(mean('outside'), 1)} ({_plain(worst('outside'), 1)})",
        *(
            f"{_plain(mean(part), 2)} / {_plain(mean(f'{part} wanted'), 2)} ({_plain(mean(f'{part} correlation'), 2)})"
            for part in ("teeth", "tongue")
        ),
        f"{_plain(mean('sharpness'), 2)} / {_plain(mean('sharpness open'), 2)}",
        f"{_plain(mean('keypoints'), 2)} ({_plain(_over(rows, max)('keypoints'), 2)})",
        _share([row for row in rows if "untouched" in row], lambda row: row["untouched"]),
    ]


def _over(rows: list[Row], how: Callable[[list[float]], Any]) -> Callable[[str], float]:
    """A figure of many clips; those that do not have it are left out."""

    def of(key: str) -> float:
        found = [float(row[key]) for row in rows if key in row and not np.isnan(row[key])]
        return float(how(found)) if found else float("nan")

    return of


def _mean(rows: list[Row]) -> Callable[[str], float]:
    return _over(rows, np.mean)


def _share(rows: list[Row], right: Callable[[Row], bool]) -> str:
    hits = sum(bool(right(row)) for row in rows)
    return f"{hits}/{len(rows)} ({100 * hits / len(rows):.0f} %)" if rows else "–"


def _plain(value: float, digits: int) -> str:
    return "–" if np.isnan(value) else f"{value:.{digits}f}"
