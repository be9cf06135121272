"""What the product made of a film whose truth is known, laid beside that truth: every face of every frame.

What is counted is said in binding.py.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from storage import artifacts
from storage.catalog import HELD, PASS_THROUGH, Character, Route, Shot, Side, Track, Turn
from storage.film.probe import Film
from tests.scenes import Face, Said, Truth
from tests.scenes.script import AGAIN

EDGE: Final = 5  # frames at the edges of turns that are not scored
NEAR: Final = 1.5  # half widths of the mouth within which a found mouth is a face's

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Perceived:
    """What the product made of a film."""

    film: Film
    shots: list[Shot]
    tracks: list[Track]
    turns: list[Turn]
    characters: list[Character]
    routes: list[Route]
    seconds: dict[str, float]  # of CPU, by step


@dataclass(frozen=True, eq=False)
class Score:
    """What it is worth."""

    frames: Counter[tuple[str, str]]  # by kind of shot and what was counted
    styles: Counter[str]
    der: dict[Side, tuple[float, float]]
    cuts: tuple[int, int, int]  # found, missed, false
    dubbed: tuple[int, int]  # persons with the dub that was made for them, of those heard in both
    voices: dict[Side, tuple[int, int]]  # persons heard, and voices told apart
    known: tuple[int, int, int, int]  # persons seen, persons told apart, tracks taken for another person, tracks

    def total(self, what: str, kind: str | None = None) -> int:
        """Of one kind of shot, or of all; a shot of later scenes has two kinds and counts once."""
        return sum(n for (k, w), n in self.frames.items() if w == what and (k == kind if kind else k != AGAIN))


def judged(truth: Truth, found: Perceived) -> tuple[Score, list[str]]:
    """The score, and a line for each face of each shot."""
    places = [artifacts.arrays(track.geometry) for track in found.tracks]
    whose = [faces_under(truth, place["frames"], place["mouth"]) for place in places]
    drawn = [drawn_in(route, truth.frames) for route in found.routes]
    person = {each.id: person_of(each, found.turns, truth) for each in found.characters}
    bound = [
        person[track.character_id] if track.character_id and route.model not in (HELD, PASS_THROUGH) else None
        for track, route in zip(found.tracks, found.routes, strict=True)
    ]
    count = spoken(truth, Seen(places, whose), bound) + redrawn(truth, Seen(places, whose), drawn)
    styles: Counter[str] = Counter()
    said = []
    for t, track in enumerate(found.tracks):
        best, share = mostly(whose[t])
        shown = truth.faces[best] if best >= 0 else None
        if shown is not None:
            right = (track.style == "stylised") == shown.drawn
            styles["uncertain" if track.style == "uncertain" else "right" if right else "wrong"] += 1
        said.append(line(truth, track, shown, share, found.routes[t], person, found.characters))
    cuts = {shot.start for shot in found.shots[1:]}, {shot.start for shot in truth.shots[1:]}
    score = Score(
        count, styles, {side: error(truth, found.turns, side) for side in Side},
        (len(cuts[0] & cuts[1]), len(cuts[1] - cuts[0]), len(cuts[0] - cuts[1])), dubbed(truth, found),
        {side: voices(truth, found.turns, side) for side in Side}, known_again(truth, found.tracks, whose),
    )  # fmt: skip
    return score, said


class Seen:
    """Which tracks are where: by face and frame, and by frame with the face each shows, −1 for none."""

    def __init__(self, places: Sequence[dict[str, Any]], whose: Sequence[NDArray[np.int64]]) -> None:
        self.on_face: dict[tuple[int, int], list[int]] = {}
        self.in_frame: dict[int, list[tuple[int, int]]] = {}
        for t, (place, faces) in enumerate(zip(places, whose, strict=True)):
            for frame, face in zip(place["frames"].tolist(), faces.tolist(), strict=True):
                self.in_frame.setdefault(frame, []).append((t, face))
                if face >= 0:
                    self.on_face.setdefault((face, frame), []).append(t)


class Tally(Counter[tuple[str, str]]):
    """Counts by the kinds of shot that a frame lies in."""

    def __init__(self, truth: Truth) -> None:
        super().__init__()
        self.kinds = [shot.kinds for shot in truth.shots for _ in range(shot.start, shot.end)]

    def add(self, frame: int, what: str, times: int = 1) -> None:
        for kind in self.kinds[frame]:
            self[kind, what] += times


def spoken(truth: Truth, seen: Seen, bound: Sequence[str | None]) -> Counter[tuple[str, str]]:
    """Speech of the film, on screen and off: whose face was given it.

    bound  the person whose voice each track has, if it is drawn with one
    """
    count = Tally(truth)
    for who in {one.who for one in truth.original}:
        speaks = truth.spoken(who, truth.original)
        on_screen = np.zeros(truth.frames, bool)
        for f, face in enumerate(truth.faces):
            if face.who != who:
                continue
            on_screen[face.start : face.end] = True
            for frame in (face.start + np.flatnonzero(speaks[face.start : face.end])).tolist():
                here = seen.on_face.get((f, frame), [])
                names = {bound[t] for t in here} - {None}
                others = any(bound[t] == who for t, other in seen.in_frame.get(frame, []) if other != f)
                wrong = others or bool(names - {who})
                count.add(frame, "wrong" if wrong else "right" if names else "none" if here else "unseen")
        for frame in np.flatnonzero(speaks & ~on_screen).tolist():
            count.add(frame, "off")
            count.add(frame, "off bound", any(bound[t] == who for t, _ in seen.in_frame.get(frame, [])))
    return count


def redrawn(truth: Truth, seen: Seen, drawn: Sequence[Mask]) -> Counter[tuple[str, str]]:
    """Faces that had to be drawn and were not, and those that had to be left alone and were drawn."""
    count = Tally(truth)
    for f, face in enumerate(truth.faces):
        speaks = truth.spoken(face.who, truth.original) | truth.spoken(face.who, truth.dub)
        needed, spare = binary_erosion(speaks, iterations=EDGE), ~binary_dilation(speaks, iterations=EDGE)
        for frame in range(face.start, face.end):
            is_drawn = any(drawn[t][frame] for t in seen.on_face.get((f, frame), []))
            if needed[frame]:
                count.add(frame, "needed")
                count.add(frame, "passed", not is_drawn)
            elif spare[frame]:
                count.add(frame, "spare")
                count.add(frame, "wrongly", is_drawn)
    for frame, tracks in seen.in_frame.items():
        nobody = sum(bool(drawn[t][frame]) for t, face in tracks if face < 0)
        count.add(frame, "spare", nobody)
        count.add(frame, "wrongly", nobody)
    return count


def faces_under(truth: Truth, frames: NDArray[np.int32], mouths: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) place of the face whose mouth lies nearest in each frame; −1 where none is near."""
    out, nearest = np.full(len(frames), -1), np.full(len(frames), np.inf)
    for f, face in enumerate(truth.faces):
        here = np.flatnonzero((frames >= face.start) & (frames < face.end))
        if len(here):
            true = face.mouth[frames[here] - face.start]
            away = np.linalg.norm(true[:, :2] - mouths[here, :2], axis=1) / np.maximum(true[:, 2], 1)
            near = here[(away < NEAR) & (away < nearest[here])]
            out[near], nearest[near] = f, away[(away < NEAR) & (away < nearest[here])]
    return out


