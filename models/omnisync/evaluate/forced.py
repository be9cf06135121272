"""Diff2Lip forced onto a film nobody promised it a face in: what a detector and a mesh make of a drawn mouth.

Faces are found as the product finds them (models/face/track.py) and no route asks whether they are drawn. What it draws
is laid back as the product does it; frames without a face stay as they are.
"""

import numpy as np
import torch

from models import registry
from models.diff2lip.evaluate.scene import face_of, light
from models.face import form
from models.face.crop import covering, frame_squares, into
from models.face.detect import Detector
from models.face.form import Floats
from models.face.matte import matte
from models.face.mesh import Mesh
from models.face.paste import lay, over
from models.face.track import Followed, Follower
from models.lipsync import WIDE, LipSync, Sight
from models.omnisync.evaluate.shot import Dubbed, Force, Frames, Way, codes, runs, through, windowed
from models.syncnet.senses import RATE


def forced() -> Force:
    """Our Diff2Lip as the evaluation wants it: a film in, and out comes how it is dubbed, if a face is found."""
    model, detector, mesh = registry.renderer("diff2lip"), Detector(), Mesh()

    def on(film: Frames) -> Dubbed | None:
        found = faces(film, detector, mesh)
        return (lambda speech: force(model, found[0], film, speech)) if found else None

    return on


def faces(film: Frames, detector: Detector, mesh: Mesh) -> list[Followed]:
    """As the product follows them, the longest first."""
    follower = Follower(detector, mesh)
    for number, frame in enumerate(film):
        follower(number, frame)
    return sorted(follower.faces, key=lambda face: -len(face.sights))


def force(model: LipSync, face: Followed, film: Frames, speech: Floats) -> Frames:
    """The film with the mouth of that face dubbed by a model whose crop is built around the eyes."""
    frames = np.array([sight.frame for sight in face.sights], np.int32)
    points = np.stack([sight.points for sight in face.sights]).astype(np.float32)
    squares = frame_squares(frames, points, model.crop)
    crops = light(through(film[frames], squares, model.crop.size))
    meshes = into(points, squares)
    known = face_of(crops, meshes, form.measure(points, np.median(points, axis=0).astype(np.float32)))
    covers = matte(meshes, model.crop, known.points[WIDE].numpy())
    out, (height, width) = film.copy(), film.shape[1:3]
    for run in runs(frames):
        here = np.searchsorted(frames, run)
        sight = Sight(
            torch.from_numpy(crops[here]).permute(0, 3, 1, 2).contiguous(),
            torch.zeros(len(run), 4), torch.from_numpy(meshes[here]), known,
        )  # fmt: skip
        said = windowed(Way(model), sight, speech, [int(n) / RATE for n in run])
        for n, row, result in zip(run, here, said, strict=True):
            box = covering(squares[row], width, height)
            part = np.s_[n, box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
            plate = light(film[part])
            rgb, shown = lay(plate, crops[row], result, covers[row], meshes[row], squares[row], box, model.crop)
            out[part] = codes(over(plate, rgb, shown))
    return out
