"""Who plays: photographed speakers of the GRID corpus, and puppets that speak with a GRID voice.

Promises: a mouth that speaks runs with its sound to the frame; one that listens shows frames of the same clip in which
nobody speaks, to and fro, and joins the speech without a jump; where face and mouth are is known before any product
code looks (found once a clip on a resting frame; of puppets, drawn there).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from math import floor
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from models.face import mesh
from models.face.detect import Detector
from models.face.mouth import of_mesh
from models.puppets import law
from models.puppets.draw import Puppet
from models.puppets.pose import DY, HAND, YAW, random_pose
from models.speech import vad

HZ: Final = 16_000
CLIP_RATE: Final = Fraction(25)  # of every GRID clip
SIZE: Final = (360, 288)  # of a GRID picture; larger ones are made smaller
PAUSE: Final = 0.3  # seconds: a shorter one is part of the turn
QUIET: Final = 5  # frames away from speech from which a mouth is taken to rest
LOUD: Final = -23.0  # dBFS of everybody's speech
RUMBLE: Final = butter(4, 80, "highpass", fs=HZ, output="sos")  # GRID's clips begin with some, louder than the speech
NOD: Final = 6.0  # pixels up and down
NOD_S: Final = 0.9  # seconds, there and back
AWAY: Final = 0.55  # of its width that a photographed head keeps when it has turned away
AWAY_YAW: Final = 0.7  # of a puppet that has turned away, in the units of pose.py
REST: Final = np.array([0, 0.5, 0, 0], np.float32)  # a puppet's mouth in silence

Picture = NDArray[np.uint8]
Wave = NDArray[np.float32]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """One who may be seen and heard. A narrator is a person who is never seen."""

    name: str
    voice: str  # the GRID speaker heard in the film; seen too, if nobody is drawn
    dubber: str  # the GRID speaker heard in the dub
    puppet: tuple[str, str, int] | None = None  # species, style and seed of one who is drawn


@dataclass(frozen=True, slots=True)
class Seat:
    """One face in one shot.

    does  speaks, listens, nods (listens or speaks), turns (away, while listening or speaking), still
    clip  what is seen: of a photographed person its pictures
    at    the film's frame at which the clip is heard from its start; None where it is only listened with
    """

    who: Person
    does: str
    clip: Path
    at: int | None
    zoom: float = 1.0
    aside: float = 0.0  # of the seat's width, by which the face is not in the middle


@dataclass(frozen=True, eq=False)
class Sight:
    """What a seat shows in one frame, and where in it."""

    picture: Picture
    box: NDArray[np.float32]  # (4,) x, y, width, height of the face
    mouth: NDArray[np.float32]  # (3,) x, y and half width at rest


Draw = Callable[[int], Sight]  # by the number of the film's frame


@dataclass(frozen=True, eq=False)
class Voice:
    """What is heard in a clip."""

    sound: Wave  # 16 kHz, its speech at LOUD
    spoken: list[Range]  # samples


@cache
def voice(clip: Path) -> Voice:
    with av.open(str(clip)) as file:
        hz = file.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in file.decode(audio=0)])
    wave = np.asarray(sosfiltfilt(RUMBLE, soxr.resample(sound, hz, HZ)), np.float32)
    spoken: list[Range] = []
    for start, end in vad.speech(wave):
        if spoken and start - spoken[-1][1] < PAUSE * HZ:
            spoken[-1] = (spoken[-1][0], end)
        else:
            spoken.append((start, end))
    heard = np.concatenate([wave[start:end] for start, end in spoken]) if spoken else wave
    gain = 10 ** (LOUD / 20) / max(1e-4, float(np.sqrt(np.mean(heard**2))))
    return Voice(np.clip(wave * gain, -1, 1).astype(np.float32), spoken)


@lru_cache(maxsize=8)
def pictures(clip: Path) -> Picture:
    """(n, 288, 360, 3) RGB."""
    with av.open(str(clip)) as file:
        shown = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    return np.stack([cv2.resize(one, SIZE, interpolation=cv2.INTER_AREA) for one in shown]).astype(np.uint8)


@cache
def warm(clip: Path) -> bool:
    """Whether GRID filmed it under the yellow light; the other clips of the same people are blue and pale."""
    with av.open(str(clip)) as file:
        wall = next(file.decode(video=0)).to_ndarray(format="rgb24")[:40, :40].mean(axis=(0, 1))
    return bool(wall[2] < 1.2 * wall[1])


@cache
def face(clip: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Box (4,) and mouth (3,) in the clip's first frame, where everybody still rests."""
    first = pictures(clip)[0]
    hit = Detector()(first)[0]
    points, _ = mesh.Mesh()(first, mesh.roi(hit))
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([low, high - low]), of_mesh(points[None])[0, :3]


