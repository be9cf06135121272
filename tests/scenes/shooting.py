"""Films a script: the pictures, both sounds, and the truth about them."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.scenes import people
from tests.scenes.people import HZ, Picture, Wave
from tests.scenes.script import Line, Plot, Script, write

SIZE: Final = (640, 360)
ROOM: Final = -62.0  # dBFS of the noise of the room
ENCODED: Final = {"preset": "superfast", "crf": "17"}
BT601: Final = {"color_primaries": "6", "color_trc": "6", "colorspace": "6", "color_range": "tv"}


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: microseconds, half open."""

    who: str
    start_us: int
    end_us: int


@dataclass(frozen=True, eq=False)
class Face:
    """One face through one shot: frames [start, end)."""

    who: str
    drawn: bool
    does: str
    shot: int  # place in Truth.shots
    start: int
    end: int
    box: NDArray[np.float32]  # (n, 4) x, y, width, height in pixels
    mouth: NDArray[np.float32]  # (n, 3) x, y and half width at rest


@dataclass(frozen=True, slots=True)
class Scenes:
    """One shot of the truth."""

    kinds: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Truth:
    """All that there is to find out about a film and its dub."""

    rate: Fraction
    frames: int
    shots: list[Scenes]
    faces: list[Face]  # shot by shot, from left to right
    original: list[Said]
    dub: list[Said]

    def spoken(self, who: str, said: Sequence[Said]) -> NDArray[np.bool_]:
        """(frames,) those on screen at some moment in which this one speaks."""
        mask = np.zeros(self.frames, bool)
        for one in said:
            if one.who == who:
                first = floor(one.start_us * self.rate / 1_000_000)
                mask[max(0, first) : ceil(one.end_us * self.rate / 1_000_000)] = True
        return mask


def make(folder: Path, name: str, media: Path, plot: Plot | None = None) -> tuple[Path, Path, Truth]:
    """(film, dub, what is true of them): NAME.mov and NAME.dub.wav in `folder`.

    name   one of PLOTS, or any with a plot of one's own
    media  the folder that holds the GRID clips in eval/ and train/
    """
    script = write(name, people.speakers(media / "eval", media / "train"), plot)
    folder.mkdir(parents=True, exist_ok=True)
    film, dub = folder / f"{name}.mov", folder / f"{name}.dub.wav"
    sound = mixed(script, [(line.clip, line.at) for line in script.lines], seed=1)
    dubbed = mixed(script, [(line.dub, line.dub_at) for line in script.lines], seed=2)
    soundfile.write(str(dub), dubbed, HZ, subtype="PCM_16")
    faces: list[Face] = []
    _encode(film, script, sound, faces)
    return film, dub, _truth(script, faces)


def stems(folder: Path, name: str, media: Path, plot: Plot | None = None) -> dict[str, Path]:
    """The dry dub of each person, as files in `folder`, by the person's name."""
    script = write(name, people.speakers(media / "eval", media / "train"), plot)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for who in dict.fromkeys(line.who.name for line in script.lines):
        own = [(line.dub, line.dub_at) for line in script.lines if line.who.name == who]
        files[who] = folder / f"{name}.{who}.wav"
        soundfile.write(str(files[who]), mixed(script, own), HZ, subtype="PCM_16")
    return files


def mixed(script: Script, heard: Sequence[tuple[Path, int]], seed: int | None = None) -> Wave:
    """Clips at frames, as long as the film; with a seed, in a room."""
    wave = np.zeros(ceil(script.frame * HZ / script.plot.rate), np.float32)
    if seed is not None:
        wave += np.random.default_rng(seed).normal(0, 10 ** (ROOM / 20), len(wave)).astype(np.float32)
    for clip, at in heard:
        start = _sample(script, at)
        sound = people.voice(clip).sound[: len(wave) - start]
        wave[start : start + len(sound)] += sound
    return np.clip(wave, -1, 1)


def _sample(script: Script, frame: int) -> int:
    return round(frame * HZ / script.plot.rate)


