"""Who of the faces in one shot says what is heard while they are seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, floor, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.face import lips
from storage import artifacts
from storage.film.probe import Film
from storage.film.read import samples
from tasks.geometry import Geometry
from tasks.ranges import Range, length, meet, runs

HZ: Final = 16_000  # of speech artifacts
OFF_SCREEN: Final = 0.2  # share of speech whose speaker is not seen; a guess, the rest is shared by those who are
SHORT: Final = 6  # frames: a voice heard for less is not asked about


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found out about one face."""

    voice: int | None  # the speaker's id
    confidence: float  # 0 … 1
    reason: str


@dataclass(frozen=True, slots=True)
class Guess:
    """One face and one voice."""

    face: int  # place in the shot
    voice: int
    common: list[Range]  # frames in which the face is seen while the voice speaks
    odds: float  # log-odds that they are one


def choose(faces: Sequence[Geometry], sounds: Sequence[NDArray[np.float32]], speaking: Mapping[int, list[Range]],
           rate: float) -> list[Choice]:  # fmt: skip
    """One choice a face: the voice it speaks with, or none.

    faces     of one shot
    sounds    (n,) dB under each of a face's frames
    speaking  the frames in which each voice speaks
    rate      frames a second

    The likeliest pair is taken first. A voice may have two faces only where they are never seen together, as when
    somebody turns away and back; a face has one voice.
    """
    guesses = [
        guess for n, face in enumerate(faces) for voice, heard in speaking.items()
        if (guess := judge(n, face, sounds[n], voice, heard, rate)) is not None
    ]  # fmt: skip
    guesses = [favour(guess, guesses) for guess in guesses]
    taken: list[Guess] = []
    for guess in sorted(guesses, key=lambda guess: -guess.odds):
        if guess.odds > 0 and guess.face not in {one.face for one in taken} and not rivals(guess, taken):
            taken.append(guess)
    bound = {guess.face: guess for guess in taken}
    return [
        sure_of(bound[n], rivals(bound[n], [one for one in guesses if one.face not in bound]))
        if n in bound
        else refuse([guess for guess in guesses if guess.face == n], taken)
        for n in range(len(faces))
    ]


def judge(
    n: int, face: Geometry, sound: NDArray[np.float32], voice: int, heard: list[Range], rate: float
) -> Guess | None:
    """None if the two hardly meet."""
    common = meet(runs(face.frames), heard)
    if length(common) < SHORT:
        return None
    here = np.isin(face.frames, np.concatenate([np.arange(start, end) for start, end in common]))
    # Where only the mouth holds the picture still, eyes that shake would count as a mouth that rests.
    motion = face.motion[here] if face.points.shape[1] else np.zeros(int(here.sum()), np.float32)
    odds = lips.says(face.frames[here], face.opening[here], motion, sound[here], rate)
    return Guess(n, voice, common, odds)


def favour(guess: Guess, guesses: Sequence[Guess]) -> Guess:
    """Films show who speaks: likelier the fewer others are seen while the voice speaks."""
    seen = 1 + len(rivals(guess, guesses))
    return replace(guess, odds=guess.odds + log((1 - OFF_SCREEN) / seen / OFF_SCREEN))


def rivals(guess: Guess, others: Sequence[Guess]) -> list[Guess]:
    """Other faces seen at the same time, for the same voice."""
    return [
        one for one in others
        if one.face != guess.face and one.voice == guess.voice and length(meet(one.common, guess.common)) >= SHORT
    ]  # fmt: skip


def sure_of(guess: Guess, against: Sequence[Guess]) -> Choice:
    """How much likelier this face is than nobody, or than the next likeliest that has no voice of its own."""
    margin = guess.odds - max([0.0, *(one.odds for one in against)])
    confidence = 1 / (1 + exp(-margin))
    seen = length(guess.common)
    return Choice(
        guess.voice, confidence, f"its lips move with the voice for {seen} frames (log-odds {guess.odds:+.1f})"
    )


def refuse(guesses: Sequence[Guess], taken: Sequence[Guess]) -> Choice:
    """Why a face has no voice."""
    if not guesses:
        return Choice(None, 0.0, "nobody speaks while this face is seen")
    best = max(guesses, key=lambda guess: guess.odds)
    if best.odds > 0:
        return Choice(None, 0.0, "another face speaks with the voice that is heard")
    if rivals(best, taken):
        return Choice(None, 0.0, f"another face speaks, and this one listens (log-odds {best.odds:+.1f})")
    return Choice(
        None, 0.0, f"its lips do not move with the voice that is heard (log-odds {best.odds:+.1f}): off screen"
    )


def loudness(film: Film, sound: str | None, frames: NDArray[np.int32]) -> NDArray[np.float32]:
    """(n,) dB under each of these frames of the speech artifact with this sha; all alike where there is none."""
    if sound is None:
        return np.zeros(len(frames), np.float32)
    run = range(int(frames[0]), int(frames[-1]) + 2)  # through the gaps, to the end of the last frame
    clock = [floor((film.time(n) if n < film.frames else film.duration) * HZ) for n in run]
    wave = samples(artifacts.path(sound, ".wav"), clock[0], clock[-1])[:, 0]
    loud = lips.loudness(wave, np.array(clock, np.int64) - clock[0])
    return np.asarray(loud[frames - frames[0]], np.float32)
