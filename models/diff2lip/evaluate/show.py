"""Pictures for the eye: mouths of the film beside those drawn, and a film with sound of both.

Figures do not see a pale bar where teeth should be; look at these too.
"""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.audio.mel import HZ
from models.corpus.clips import parts, read, speaker_of
from models.diff2lip.evaluate.scene import Scene, delayed
from models.face import form
from models.face.crop import cut
from models.face.form import Floats
from models.face.mesh import Mesh
from models.lipsync import LipSync
from models.syncnet.senses import RATE

PEOPLE: Final = ("s26", "s31", "s33", "s30")  # unseen; one who was trained on stands below them
MOUTH: Final = (168, 120)  # pixels of one mouth of the sheet
MOMENTS: Final = 5
WIDER: Final = 2.1  # width of what is shown over the mouth's
LEVELS: Final = 4  # code values to a step of the sheet: it stays under 1.5 MB
TALL: Final = 288  # pixels of a picture of the film


def chosen(prepared: Path) -> list[Path]:
    """The first kept clip of each of PEOPLE that is there, and the first unseen clip of a seen speaker."""
    paths = {path.stem: path for path in sorted(prepared.glob("*.npz"))}
    part = parts(list(paths))
    unseen = [name for name in paths if part[name] == "unseen speakers"]
    seen = [name for name in paths if part[name] == "unseen clips"]
    found = [next((name for name in unseen if speaker_of(Path(name)) == who), None) for who in PEOPLE]
    return [paths[name] for name in (*found, *seen[:1]) if name]


def sheet(out: Path, clips: list[Path], media: Path, model: LipSync) -> None:
    """A PNG: for each clip three rows, the film, ours with its own voice, ours dubbed; from closed to wide open.

    The first two rows show the same moments, the third moments at which the dubbed mouth is as far open.
    """
    mesh, board = Mesh(), []
    for path in clips:
        scene = Scene(read(path), media, mesh)
        own, dubbed = (scene.drawn(model, voice) for voice in (scene.clip.speech, _voice(path, clips)))
        then = _moments(form.opening(scene.mouths))
        later = _moments(form.opening(scene.measured(scene.read(dubbed))))
        for label, film, which in (
            (f"{scene.clip.speaker}: film", scene.frames, then),
            ("own voice", own, then),
            ("dubbed", dubbed, later),
        ):
            board.append(np.hstack([_label(label), *(_mouth(film[n], scene.points[n]) for n in which)]))
    picture = np.vstack(board) // LEVELS * LEVELS
    cv2.imwrite(str(out), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def film(out: Path, clips: list[Path], media: Path, model: LipSync) -> None:
    """An MP4: each clip whole, source left, dubbed right, with the dub's sound."""
    mesh, pictures, sounds = Mesh(), [], []
    for path in clips:
        scene, voice = Scene(read(path), media, mesh), _voice(path, clips)
        dubbed = scene.drawn(model, voice)
        pictures += [np.hstack([_tall(a), _tall(b)]) for a, b in zip(scene.frames, dubbed, strict=True)]
        length = int(len(dubbed) * HZ / RATE)
        sounds.append(np.pad(voice, (0, max(0, length - len(voice))))[:length])
    write(out, pictures, np.concatenate(sounds))


def write(out: Path, pictures: list[NDArray[np.uint8]], sound: Floats) -> None:
    """An MP4 of RGB pictures of one even size, at RATE, with sound (N,) at HZ."""
    with av.open(str(out), "w") as container:
        picture = container.add_stream("libx264", rate=RATE, options={"crf": "14"})
        picture.height, picture.width = pictures[0].shape[:2]
        picture.pix_fmt = "yuv420p"
        track = container.add_stream("aac", rate=HZ, layout="mono")
        for one in pictures:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(one, format="rgb24")))
        container.mux(picture.encode())
        heard = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="flt", layout="mono")
        heard.sample_rate, heard.pts, heard.time_base = HZ, 0, Fraction(1, HZ)
        container.mux(track.encode(heard))
        container.mux(track.encode())


def _voice(path: Path, clips: list[Path]) -> Floats:
    """The next person's, late."""
    return delayed(read(clips[(clips.index(path) + 1) % len(clips)]).speech)


def _moments(opening: Floats) -> NDArray[np.int64]:
    """Frames from closed to wide open."""
    order = np.argsort(opening, kind="stable")
    places = np.round(np.linspace(0.05, 0.98, MOMENTS) * (len(order) - 1)).astype(int)
    return np.asarray(order[places])


def _mouth(frame: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    lips = points[list(form.OUTER)]
    (x, y), across = lips.mean(axis=0), float(np.ptp(lips[:, 0]))
    width, height = MOUTH
    whole = cut(frame, np.array([x, y, WIDER * across, 0], np.float32), width)
    top = (width - height) // 2
    return whole[top : top + height]


def _label(text: str) -> NDArray[np.uint8]:
    board = np.full((MOUTH[1], 110, 3), 255, np.uint8)
    cv2.putText(board, text, (6, MOUTH[1] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return board


def _tall(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = round(frame.shape[1] * TALL / frame.shape[0] / 2) * 2
    return np.asarray(cv2.resize(frame, (width, TALL), interpolation=cv2.INTER_CUBIC), np.uint8)