def drawn_in(decision: Route, frames: int) -> Mask:
    mask = np.zeros(frames, bool)
    if decision.model not in (HELD, PASS_THROUGH):
        for start, end in decision.ranges:
            mask[start:end] = True
    return mask


def mostly(faces: NDArray[np.int64]) -> tuple[int, float]:
    """The face that a track mostly shows, and the share of its frames."""
    most, frames = Counter(faces.tolist()).most_common(1)[0]
    return int(most), frames / len(faces)


def person_of(each: Character, turns: Sequence[Turn], truth: Truth) -> str | None:
    """Who a character is: the one its original voice mostly is, else its dub voice."""
    if each.original_id is not None:
        return voice_of(each.original_id, turns, truth.original)
    return voice_of(each.dub_id, turns, truth.dub)


def voice_of(speaker: int | None, turns: Sequence[Turn], said: Sequence[Said]) -> str | None:
    """Who speaks most of the time in which this voice is heard."""
    time: Counter[str] = Counter()
    for turn in (turn for turn in turns if turn.speaker.id == speaker):
        for one in said:
            time[one.who] += max(0, min(one.end_us, turn.end_us) - max(one.start_us, turn.start_us))
    return time.most_common(1)[0][0] if time.total() else None


def dubbed(truth: Truth, found: Perceived) -> tuple[int, int]:
    """Persons one of whose characters has the dub voice that mostly is theirs, of all who are heard on both sides."""
    both = {one.who for one in truth.original} & {one.who for one in truth.dub}
    right = {
        voice_of(each.original_id, found.turns, truth.original)
        for each in found.characters
        if each.original_id is not None and each.dub_id is not None
        and voice_of(each.original_id, found.turns, truth.original) == voice_of(each.dub_id, found.turns, truth.dub)
    }  # fmt: skip
    return len(right & both), len(both)


