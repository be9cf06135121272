"""The bench of whose face speaks gives full marks to who knows the truth, and sees what is wrong of who does not."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storage import artifacts
from storage.catalog import Character, Route, Shot, Side, Speaker, Track, Turn
from tests.bench.casting import numbered
from tests.bench.verdicts import Perceived, judged
from tests.scenes import Face, Said, Scenes, Truth

pytestmark = pytest.mark.usefixtures("house")

NAMES = ("ann", "bob")
LENGTH = 200


def truth() -> Truth:
    """Ann and Bob beside each other for 100 frames, she speaks in 20 … 60; then him alone while both speak."""
    places = np.zeros((100, 4), np.float32)
    mouths = {"ann": np.tile(np.array([100, 90, 10], np.float32), (100, 1)), "bob": np.tile([300, 90, 10], (100, 1))}
    said = [Said("ann", 800_000, 2_400_000), Said("bob", 5_000_000, 6_000_000), Said("ann", 6_400_000, 7_200_000)]
    faces = [
        Face(who, False, "", shot, 100 * shot, 100 * shot + 100, places, mouths[who])
        for who, shot in (("ann", 0), ("bob", 0), ("bob", 1))
    ]
    shots = [Scenes(("two_shot",), 0, 100), Scenes(("off_screen",), 100, 200)]
    return Truth(Fraction(25), LENGTH, shots, faces, said, said)


def seen_by(true: Truth, names: tuple[str | None, ...], shift: float = 0) -> Perceived:
    """Everybody found and heard, and each face of the truth bound to one of these names and drawn while that speaks."""
    speakers = numbered([Speaker(side, name, "vad") for name in NAMES for side in Side])
    turns = [
        Turn(speaker, one.start_us, one.end_us)
        for speaker in speakers
        for one in true.original
        if one.who == speaker.name
    ]
    characters = numbered(
        [Character(name, speakers[2 * n].id, speakers[2 * n + 1].id, 1.0) for n, name in enumerate(NAMES)]
    )
    shots = numbered([Shot(f"sh{n}", shot.start, shot.end) for n, shot in enumerate(true.shots)])
    tracks, routes = [], []
    for n, (face, name) in enumerate(zip(true.faces, names, strict=True)):
        frames = np.arange(face.start, face.end, dtype=np.int32)
        mouth = np.column_stack([face.mouth + np.array([shift, 0, 0]), np.zeros(len(frames))]).astype(np.float32)
        kept = artifacts.put_arrays("geometry", {"frames": frames, "mouth": mouth})
        track = Track(
            shot_id=shots[face.shot].id, name=f"f{n}", start=face.start, end=face.end, present=len(frames),
            geometry=kept.sha, height_px=100.0, yaw=0.0, sharpness=100.0, style="photoreal",
        )  # fmt: skip
        track.character_id = None if name is None else characters[NAMES.index(name)].id
        spoken = np.flatnonzero(true.spoken(name or "", true.original)[face.start : face.end]) + face.start
        runs = np.split(spoken, np.flatnonzero(np.diff(spoken) > 1) + 1)
        ranges = [[int(run[0]), int(run[-1]) + 1] for run in runs if len(run)]
        routes.append(Route(n + 1, "diff2lip" if name else "pass-through", "", {}, ranges))
        tracks.append(track)
    film: Any = Path("film")
    return Perceived(film, shots, numbered(tracks), turns, characters, routes, {})


def counts(names: tuple[str | None, ...], shift: float = 0) -> dict[str, int]:
    true = truth()
    score, lines = judged(true, seen_by(true, names, shift))
    assert len(lines) == len(true.faces)
    assert score.der == {side: (0.0, 0.0) for side in Side}
    assert score.dubbed == (2, 2) and score.cuts == (1, 0, 0)
    whats = ("right", "wrong", "none", "unseen", "off", "off bound", "needed", "passed", "spare", "wrongly")
    return {what: score.total(what) for what in whats}


def test_who_knows_the_truth_has_nothing_wrong() -> None:
    found = counts(("ann", "bob", "bob"))
    assert found["right"] == 65 and found["off"] == 20 and found["needed"] == 30 + 15
    assert not any(found[what] for what in ("wrong", "none", "unseen", "off bound", "passed", "wrongly"))


def test_two_faces_with_each_others_voice_are_wrong_and_drawn_wrongly() -> None:
    found = counts(("bob", "ann", "bob"))
    assert found["wrong"] == 40 and found["right"] == 25
    assert found["passed"] == 30 and found["wrongly"] == 40


def test_who_dares_nothing_is_never_wrong_and_misses_everything() -> None:
    found = counts((None, None, None))
    assert found["none"] == 65 and found["passed"] == found["needed"] and not found["wrongly"]


def test_speech_from_off_screen_given_to_a_face_is_seen() -> None:
    found = counts(("ann", "bob", "ann"))
    assert found["off bound"] == 20 and found["wrong"] == 25 and found["wrongly"] == 20


def test_what_is_no_face_counts_as_drawn_wrongly_and_the_face_as_unseen() -> None:
    found = counts(("ann", "bob", "bob"), shift=40)
    assert found["unseen"] + found["wrong"] == 65 and found["right"] == 0
    assert found["wrongly"] == 65
