"""How good drawn mouths of drawn characters are, on characters and voices no model was trained on: clip by clip.

Read by analysis by synthesis (models/puppets/read.py). Beside the models stand the film undubbed, the film as it would
be had it been drawn to the dub (what the reader makes of perfect mouths), and Diff2Lip forced onto the same clips; the
same rows on photographed clips that were made to look drawn. FOLDER keeps a line of JSON for each clip and row, so what
was measured is not measured again; another model of the same name wants another name.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.corpus.clips import read
from models.diff2lip.evaluate.measure import another, rows
from models.diff2lip.evaluate.scene import room
from models.face.mesh import Mesh
from models.lipsync import CropSpec
from models.omnisync.evaluate.drawn_over import DrawnOver, style_of
from models.omnisync.evaluate.figures import EVERY, alike, decibels, figures, lag, share_of, shares
from models.omnisync.evaluate.scene import Part, Scene, middles
from models.omnisync.evaluate.shot import Dubbed, Force, Look, View, Way, through
from models.puppets import law
from models.puppets.read import OPEN

UNDUBBED, TRUE, FORCED = "undubbed", "drawn to the dub", "diff2lip"
CARTOON: Final = "photographed"
SILENT: Final = 24  # frames of a clip that are shown silence
RADIUS: Final = 1.6  # half widths of a photographed mouth from its middle: what lies beyond is outside

Row = dict[str, Any]

__all__ = ["rows"]


@dataclass(frozen=True, eq=False)
class Meter:
    """What every clip is measured with."""

    ways: Mapping[str, Way]  # name → model and how it is asked; each is a row of every clip
    spec: CropSpec  # the crop all are measured through, around the mouth
    look: Look  # finds the mouth of a film
    force: Force | None  # Diff2Lip; None leaves its row out
    silence: bool = True  # False leaves out the two silences: a third of the time


def evaluate(
    folder: Path, cast: Sequence[Part], voices: Mapping[str, Path], meter: Meter, share: tuple[int, int] = (0, 1)
) -> Iterator[tuple[int, int, str]]:
    """Measures what is missing and writes each row to FOLDER/figures.<share>.jsonl; yields (clip, of, what it was).

    voices   the prepared clips the cast is heard in, by name
    share    (i, n): every n-th clip from the i-th on, so that n processes share the work
    """
    for i, part in enumerate(cast):
        about: Row = {"clip": part.name, "kind": part.kind, "species": part.species, "style": part.style}
        if i % share[1] != share[0] or not (missing := _missing(folder, part.name, meter, TRUE)):
            continue
        scene = Scene(part, read(voices[part.own]).speech, read(voices[part.dub]).speech, meter.look)
        view, forced = scene.view(meter.spec, scene.places), meter.force(scene.film) if meter.force else None
        for row in missing:
            _keep(folder, share, about | {"row": row} | _drawn(scene, view, row, meter, forced))
            yield i + 1, len(cast), f"{part.name}, {row}"


def evaluate_filmed(
    folder: Path, clips: Mapping[str, Path], media: Path, meter: Meter, share: tuple[int, int] = (0, 1)
) -> Iterator[tuple[int, int, str]]:
    """The same on photographed clips that were made to look drawn.

    clips    prepared clips of people nobody trained on; media: a folder of folders with their films
    raises   FileNotFoundError if a film is not there
    """
    mesh = Mesh()
    for i, (name, path) in enumerate(clips.items()):
        style = style_of(i)
        about: Row = {"clip": f"{name} {style}", "kind": CARTOON, "species": "photographed", "style": style}
        if i % share[1] != share[0] or not (missing := _missing(folder, about["clip"], meter)):
            continue
        clip, other = read(path), read(another(list(clips.values()), path))
        scene = DrawnOver(clip, other, media, style, meter.look, mesh)
        view, forced = scene.view(meter.spec, scene.places), meter.force(scene.film) if meter.force else None
        for row in missing:
            _keep(folder, share, about | {"row": row} | _photographed(scene, view, row, meter, forced))
            yield i + 1, len(clips), f"{about['clip']}, {row}"


def succeeded(row: Row) -> bool:
    """The mouth follows the dub, in time, little of the old one is left, and the rest of the picture is kept."""
    return bool(
        row["found"] and row["correlation"] >= 0.6 and abs(row["lag"]) <= 1 and row["outside"] >= 36
        and row["leak"] <= 0.4
    )  # fmt: skip


def _missing(folder: Path, clip: str, meter: Meter, *true: str) -> list[str]:
    """Rows of a clip that were not measured; `true`: TRUE where it can be drawn."""
    wanted = [UNDUBBED, *true, *([FORCED] if meter.force else []), *meter.ways]
    done = {row["row"] for row in rows(folder) if row["clip"] == clip and (row["silent"] or not meter.silence)}
    return [row for row in wanted if row not in done]


def _keep(folder: Path, share: tuple[int, int], row: Row) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"figures.{share[0]}.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def _drawn(scene: Scene, view: View, row: str, meter: Meter, forced: Dubbed | None) -> Row:
    """One row of a drawn clip."""
    if row == UNDUBBED:
        return {"found": True, "silent": True} | figures(scene, view, view.crops)
    if row == TRUE:
        truth = through(scene.truth, view.squares, view.spec.size)
        return {"found": True, "silent": True} | figures(scene, view, truth)
    draw = _drawer(scene, view, row, meter, forced)
    if draw is None:
        return {"found": False, "silent": True} | figures(scene, view, view.crops)
    dubbed = draw(scene.dub)
    found: Row = {"found": True, "silent": meter.silence} | figures(scene, view, dubbed)
    if row != FORCED:
        film, shown = scene.laid(view, dubbed)
        found["untouched"] = bool((film == scene.film)[shown == 0].all())
    if meter.silence and row != FORCED:
        for kind, sound in (("digital", np.zeros_like(scene.dub)), ("room", room(scene.own))):
            quiet = scene.drawn(meter.ways[row], sound, view, SILENT)[:SILENT]
            reading = scene.read(quiet, view, EVERY)
            silent, said = (mouths[reading.shown, OPEN] for mouths in (reading.mouths, scene.said[:SILENT:EVERY]))
            if len(silent):  # else a hand is before the mouth
                found |= {f"open {kind}": float(silent.mean()), f"leak {kind}": share_of(silent, said)}
    return found


def _photographed(scene: DrawnOver, view: View, row: str, meter: Meter, forced: Dubbed | None) -> Row:
    """One row of a photographed clip, read from the laid film, for the mesh wants a whole face."""
    if row == UNDUBBED:
        film, found = scene.film, True
    elif row == FORCED:
        film, found = (forced(scene.dub), True) if forced else (scene.film, False)
    else:
        film, found = scene.laid(view, scene.drawn(meter.ways[row], scene.dub, view))[0], scene.seen is not None
    here, before = scene.heard, scene.opening(scene.film)
    says, said, wanted = scene.opening(film)[here], before[here], scene.wanted[here]
    slope, leak = shares(says, wanted, said)
    crops = through(film, view.squares, view.spec.size)
    size = view.spec.size
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    away = np.stack([np.hypot(x - m[0], y - m[1]) > RADIUS * m[2] for m in view.mouths])
    return {
        "found": found,
        "silent": True,
        "reads": alike(before, scene.said),
        "correlation": alike(says, wanted),
        "law": alike(says, law.mouths(scene.dub, middles(len(film)))[here, OPEN]),
        "lag": lag(says, scene.wanted, np.arange(len(film))[here]),
        "slope": slope,
        "leak": leak,
        "outside": decibels(crops, view.crops, away),
    }


def _drawer(scene: Scene, view: View, row: str, meter: Meter, forced: Dubbed | None) -> Dubbed | None:
    """Sound → crops that say it, or None where there is nothing to draw on."""
    if row != FORCED:
        return None if scene.seen is None else lambda speech: scene.drawn(meter.ways[row], speech, view)
    if forced is None:
        return None
    return lambda speech: through(forced(speech), view.squares, view.spec.size)
