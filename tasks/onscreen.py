"""How far the faces of a shot speak with the voices that are heard in it: one Meeting for each face and each voice.

What is measured here is of one shot alone; what the whole episode makes of it is tasks/bind.py's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import active_speaker
from models.active_speaker import Senses
from models.face import form, lips
from models.lr_asd.watch import Watcher
from models.syncnet.senses import RATE, on_the_beat
from storage import artifacts
from storage.film.probe import Film
from storage.film.read import samples
from tasks.geometry import Geometry
from tasks.likeness import Likeness
from tasks.ranges import Range, length, meet, runs, widen

HZ: Final = 16_000  # of speech artifacts
SHORT: Final = 6  # frames: under which nothing is measured
BESIDE: Final = 12  # frames to either side of what is said that are looked at too: a mouth at rest is a measure
LONGEST: Final = 1500  # frames of a stretch that are looked at at once; a take of an hour is cut up


@dataclass(frozen=True, eq=False)
class Meeting:
    """One face of a shot, and one voice that is heard while it is seen."""

    face: int  # place in the shot
    voice: int  # the speaker's id
    common: list[Range]  # frames in which the face is seen while the voice speaks
    senses: Senses
    odds: float  # log-odds, by the shot alone, that the face says it


def meetings(
    film: Film, sound: str | None, faces: Sequence[Geometry], likenesses: Sequence[Likeness | None],
    speaking: Mapping[int, list[Range]], watcher: Watcher | None, drawn: Sequence[bool],
) -> list[Meeting]:  # fmt: skip
    """Every face of one shot with every voice it meets.

    drawn     which of the faces are stylised: a mesh of filmed faces may not fit these
    sound     sha of the speech artifact in which the voices are heard; None: lips are seen, and nothing is heard
    speaking  the frames in which each voice speaks
    """
    found = []
    for n, (face, likeness) in enumerate(zip(faces, likenesses, strict=True)):
        for voice, heard in speaking.items():
            if common := meet(runs(face.frames), heard):
                senses = Senses()
                if length(common) >= SHORT:
                    senses = measure(film, sound, face, likeness, common, watcher, drawn[n])
                found.append(Meeting(n, voice, common, senses, active_speaker.odds(senses)))
    return found


def measure(
    film: Film, sound: str | None, face: Geometry, likeness: Likeness | None, common: list[Range],
    watcher: Watcher | None, drawn: bool,
) -> Senses:  # fmt: skip
    """What each sense says of a face while a voice speaks."""
    here = inside(face.frames, common)
    loud = loudness(film, sound, face.frames[here])
    rests = np.zeros_like(loud)  # where only the mouth holds the picture still, eyes that shake look like its rest
    opens = lips.says(face.frames[here], face.opening[here], rests, loud, float(film.rate))
    if not face.points.shape[1]:
        return Senses(drawn=opens)
    moved = lips.says(face.frames[here], face.opening[here], face.motion[here], loud, float(film.rate))
    if sound is None:
        return Senses(moved, drawn=opens if drawn else None)
    mouths = form.measure(face.points, np.median(face.points, axis=0))
    sync: list[tuple[float, int]] = []
    talk: list[NDArray[np.float32]] = []
    for start, end in stretches(face, common):
        at = slice(*np.searchsorted(face.frames, (start, end)))
        speech = heard_in(film, sound, start, end)
        spoken = inside(face.frames[at], common)
        times = [film.time(n) for n in range(start, end)]
        beat = on_the_beat(mouths[at], times)
        in_time = active_speaker.in_time(beat, speech, on_beat(spoken, times, len(beat)))
        if in_time is not None:
            sync.append((in_time, int(spoken.sum())))
        if watcher is not None and likeness is not None and len(likeness.eye):
            talk.append(watcher.says(likeness.eye[at], speech, float(film.rate))[spoken])
    return Senses(moved, pooled(sync), float(np.concatenate(talk).mean()) if talk else None, opens if drawn else None)


def stretches(face: Geometry, common: list[Range]) -> list[Range]:
    """The frames one after another to be looked at: what is said and a little beside it, where the face is seen."""
    wide = meet(runs(face.frames), widen(common, BESIDE))
    return [(a, min(a + LONGEST, end)) for start, end in wide for a in range(start, end, LONGEST)]


def pooled(sync: Sequence[tuple[float, int]]) -> float | None:
    """One measure of several stretches: each grows with the root of its frames, and so does the whole."""
    if not sync:
        return None
    frames = sum(n for _, n in sync)
    return sum(each * n**0.5 for each, n in sync) / frames**0.5 if frames else None


def inside(frames: NDArray[np.int32], ranges: list[Range]) -> NDArray[np.bool_]:
    """(n,) which of these frames lie in the ranges."""
    return np.isin(frames, np.concatenate([np.arange(start, end) for start, end in ranges]))


def on_beat(spoken: NDArray[np.bool_], times: Sequence[Fraction], count: int) -> NDArray[np.bool_]:
    """(count,) the same at RATE frames a second from the first on."""
    known = np.array([float(time - times[0]) for time in times])
    return np.asarray(np.interp(np.arange(count) / float(RATE), known, spoken.astype(float)) > 0.5)


def heard_in(film: Film, sound: str, start: int, end: int) -> NDArray[np.float32]:
    """Samples of frames [start, end) of the speech artifact with this sha."""
    a, b = (floor((film.time(n) if n < film.frames else film.duration) * HZ) for n in (start, end))
    return np.asarray(samples(artifacts.path(sound, ".wav"), a, b)[:, 0], np.float32)


def loudness(film: Film, sound: str | None, frames: NDArray[np.int32]) -> NDArray[np.float32]:
    """(n,) dB under each of these frames of the speech artifact with this sha; all alike where there is none."""
    if sound is None:
        return np.zeros(len(frames), np.float32)
    run = range(int(frames[0]), int(frames[-1]) + 2)  # through the gaps, to the end of the last frame
    clock = [floor((film.time(n) if n < film.frames else film.duration) * HZ) for n in run]
    wave = samples(artifacts.path(sound, ".wav"), clock[0], clock[-1])[:, 0]
    loud = lips.loudness(wave, np.array(clock, np.int64) - clock[0])
    return np.asarray(loud[frames - frames[0]], np.float32)
