"""Clips of speaking people → what training reads: crops, meshes, sound.

One npz a clip: `crops` (n, 144, 144, 3) uint8, `points` (n, 468, 2) in 0 … 1 of the crop, `squares` (n, 4) in film
pixels, `speech` at 16 kHz. The crops are wider than the network's by a margin for shifting, scaling and turning.
Repeatable: a clip that is there is not read again. 7 ms a frame on one core, so 350 GRID clips are three minutes.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio.mel import HZ
from models.corpus.clips import ROOM, SIZE
from models.face.crop import cut, frame_squares, into
from models.face.detect import Detector
from models.face.mesh import PRESENT, Mesh, follow, roi
from models.lipsync import CropSpec


def prepare(path: Path, folder: Path, spec: CropSpec, detector: Detector, mesh: Mesh) -> Path | None:
    """Reads one clip into `folder`; None if a frame shows no face, for a clip with a gap teaches wrong timing."""
    ready = folder / f"{path.stem}.npz"
    if ready.exists():
        return ready
    frames = pictures(path)
    points = track(frames, detector, mesh)
    if points is None:
        return None
    wide = replace(spec, size=SIZE, side=spec.side * float(ROOM))
    squares = frame_squares(np.arange(len(frames), dtype=np.int32), points, wide)
    crops = np.stack([cut(frame, square, SIZE) for frame, square in zip(frames, squares, strict=True)])
    part = ready.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, crops=crops, points=into(points, squares), squares=squares, speech=sound(path))
    return part.rename(ready)


def track(frames: list[NDArray[np.uint8]], detector: Detector, mesh: Mesh) -> NDArray[np.float32] | None:
    """(n, 468, 2) points of the one face of a clip in film pixels, or None if any frame is without."""
    found: list[NDArray[np.float32]] = []
    for frame in frames:
        points, presence = mesh(frame, follow(found[-1])) if found else (None, 0.0)
        if presence < PRESENT:
            hits = detector(frame)
            if not hits:
                return None
            points, presence = mesh(frame, roi(hits[0]))
        if points is None or presence < PRESENT:
            return None
        found.append(points)
    return np.stack(found)


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    """All frames, RGB."""
    import av  # training reads what was prepared, where there may be no PyAV

    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def sound(path: Path) -> NDArray[np.float32]:
    """(N,) mono samples at 16 kHz, −1 … 1."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=HZ)
    with av.open(str(path)) as container:
        heard = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    heard += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in heard]).astype(np.float32)