def resting(clip: Path) -> list[Range]:
    """Frames before and after the speech, half open; the longer one can be listened with."""
    count, spoken = len(pictures(clip)), voice(clip).spoken
    if not spoken:
        return [(0, count), (0, count)]
    first = floor(spoken[0][0] * CLIP_RATE / HZ) - QUIET
    last = floor(spoken[-1][1] * CLIP_RATE / HZ) + QUIET
    return [(0, max(1, first)), (min(last, count - 1), count)]


def fro(steps: int, length: int) -> int:
    """0, 1, … length − 1, length − 2, … 1, 0, 1, …: no frame jumps to one that is not its neighbour."""
    if length == 1:
        return 0
    place = steps % (2 * length - 2)
    return place if place < length else 2 * length - 2 - place


def shown(seat: Seat, frame: int, rate: Fraction) -> int:
    """The clip's picture that is seen in this frame of the film."""
    before, after = resting(seat.clip)
    if seat.does == "still":
        return 0
    if seat.at is None:
        longer = max(before, after, key=lambda stretch: stretch[1] - stretch[0])
        return longer[0] + fro(floor(frame / rate * CLIP_RATE), longer[1] - longer[0])
    place = floor((frame + Fraction(1, 2) - seat.at) / rate * CLIP_RATE)
    if place < 0:
        return fro(-place, before[1])
    over = place - after[1] + 1
    return place if over <= 0 else after[1] - 1 - fro(over, after[1] - after[0])


def turned(frame: int, shot: Range) -> float:
    """How far somebody who turns away has turned, 0 … 1: from a third of the shot to its end."""
    share = (frame - shot[0]) / max(1, shot[1] - shot[0])
    return float(np.clip((share - 0.2) / 0.5, 0, 1))


def seen(seat: Seat, size: tuple[int, int], shot: Range, rate: Fraction) -> Draw:
    """The seat's pictures, `size` (width, height), through a shot."""
    return _drawn(seat, size, shot, rate) if seat.who.puppet else _photographed(seat, size, shot, rate)


