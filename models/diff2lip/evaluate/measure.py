"""How good drawn mouths are, on people and sentences no model was trained on: every figure, clip by clip.

Each clip is drawn five times over: with another's voice that comes 12 frames late (dubbed), with its own, with digital
silence and with the noise of its own room. Beside the models stand the film itself, the film undubbed against the dub,
the frame at rest pasted onto every frame, and the film through crop and paste alone. FOLDER keeps a line of JSON for
each clip and row, so what was measured is not measured again; another model of the same name wants another folder.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.corpus.clips import Part, parts, read, speaker_of
from models.diff2lip.evaluate.scene import Frames, Scene, View, delayed, light, room
from models.diff2lip.window import CROP
from models.face.form import Floats
from models.face.mesh import Mesh
from models.lipsync import CropSpec, LipSync
from models.metrics import flicker, lips, seam, sharpness
from models.syncnet.meter import Meter
from models.syncnet.senses import heard

SEAMS: Final = 5  # the seam is looked at in every fifth frame
FILM, UNDUBBED, PASTED, TRIP = "film", "undubbed", "reference pasted", "round trip"

Row = dict[str, Any]
Judge = Callable[[Floats, Floats], tuple[int, float]]  # speech (N,) 16 kHz, mouths (n, 43, 2) → frames late, margin


def evaluate(
    folder: Path,
    chosen: Mapping[Path, Part],
    media: Path,
    models: Mapping[str, LipSync],
    judge: Judge,
    *,
    silence: bool = True,
    share: tuple[int, int] = (0, 1),
) -> Iterator[tuple[int, int, str]]:
    """Measures what is missing and writes each row to FOLDER/figures.<share>.jsonl; yields (clip, of, what it was).

    chosen   prepared clips (models/corpus/prepare.py) and what each is for; media: folder of folders with their films
    models   name → model; each is a row of every clip
    silence  False leaves out the two silences: half the time
    share    (i, n): every n-th clip from the i-th on, so that n processes share the work
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = [row for row in rows(folder) if not silence or "leak" in row or row["row"] in (FILM, UNDUBBED, TRIP)]
    done = {(row["clip"], row["row"]) for row in whole}
    mesh = Mesh()
    for i, (path, part) in enumerate(chosen.items()):
        name = path.stem
        missing = [row for row in (FILM, UNDUBBED, PASTED, TRIP, *models) if (name, row) not in done]
        if i % share[1] != share[0] or not missing:
            continue
        scene, voice = Scene(read(path), media, mesh), delayed(read(another(list(chosen), path)).speech)
        for row in missing:
            about: Row = {"clip": name, "speaker": scene.clip.speaker, "part": part, "row": row}
            found = about | _row(scene, row, models, voice, judge, silence)
            with (folder / f"figures.{share[0]}.jsonl").open("a") as file:
                file.write(json.dumps(found) + "\n")
            yield i + 1, len(chosen), f"{name}, {row}"