def _truth(script: Script, faces: list[Face]) -> Truth:
    def said(of: Callable[[Line], tuple[Path, int]]) -> list[Said]:
        turns = []
        for line in script.lines:
            clip, at = of(line)
            first = _sample(script, at)
            for start, end in people.voice(clip).spoken:
                us = [(first + edge) * 1_000_000 // HZ for edge in (start, end)]
                turns.append(Said(line.who.name, us[0], us[1]))
        return sorted(turns, key=lambda turn: turn.start_us)

    shots = [Scenes(shot.kinds, shot.start, shot.end) for shot in script.shots]
    original, dub = said(lambda line: (line.clip, line.at)), said(lambda line: (line.dub, line.dub_at))
    return Truth(script.plot.rate, script.frame, shots, faces, original, dub)


def _encode(film: Path, script: Script, sound: Wave, faces: list[Face]) -> None:
    with av.open(str(film), "w") as file:
        picture: Any = file.add_stream("libx264", rate=script.plot.rate, options={**ENCODED, **BT601})
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        picture.codec_context.time_base = 1 / script.plot.rate
        voice: Any = file.add_stream("pcm_s16le", rate=HZ, layout="mono")
        for number, rgb in enumerate(_pictures(script, faces)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, 1 / script.plot.rate
            file.mux(picture.encode(frame))
        file.mux(picture.encode())
        heard = av.AudioFrame.from_ndarray(np.rint(sound * 32767).astype(np.int16)[None], format="s16", layout="mono")
        heard.rate, heard.pts, heard.time_base = HZ, 0, Fraction(1, HZ)
        file.mux(voice.encode(heard))
        file.mux(voice.encode())


def _pictures(script: Script, faces: list[Face]) -> Iterator[Picture]:
    """Every frame of the film; the faces are added shot by shot."""
    rate, (width, height) = script.plot.rate, SIZE
    for number, shot in enumerate(script.shots):
        edges = [round(width * n / max(1, len(shot.seats))) for n in range(len(shot.seats) + 1)]
        sizes = [(right - left, height) for left, right in itertools.pairwise(edges)]
        draws = [
            people.seen(seat, size, (shot.start, shot.end), rate) for seat, size in zip(shot.seats, sizes, strict=True)
        ]
        rows: list[list[NDArray[np.float32]]] = [[] for _ in draws]
        for frame in range(shot.start, shot.end):
            sights = [draw(frame) for draw in draws]
            for row, sight, left in zip(rows, sights, edges, strict=False):
                away = np.array([left, 0], np.float32)
                row.append(
                    np.concatenate([sight.box[:2] + away, sight.box[2:], sight.mouth[:2] + away, sight.mouth[2:]])
                )
            shown = np.concatenate([sight.picture for sight in sights], axis=1) if sights else landscape(frame, rate)
            yield cv2.convertScaleAbs(shown, alpha=shot.gain)  # type: ignore[misc]
        for seat, row in zip(shot.seats, rows, strict=True):
            places = np.stack(row)
            who = seat.who
            faces.append(
                Face(
                    who.name,
                    who.puppet is not None,
                    seat.does,
                    number,
                    shot.start,
                    shot.end,
                    places[:, :4],
                    places[:, 4:],
                )
            )


def landscape(frame: int, rate: Fraction) -> Picture:
    """Ridges under a sky, the camera drifts: a picture without people."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x += 12 * float(frame / rate)
    picture = np.stack([70 + 90 * y / height, 90 + 60 * y / height, 130 + 10 * y / height], axis=-1)
    for depth in range(3):
        ridge = 170 + 60 * depth + 22 * np.sin(x / (90 - 20 * depth) + 2 * depth) + 9 * np.sin(x / 23 + depth)
        picture[y > ridge] = np.array([74, 84, 66]) * (1.0 - 0.22 * depth)
    picture += np.random.default_rng(4).normal(0, 3, (height, width, 1))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
