"""What each sense of models/active_speaker.py knows, alone and with the others; prints, and asserts nothing.

Speakers of GRID are cut into stretches of 1 s, 1.6 s and 3 s: `speaks` with their own sound, `listens` (the frames
before their own words, to and fro) under another's words, `speaks otherwise`: their own lips under another's words. The
weights are fitted on speakers and lines that the sync expert was not taught on (s26, s30, unkF, unkG, every eighth clip
of the others), each speaker by the root of its stretches, `listens` four times as often as `speaks otherwise`, for in
films it is; those that ship are of another draw. The table is of people of the folder eval, whom nothing was fitted on:
the area under the curve of those who speak against either kind, and how many are on the wrong side of even odds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.active_speaker import Senses, in_time
from models.face import form, lips, pose
from models.face.closeup import mouth_motion
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.face.track import Follower
from models.lr_asd import watch
from models.speech import vad
from tests.pairs import HZ, clip

FRAME: Final = HZ // 25
LENGTHS: Final = (25, 40, 74)  # frames
TIMES: Final = 3  # stretches of each length and clip
LEAST: Final = 10  # frames of speech in a stretch
OFTEN: Final[Mapping[str, float]] = {"speaks": 1.0, "listens": 0.8, "speaks otherwise": 0.2}
UNTAUGHT: Final = ("s26", "s30", "unkF", "unkG")
NAMES: Final = ("lips", "sync", "talk")
LIMIT: Final = 8.0  # what one sense may say at most
SHRINK: Final = 0.1  # of weights that are not needed

Floats = NDArray[np.float32]
Fit = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Talker:
    """One clip."""

    who: str
    opening: Floats
    motion: Floats
    mouths: Floats
    eye: NDArray[np.float16]
    sound: Floats
    spoken: NDArray[np.bool_]  # by frame

    def measured(
        self, at: NDArray[np.int64], sound: Floats, spoken: NDArray[np.bool_], network: watch.Watcher
    ) -> Senses:
        """Frames `at` of the face, under another sound or its own."""
        loud = lips.loudness(sound, np.arange(len(at) + 1) * FRAME)
        here = np.flatnonzero(spoken)
        moved = lips.says(here.astype(np.int32), self.opening[at][here], self.motion[at][here], loud[here], 25.0)
        talks = float(network.says(self.eye[at], sound, 25.0)[spoken].mean())
        return Senses(moved, in_time(self.mouths[at], sound, spoken), talks)


@dataclass(frozen=True, eq=False)
class Case:
    """One stretch."""

    who: str
    what: str
    frames: int
    senses: Senses


def gathered(paths: Sequence[Path], network: watch.Watcher) -> list[Talker]:
    """Clips in which one face is seen all the time, and speech is heard."""
    detector, mesh, found = Detector(), Mesh(), []
    for path in paths:
        follower = Follower(detector, mesh)
        with av.open(str(path)) as file:
            for number, frame in enumerate(file.decode(video=0)):
                follower(number, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
        sound = clip(path)[1]
        faces, speech = follower.faces, vad.speech(sound)
        if not speech or not faces or len(faces[0].sights) < LENGTHS[-1]:
            continue
        sights = faces[0].sights[: LENGTHS[-1]]
        points = np.stack([sight.points for sight in sights])
        spoken = np.zeros(len(sights), bool)
        for start, end in speech:
            spoken[start // FRAME : -(-end // FRAME)] = True
        moved = [mouth_motion(a.close, b.close) for a, b in pairwise(sights)]
        found.append(Talker(
            path.name.split("_")[1], pose.opening(points), np.array([0.0, *moved], np.float32),
            form.measure(points, np.median(points, axis=0)), network.see(np.stack([s.close.small for s in sights])),
            np.pad(sound, (0, max(0, len(sights) * FRAME - len(sound))))[: len(sights) * FRAME], spoken,
        ))  # fmt: skip
    return found


def cases(talkers: Sequence[Talker], network: watch.Watcher, rng: np.random.Generator) -> list[Case]:
    found = []
    for one in talkers:
        others = [other for other in talkers if other.who != one.who]
        before = max(4, int(np.flatnonzero(one.spoken)[0]) - 3)
        rest = np.array([*range(before), *range(before - 2, 0, -1)])
        for frames in LENGTHS * TIMES:
            at = np.arange(frames) + int(rng.integers(0, LENGTHS[-1] - frames + 1))
            theirs = np.arange(frames) + int(rng.integers(0, LENGTHS[-1] - frames + 1))
            other = others[int(rng.integers(len(others)))]
            there_and_back = rest[(np.arange(frames) + int(rng.integers(len(rest)))) % len(rest)]
            for what, face, heard, under in (
                ("speaks", at, one, at), ("listens", there_and_back, other, theirs),
                ("speaks otherwise", at, other, theirs),
            ):  # fmt: skip
                if (spoken := heard.spoken[under]).sum() >= LEAST:
                    sound = heard.sound[under[0] * FRAME : (under[-1] + 1) * FRAME]
                    found.append(Case(one.who, what, frames, one.measured(face, sound, spoken, network)))
    return [case for case in found if case.senses.sync is not None]


def said(some: Sequence[Case], names: Sequence[str]) -> NDArray[np.float64]:
    """(n, senses and a one)"""
    return np.array([[*(np.clip(getattr(case.senses, name), -LIMIT, LIMIT) for name in names), 1.0] for case in some])


def fitted(some: Sequence[Case], names: Sequence[str]) -> Fit:
    """A logistic regression."""
    x, y = said(some, names), np.array([case.what == "speaks" for case in some])
    often = Counter(case.who for case in some)
    weight = np.array([OFTEN[case.what] / often[case.who] ** 0.5 for case in some])
    weight *= len(weight) / weight.sum()

    def loss(b: NDArray[np.float64]) -> float:
        return float((weight * (np.logaddexp(0, x @ b) - y * (x @ b))).sum() + SHRINK * np.square(b[:-1]).sum())

    return tuple(float(each) for each in minimize(loss, np.zeros(x.shape[1])).x)


def above(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The area under the curve."""
    return float((one[:, None] > other).mean() + (one[:, None] == other).mean() / 2)