def rows(folder: Path) -> list[Row]:
    """What has been measured; of a row measured twice the last."""
    found: dict[tuple[str, str], Row] = {}
    for path in sorted(folder.glob("figures.*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # cut off when the run was killed
            found[row["clip"], row["row"]] = row
    return list(found.values())


def choose(prepared: Path, per_speaker: int | None = None) -> dict[Path, Part]:
    """The clips of a folder that were kept from training; all of the corpus must be in it, or parts are others."""
    paths = {path.stem: path for path in prepared.glob("*.npz")}
    return {paths[name]: part for name, part in kept(parts(list(paths)), per_speaker).items()}


def kept(corpus: Mapping[str, Part], per_speaker: int | None = None) -> dict[str, Part]:
    """Those not trained on, by name; of each speaker the first so many."""
    count: dict[str, int] = {}
    found: dict[str, Part] = {}
    for name in sorted(name for name, part in corpus.items() if part != "train"):
        speaker = speaker_of(Path(name))
        count[speaker] = count.get(speaker, 0) + 1
        if count[speaker] <= (per_speaker or sys.maxsize):
            found[name] = corpus[name]
    return found


def another(chosen: list[Path], path: Path) -> Path:
    """The clip whose voice this one gets: half the list further on, and then the next of another speaker."""
    start = chosen.index(path) + len(chosen) // 2
    following = (chosen[(start + n) % len(chosen)] for n in range(len(chosen)))
    return next(one for one in following if speaker_of(one) != speaker_of(path))


def held_back() -> Judge:
    """The shipped judge, which was in no loss."""
    meter = Meter.open("judge")
    return lambda speech, mouths: meter.offset(heard(speech, len(mouths)), mouths)


def _row(
    scene: Scene, row: str, models: Mapping[str, LipSync], voice: Floats, judge: Judge, silence: bool
) -> dict[str, float]:
    speech = scene.clip.speech
    match row:
        case "film":
            return _in_time(judge, speech, scene.mouths) | {
                "white": sharpness.white(scene.frames, scene.true, scene.open)
            }
        case "undubbed":
            return _in_time(judge, voice, scene.mouths)
        case "round trip":
            return _picture(scene, scene.round_trip, scene.round_trip, scene.read(scene.round_trip))
        case "reference pasted":
            still = scene.pasted()
            points = scene.read(still)
            mouths = scene.measured(points)
            pasted = _in_time(judge, voice, mouths) | _movement(scene.mouths, mouths)
            return pasted | _picture(scene, still, still, points) | _still("digital", scene.mouths, mouths)
    model = models[row]
    dubbed, own = (scene.drawn(model, sound) for sound in (voice, speech))
    said, points = scene.read(dubbed), scene.read(own)
    found = _in_time(judge, voice, scene.measured(said)) | _movement(scene.mouths, scene.measured(points))
    found |= _picture(scene, dubbed, own, points, model.crop)
    if silence:
        for kind, sound in (("digital", np.zeros_like(speech)), ("room", room(speech))):
            found |= _still(kind, scene.mouths, scene.measured(scene.read(scene.drawn(model, sound))))
    return found


def _in_time(judge: Judge, speech: Floats, mouths: Floats) -> dict[str, float]:
    late, margin = judge(speech, mouths)
    return {"lag": late, "margin": margin}


def _movement(true: Floats, drawn: Floats) -> dict[str, float]:
    """With the clip's own voice."""
    return {
        "correlation": lips.correlation(true, drawn),
        "amplitude": lips.amplitude(true, drawn),
        "lmd": lips.distance(true, drawn),
        "shape": lips.shape_distance(true, drawn),
    }


def _still(kind: str, true: Floats, silent: Floats) -> dict[str, float]:
    leak = {"leak": lips.leak(true, silent)} if kind == "digital" else {}
    return leak | {f"height {kind}": lips.still_height(true, silent), f"gap {kind}": lips.still_gap(true, silent)}


def _picture(scene: Scene, dubbed: Frames, own: Frames, points: Floats, spec: CropSpec = CROP) -> dict[str, float]:
    """Sharpness and white with the clip's own voice, flicker and seam as dubbed; points: meshes of `own`."""
    view = scene.view(spec)
    film, opened = scene.frames, scene.open
    mine, plates, trips = (
        [sharpness.energy(one, scene.true, which) for which in (None, opened)] for one in (own, film, scene.round_trip)
    )
    outside = (view.shown < 0.5) & _squares(view)
    mouth = np.zeros_like(outside)
    for n, face in enumerate(scene.true):
        left, top, right, below = sharpness.lip_box(face, film[n].shape)
        mouth[n, top:below, left:right] = True
    some = range(0, len(film), SEAMS)
    plain, drawn = ([light(one[n]) for n in some] for one in (film, dubbed))
    return {
        "sharpness": mine[0] / plates[0],
        "sharpness open": mine[1] / plates[1],
        "to trip": mine[0] / trips[0],
        "to trip open": mine[1] / trips[1],
        "white": sharpness.white(own, points, opened),
        "ring": flicker.against(film, dubbed, outside),
        "rim": flicker.against(film, dubbed, outside & (view.shown > 0)),
        "inside": flicker.against(film, own, mouth),
        "inside dubbed": flicker.against(film, dubbed, mouth),
        "seam": seam.against(plain, drawn, [view.shown[n] for n in some]),
    }


def _squares(view: View) -> NDArray[np.bool_]:
    """(n, H, W) the crop's square on the film."""
    inside = np.zeros(view.shown.shape, np.bool_)
    for n, (x, y, width, height) in enumerate(view.boxes):
        inside[n, y : y + height, x : x + width] = True
    return inside