def voices(truth: Truth, turns: Sequence[Turn], side: Side) -> tuple[int, int]:
    """How many persons are heard, and how many voices were told apart."""
    said = truth.original if side == Side.ORIGINAL else truth.dub
    heard = {turn.speaker.id for turn in turns if turn.speaker.side == side}
    return len({one.who for one in said}), len(heard)


def known_again(truth: Truth, tracks: Sequence[Track], whose: Sequence[NDArray[np.int64]]) -> tuple[int, int, int, int]:
    """Persons seen, persons told apart, tracks taken for a person whom most other such tracks do not show, tracks."""
    shown: dict[int, Counter[str]] = {}
    for track, faces in zip(tracks, whose, strict=True):
        best, _ = mostly(faces)
        if best >= 0 and track.face is not None:
            shown.setdefault(track.face, Counter())[truth.faces[best].who] += 1
    seen = {truth.faces[mostly(faces)[0]].who for faces in whose if mostly(faces)[0] >= 0}
    others = sum(names.total() - max(names.values()) for names in shown.values())
    return len(seen), len(shown), others, sum(names.total() for names in shown.values())


def error(truth: Truth, turns: Sequence[Turn], side: Side) -> tuple[float, float]:
    """DER in per cent with a collar of 0.25 s in all, and of 0.25 s on each side."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    said, heard = Annotation(uri="film"), Annotation(uri="film")
    for n, one in enumerate(truth.original if side == Side.ORIGINAL else truth.dub):
        said[Segment(one.start_us / 1e6, one.end_us / 1e6), n] = one.who
    for n, turn in enumerate(turn for turn in turns if turn.speaker.side == side):
        heard[Segment(turn.start_us / 1e6, turn.end_us / 1e6), n] = turn.speaker.name
    whole = Timeline([Segment(0, float(truth.frames / truth.rate))])
    small, large = (100 * float(DiarizationErrorRate(collar=c)(said, heard, uem=whole)) for c in (0.25, 0.5))
    return small, large


def line(
    truth: Truth, track: Track, who: Face | None, share: float, decision: Route, person: dict[int, str | None],
    characters: Sequence[Character],
) -> str:  # fmt: skip
    """What was decided about a face, and what is true."""
    shot = next(n for n, shot in enumerate(truth.shots) if shot.end > track.start)
    speaking = {
        one.who for one in truth.original
        if one.start_us * truth.rate < track.end * 10**6 and one.end_us * truth.rate > track.start * 10**6
    }  # fmt: skip
    name = next((each.name for each in characters if each.id == track.character_id), None)
    got = f"{name} = {person[track.character_id]}" if track.character_id else "nobody"
    true = f"{who.who} {who.does} ({share:.0%})" if who else f"no face ({share:.0%})"
    return (
        f"{shot:3} {truth.shots[shot].kinds[0]:16} [{track.start}, {track.end}) {track.name} {track.style:10} {true:24}"
        f" heard: {', '.join(sorted(speaking)) or '-':18} → {got} {track.confidence:.2f}, {decision.model}: "
        f"{decision.reason}"
    )