def main(shared: Path) -> None:
    network = watch.find(shared / "weights")
    if network is None:
        raise SystemExit(f"LR-ASD's weights are not in {shared / 'weights'}: its column cannot be measured")
    train = sorted((shared / "media/train").glob("grid_*.mp4"))
    by_name: dict[str, list[Path]] = {}
    for path in train:
        by_name.setdefault(path.name.split("_")[1], []).append(path)
    kept = [path for who, paths in by_name.items() for path in (paths if who in UNTAUGHT else paths[::8][:8])]
    rng = np.random.default_rng(5)
    known = cases(gathered(kept, network), network, rng)
    new = cases(gathered(sorted((shared / "media/eval").glob("grid_*.mp4")), network), network, rng)
    print(f"fitted on {len(known)} stretches of {len({case.who for case in known})} speakers, asked of {len(new)} of "
          f"{len({case.who for case in new})} others\n")  # fmt: skip
    print(
        f"{'senses':18} {'weights, bias':28} | area under the curve: 3 s, and of 1 s | on the wrong side of even odds"
    )
    print(f"{'':47} | listens      speaks otherwise | speaks  listens  speaks otherwise")
    what, frames = np.array([case.what for case in new]), np.array([case.frames for case in new])
    for names in (names for count in (1, 2, 3) for names in combinations(NAMES, count)):
        weights = fitted(known, names)
        odds = said(new, names) @ weights

        def area(against: str, long: int, odds: NDArray[np.float64] = odds) -> float:
            here = frames == long
            return above(odds[here & (what == "speaks")], odds[here & (what == against)])

        areas = [f"{area(other, 74):.3f} {area(other, 25):.3f}" for other in ("listens", "speaks otherwise")]
        wrong = [
            f"{100 * ((odds[what == each] > 0) != (each == 'speaks')).mean():.1f} %" for each in OFTEN
        ]  # fmt: skip
        told = ", ".join(f"{each:.2f}" for each in weights)
        print(f"{' + '.join(names):18} {told:28} | {areas[0]}  {areas[1]:16} | {wrong[0]:7} {wrong[1]:8} {wrong[2]}")
