"""BlazeFace: boxes and six keypoints of every face in a picture.

Google's two small detectors (Bazarevsky et al., BlazeFace, arXiv 1907.05047) run in OpenCV, so nothing else is
installed. A film frame is wide and its faces are often small, so the picture is looked at three times, each time only
if the last look found nothing: whole, in squares of its own height, in squares of half its height.
Deliberately not here: identity, tracking, landmarks (mesh.py).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

WEIGHTS: Final = Path(__file__).parent / "weights"
SURE: Final = 0.5  # score under which MediaPipe, too, calls it no face
SAME: Final = 0.3  # overlap (intersection over union) above which two boxes are one face

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Hit:
    """One face. The keypoints are right eye, left eye, nose tip, mouth, right ear, left ear of the person."""

    box: Floats  # (4,) x, y, width, height in picture pixels
    keypoints: Floats  # (6, 2) picture pixels
    score: float  # 0 … 1


class Detector:
    """Finds faces. One instance holds two networks and is cheap to keep; it is not safe to share between threads."""

    def __init__(self) -> None:
        self.near = _Blaze("face_detection_short_range.tflite", side=128, strides=(8, 16))
        self.far = _Blaze("face_detection_back.tflite", side=256, strides=(16, 32))

    def __call__(self, rgb: Picture, *, small: bool = False) -> list[Hit]:
        """Faces of an (H, W, 3) RGB picture, best first; an empty list is a frame without a face.

        small   also looks for small faces where a big one was found: about ten times dearer, for once a shot
        """
        height, width = rgb.shape[:2]
        found = self.near(rgb, (0, 0, width, height)) or self.far(rgb, (0, 0, width, height))
        for side in (min(height, width), min(height, width) // 2):
            if found and not small:
                break
            if side >= 96:  # a smaller tile would be enlarged, and enlarging finds nothing new
                for tile in _tiles(width, height, side):
                    found += [hit for hit in self.near(rgb, tile) if _inside(hit, tile, width, height)]
        return merge(found)


def merge(hits: list[Hit]) -> list[Hit]:
    """One hit a face: boxes that overlap become their mean, weighted by score, as BlazeFace does against jitter."""
    left = sorted(hits, key=lambda hit: -hit.score)
    faces = []
    while left:
        same = [hit for hit in left if overlap(left[0].box, hit.box) > SAME] or left[:1]
        weights = np.array([hit.score for hit in same], np.float32)
        weights /= weights.sum()
        box = np.asarray(sum(w * hit.box for w, hit in zip(weights, same, strict=True)), np.float32)
        keypoints = np.asarray(sum(w * hit.keypoints for w, hit in zip(weights, same, strict=True)), np.float32)
        faces.append(Hit(box, keypoints, left[0].score))
        left = [hit for hit in left if not any(hit is one for one in same)]
    return faces


def overlap(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes (x, y, width, height), 0 … 1."""
    x, y = np.maximum(a[:2], b[:2])
    right, below = np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    common = max(0.0, float(right - x)) * max(0.0, float(below - y))
    return common / max(1e-9, float(a[2] * a[3] + b[2] * b[3]) - common)


class _Blaze:
    """One BlazeFace network: 896 anchors on two grids, two on each cell of the fine one, six on the coarse one."""

    def __init__(self, file: str, side: int, strides: tuple[int, int]) -> None:
        self.net = cv2.dnn.readNetFromTFLite(str(WEIGHTS / file))
        self.side = side
        self.anchors = np.concatenate([_anchors(side, strides[0], 2), _anchors(side, strides[1], 6)])  # (896, 2)

    def __call__(self, rgb: Picture, tile: tuple[int, int, int, int]) -> list[Hit]:
        x, y, width, height = tile
        scale = self.side / max(width, height)  # letterbox: the longer side fills the input
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(rgb[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
        dx, dy = (self.side - size[0]) // 2, (self.side - size[1]) // 2
        board = np.zeros((self.side, self.side, 3), np.float32)
        board[dy : dy + size[1], dx : dx + size[0]] = small / np.float32(127.5)
        self.net.setInput((board - 1).transpose(2, 0, 1)[None])
        outputs = {out.shape[-1]: out for out in self.net.forward(self.net.getUnconnectedOutLayersNames())}
        scores = 1 / (1 + np.exp(-np.clip(outputs[1][0, :, 0], -50, 50)))  # (896,)
        sure = np.flatnonzero(scores > SURE)
        raw = outputs[16][0, sure].reshape(-1, 8, 2) / self.side  # centre, size, six keypoints; (k, 8, 2)
        raw[:, [0, 2, 3, 4, 5, 6, 7]] += self.anchors[sure, None]
        raw *= self.side / scale
        offset = np.array([x - dx / scale, y - dy / scale], np.float32)
        hits = []
        for values, score in zip(raw, scores[sure], strict=True):
            box = np.concatenate([values[0] - values[1] / 2 + offset, values[1]])
            hits.append(Hit(box.astype(np.float32), (values[2:] + offset).astype(np.float32), float(score)))
        return merge(hits)


def _anchors(side: int, stride: int, each: int) -> Floats:
    """(cells · each, 2) centres x, y in 0 … 1, row by row."""
    centres = (np.arange(side // stride, dtype=np.float32) + 0.5) * stride / side
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0)


def _tiles(width: int, height: int, side: int) -> list[tuple[int, int, int, int]]:
    """Squares that cover the picture and overlap by a third at least, so no face is cut by every one of them."""
    columns = np.linspace(0, width - side, 1 + int(np.ceil((width - side) / (side * 2 / 3)))).astype(int)
    rows = np.linspace(0, height - side, 1 + int(np.ceil((height - side) / (side * 2 / 3)))).astype(int)
    return [(int(x), int(y), side, side) for y in rows for x in columns]


def _inside(hit: Hit, tile: tuple[int, int, int, int], width: int, height: int) -> bool:
    """False if an edge of the tile, which is not an edge of the picture, cuts the face: a neighbour sees it whole."""
    x, y, w, h = tile
    left, top = hit.box[:2]
    right, below = hit.box[:2] + hit.box[2:]
    fits_x = (left >= x or x == 0) and (right <= x + w or x + w == width)
    return bool(fits_x and (top >= y or y == 0) and (below <= y + h or y + h == height))