def _photographed(seat: Seat, size: tuple[int, int], shot: Range, rate: Fraction) -> Draw:
    (width, height), (wide, high) = size, SIZE
    box, mouth = face(seat.clip)
    mirrored = sum(seat.who.name.encode()) % 2 == 0
    margin = 1.06 if seat.does == "nods" else 1.0
    scale = max(width / wide, height / high) * seat.zoom * margin
    middle = box[:2] + box[2:] / 2
    if mirrored:
        middle[0] = wide - middle[0]
    x = np.clip(width * (0.5 + seat.aside) - scale * middle[0], width - scale * wide, 0)
    y = np.clip(height * 0.45 - scale * middle[1], height - scale * high, 0)
    place = np.array([[-scale if mirrored else scale, 0, x + scale * wide if mirrored else x], [0, scale, y]])
    if seat.does == "nods":
        place[1, 2] = np.clip(place[1, 2], height - scale * high + NOD, -NOD)

    def draw(frame: int) -> Sight:
        here = place.copy()
        if seat.does == "nods":
            here[1, 2] += NOD * np.sin(2 * np.pi * float(frame / rate) / NOD_S)
        if seat.does == "turns":
            squeeze = 1 - (1 - AWAY) * turned(frame, shot)
            centre = here[0, 0] * (box[0] + box[2] / 2) + here[0, 2]
            here[0] = here[0] * squeeze + np.array([0, 0, centre * (1 - squeeze)])
        picture = pictures(seat.clip)[shown(seat, frame, rate)]
        view = cv2.warpAffine(picture, here, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        corners = here[:, :2] @ np.array([box[:2], box[:2] + box[2:]]).T + here[:, 2:]
        low, high = corners.min(axis=1), corners.max(axis=1)
        at = here[:, :2] @ mouth[:2] + here[:, 2]
        half = abs(here[0, 0]) * mouth[2]
        return Sight(
            np.asarray(view, np.uint8),
            np.concatenate([low, high - low]).astype(np.float32),
            np.array([*at, half], np.float32),
        )

    return draw


@cache
def puppet(species: str, style: str, seed: int) -> Puppet:
    return Puppet.random(np.random.default_rng(seed), species, style)


def _drawn(seat: Seat, size: tuple[int, int], shot: Range, rate: Fraction) -> Draw:
    """A puppet in a square as high as the seat; its edges are repeated to the sides, or cut off."""
    width, height = size
    who = puppet(*(seat.who.puppet or ("", "", 0)))
    frames = np.arange(*shot)
    seed = [*seat.who.name.encode(), shot[0]]
    poses = random_pose(np.random.default_rng(seed), len(frames), float(rate))
    poses[:, HAND] = 0
    if seat.does == "still":
        poses[:] = poses[0]
    if seat.does == "nods":
        poses[:, DY] += NOD / height * np.sin(2 * np.pi * frames / float(rate) / NOD_S)
    if seat.does == "turns":
        poses[:, YAW] += AWAY_YAW * np.array([turned(int(n), shot) for n in frames])
    wide = 1.15 * max(1.0, 1.1 * height / (width + 0.35 * height)) / seat.zoom
    view = np.tile(np.array([0.5, 0.5, wide, 0], np.float32), (len(frames), 1))
    mouths = np.tile(REST, (len(frames), 1))
    if seat.at is not None:
        sound = voice(seat.clip).sound
        seconds = np.asarray((frames + 0.5 - seat.at) / float(rate), np.float64)
        inside = (seconds >= 0) & (seconds < len(sound) / HZ)
        mouths[inside] = law.mouths(sound, seconds[inside])
    at = who.mouth_at(poses)
    left = (width - height) / 2 + seat.aside * max(0, width - height)

    def draw(frame: int) -> Sight:
        n = frame - shot[0]
        square = who.render(poses[n : n + 1], mouths[n : n + 1], height, view=view[n : n + 1])[0]
        move = np.array([[1, 0, left], [0, 1, 0]])
        picture = cv2.warpAffine(square, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x, y, half = (float(v) for v in at[n, :3])
        mouth = np.array(
            [((x - 0.5) / wide + 0.5) * height + left, ((y - 0.5) / wide + 0.5) * height, half / wide * height]
        )
        head = 0.36 * height / wide
        box = np.array([mouth[0] - head, mouth[1] - 1.5 * head, 2 * head, 2 * head])
        return Sight(np.asarray(picture, np.uint8), box.astype(np.float32), mouth.astype(np.float32))

    return draw


def speakers(*folders: Path) -> dict[str, list[Path]]:
    """The GRID clips by speaker, in the order of their names."""
    found: dict[str, list[Path]] = {}
    for clip in _clips(*folders):
        found.setdefault(clip.name.split("_")[1], []).append(clip)
    return found


def _clips(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob("grid_*.mp4"))
