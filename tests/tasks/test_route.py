"""Routes: a rule at a time, and the frames to the frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storage import artifacts
from storage.catalog import HELD, PASS_THROUGH, Character, Route, Side, Speaker, Track, Turn
from storage.catalog.overrule import Overrule
from storage.film.probe import Film, probe
from tasks.ranges import meet, runs, under, union, widen
from tasks.route import decide, judge, route, to_render
from tasks.rules import OURS, Table, read
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film

HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Clock:
    """As much of a film as ranges ask for."""

    rate: Fraction
    frames: int

    @property
    def duration(self) -> Fraction:
        return self.frames / self.rate

    def time(self, frame: int) -> Fraction:
        return frame / self.rate


def film_at(rate: Fraction, frames: int = 1000) -> Film:
    return Clock(rate, frames)  # type: ignore[return-value]


def track(**other: Any) -> Track:
    """A good face: large, sharp, frontal, and surely bound."""
    row = Track(
        shot_id=1, name="f1", start=0, end=75, present=75, geometry="",
        height_px=138.2, yaw=4.6, sharpness=210.0, style="photoreal", confidence=0.97,
    )  # fmt: skip
    for name, value in {"id": 1, **other}.items():
        setattr(row, name, value)
    return row


def seen(mouth_px: float = 21.0, mesh: bool = True, **_: Any) -> dict[str, Any]:
    """What the geometry of such a face says."""
    return {"mouth_px": mouth_px, "mesh": mesh}


def turn(start_us: int, end_us: int, speaker_id: int = 1, side: Side = Side.ORIGINAL) -> Turn:
    speaker = Speaker(side=side, name="A", heard_by="diarization")
    speaker.id = speaker_id
    return Turn(speaker=speaker, start_us=start_us, end_us=end_us)


HERO = Character(name="Anna", original_id=1, dub_id=2, overlap=0.9)
TABLE = read(OURS)


def decided(
    measures: dict[str, Any], character: Character | None = HERO, frames: tuple[int, int] = (3, 9),
    model: str | None = None, table: Table = TABLE, lacking: Mapping[str, str] | None = None,
) -> Route:  # fmt: skip
    """The route of a good face that differs from one in these measures, and speaks in these frames."""
    ranges = [frames] if frames[1] > frames[0] else []
    return decide(track(**measures), seen(**measures), character, ranges, model, "off screen", table, lacking or {})


@pytest.mark.parametrize(
    ("measures", "character", "frames", "model", "reason"),
    [
        pytest.param({}, HERO, 48, "diff2lip", "Anna speaks in 48 frames; face 138 px high, turned 5°", id="drawn"),
        pytest.param({}, None, 0, PASS_THROUGH, "off screen", id="no-voice"),
        pytest.param({}, HERO, 0, PASS_THROUGH, "Anna says nothing while this face is seen", id="says-nothing"),
        pytest.param(
            {"height_px": 41.3}, HERO, 48, PASS_THROUGH, "face 41 px high: under 48, passed through", id="small"
        ),
        pytest.param({"height_px": 48.0}, HERO, 48, "diff2lip", "face 48 px", id="just-large-enough"),
        pytest.param(
            {"style": "stylised"},
            HERO,
            48,
            "omnisync",
            "Anna speaks in 48 frames; drawn face: omnisync draws without landmarks",
            id="drawn-face",
        ),
        pytest.param({"style": "stylised", "mesh": False, "yaw": 0.0}, HERO, 48, "omnisync", "drawn", id="no-mesh"),
        pytest.param({"mesh": False}, HERO, 48, "omnisync", "no landmarks on this face", id="filmed-without-mesh"),
        pytest.param(
            {"style": "stylised", "yaw": 80.0, "sharpness": 2.0, "height_px": 44.0},
            HERO,
            48,
            "omnisync",
            "drawn face",
            id="drawn-and-odd",
        ),
        pytest.param(
            {"style": "stylised", "mouth_px": 3.2},
            HERO,
            48,
            PASS_THROUGH,
            "mouth 3.2 px to a side: under 4, passed through",
            id="drawn-and-tiny",
        ),
        pytest.param(
            {"style": "stylised", "confidence": 0.4},
            HERO,
            48,
            HELD,
            "not sure that this is Anna's face, 0.40",
            id="drawn-and-unsure",
        ),
        pytest.param({"style": "uncertain"}, HERO, 48, "diff2lip", "Anna speaks", id="perhaps-drawn"),
        pytest.param({"yaw": 72.0}, HERO, 48, PASS_THROUGH, "turned 72° from the camera: over 60", id="profile"),
        pytest.param({"sharpness": 4.0}, HERO, 48, PASS_THROUGH, "sharpness 4: under 10", id="blurred"),
        pytest.param(
            {"confidence": 0.55},
            HERO,
            48,
            HELD,
            "not sure that this is Anna's face, 0.55: under 0.6, held",
            id="unsure",
        ),
        pytest.param({"confidence": 0.55}, None, 0, PASS_THROUGH, "off screen", id="unsure-and-silent"),
        pytest.param({"confidence": 0.6}, HERO, 48, "diff2lip", "Anna speaks in 48 frames", id="just-sure-enough"),
    ],
)
def test_the_first_rule_that_fits_decides(
    measures: dict[str, Any], character: Character | None, frames: int, model: str, reason: str
) -> None:
    found = decided(measures, character, (0, frames))
    assert found.model == model and reason in found.reason
    assert found.ranges == ([] if model in (PASS_THROUGH, HELD) else [[0, frames]])
    assert found.numbers["frames"] == frames and found.decided_by == "dubline"


def test_an_operators_model_overrules_limits_but_draws_nobody_who_is_silent() -> None:
    small = decided({"height_px": 41.3}, model="diff2lip")
    assert (small.model, small.ranges, small.decided_by) == ("diff2lip", [[3, 9]], "--model")
    assert small.reason == "diff2lip was asked for, although: face 41 px high: under 48"
    filmed = decided({}, model="omnisync")
    assert (filmed.model, filmed.reason) == ("omnisync", "Anna speaks in 6 frames; omnisync was asked for")
    stylised = decided({"style": "stylised"}, model="diff2lip")
    assert (stylised.model, "although: drawn face" in stylised.reason) == ("diff2lip", True)
    unsure = decided({"confidence": 0.4}, model="diff2lip")
    assert (unsure.model, "although: not sure that this is Anna's face" in unsure.reason) == ("diff2lip", True)
    assert decided({}, None, (0, 0), model="omnisync").model == PASS_THROUGH


def test_a_face_without_landmarks_never_goes_to_a_model_that_needs_them() -> None:
    """Not even by an operator's word: the shot would turn red."""
    found = decided({"style": "stylised", "mesh": False}, model="diff2lip")
    assert (found.model, found.ranges) == (PASS_THROUGH, [])
    assert found.reason == "diff2lip was asked for, but it needs landmarks and this face has none"


ANNA_SENT = Overrule("anna", "the chin smears", "omnisync", 8)


@pytest.mark.parametrize(
    ("measures", "character", "said", "model", "by", "reason"),
    [
        pytest.param(
            {}, HERO, ANNA_SENT, "omnisync", "anna",
            "Anna speaks in 6 frames; anna sent this shot to omnisync: the chin smears", id="sent",
        ),
        pytest.param(
            {"mouth_px": 3.2}, HERO, ANNA_SENT, "omnisync", "anna",
            "anna sent this shot to omnisync: the chin smears, although: mouth 3.2 px to a side: under 4",
            id="sent-although-a-rule-says-no",
        ),
        pytest.param(
            {"mesh": False}, HERO, Overrule("bert", "", "diff2lip"), PASS_THROUGH, "dubline",
            "bert sent this shot to diff2lip, but it needs landmarks and this face has none", id="sent-who-cannot",
        ),
        pytest.param({}, None, ANNA_SENT, PASS_THROUGH, "dubline", "off screen", id="nobody-speaks"),
        pytest.param({}, HERO, Overrule("anna", "ask", HELD), HELD, "anna", "anna holds this shot: ask", id="held"),
        pytest.param({}, None, Overrule("anna", "", HELD), HELD, "anna", "anna holds this shot", id="held-silent"),
        pytest.param(
            {}, HERO, Overrule("bert", "dark", PASS_THROUGH), PASS_THROUGH, "bert", "bert skipped this shot: dark",
            id="skipped",
        ),
        pytest.param(
            {}, HERO, Overrule("bert", "", seed=8), "diff2lip", "--model",
            "Anna speaks in 6 frames; face 138 px high, turned 5°", id="only-a-seed",
        ),
    ],
)  # fmt: skip
def test_a_persons_word_makes_another_route_of_what_was_measured(
    measures: dict[str, Any], character: Character | None, said: Overrule, model: str, by: str, reason: str
) -> None:
    ruled = decided(measures, character, (3, 9) if character else (0, 0), "diff2lip")
    found = judge(ruled.track_id, ruled.numbers, character, "diff2lip", TABLE, said)
    assert (found.model, found.decided_by, found.reason) == (model, by, reason)
    drawn = model not in (HELD, PASS_THROUGH)
    assert (found.ranges, found.seed) == (([[3, 9]], said.seed) if drawn else ([], None))
    back = judge(found.track_id, found.numbers, character, "diff2lip", TABLE)
    assert (back.model, back.reason, back.ranges) == (ruled.model, ruled.reason, ruled.ranges)


def test_what_an_older_dubline_has_not_measured_fits_no_rule_and_is_no_error() -> None:
    kept = decided({"pitch": -40.0}).numbers
    old = {name: value for name, value in kept.items() if name not in ("pitch", "face", "lacking")}
    assert judge(1, old, HERO, None, TABLE).model == "diff2lip"
    table = with_limit(when={"pitch": {"under": -30}}, say="{character}, person {face}, looks down by {pitch:.0f}°")
    assert judge(1, old, HERO, None, table).model == "diff2lip"
    assert judge(1, kept, HERO, None, table).reason == "Anna, person ?, looks down by -40°, passed through"


NO_OMNISYNC = {"omnisync": "its weights are not on this machine"}


@pytest.mark.parametrize(
    ("measures", "lacking", "model", "reason"),
    [
        pytest.param(
            {"style": "stylised"}, NO_OMNISYNC, HELD,
            "omnisync would draw it, but its weights are not on this machine, held", id="nobody-else-draws-it",
        ),
        pytest.param(
            {}, NO_OMNISYNC, "diff2lip", "Anna speaks in 6 frames; face 138 px high, turned 5°", id="not-asked"
        ),
        pytest.param(
            {"style": "stylised", "mouth_px": 3.2}, NO_OMNISYNC, PASS_THROUGH,
            "mouth 3.2 px to a side: under 4, passed through", id="it-would-not-draw-it-either",
        ),
        pytest.param(
            {}, {"diff2lip": "the licence of its paper weights forbids commercial work"}, HELD,
            "diff2lip would draw it, but the licence of its paper weights forbids commercial work, held", id="licence",
        ),
        pytest.param({"confidence": 0.3}, {"diff2lip": "…"}, HELD, "not sure that this is Anna's face, 0.30: "
                     "under 0.6, held", id="unsure-all-the-same"),
    ],
)  # fmt: skip
def test_a_face_whose_model_is_lacking_goes_to_nobody_who_does_not_draw_it(
    measures: dict[str, Any], lacking: dict[str, str], model: str, reason: str
) -> None:
    found = decided(measures, lacking=lacking)
    assert (found.model, found.reason) == (model, reason)
    again = judge(found.track_id, found.numbers, HERO, None, TABLE)
    assert (again.model, again.reason) == (model, reason)
    asked = decided(measures, model="omnisync", lacking=lacking)
    assert asked.model == "omnisync"


def test_a_face_whose_model_is_lacking_goes_to_the_next_that_draws_it() -> None:
    table = Table.model_validate({
        "choice": [
            {"when": {"yaw": {"over": 40}}, "model": "omnisync", "say": "turned {yaw:.0f}°"},
            {"model": "diff2lip", "say": "face {height_px:.0f} px high"},
        ]
    })  # fmt: skip
    found = decided({"yaw": 50.0}, table=table, lacking=NO_OMNISYNC)
    assert (found.model, found.ranges) == ("diff2lip", [[3, 9]])
    assert found.reason == (
        "Anna speaks in 6 frames; omnisync would draw it, but its weights are not on this machine; face 138 px high"
    )


def with_limit(**rule: Any) -> Table:
    """A table of one choice and this limit."""
    limit = {"models": ["diff2lip"], **rule}
    return Table.model_validate({"choice": [{"model": "diff2lip", "say": "a face"}], "limit": [limit]})


@pytest.mark.parametrize(
    ("rate", "start_us", "end_us", "frames"),
    [
        pytest.param(PAL, 0, 40_000, (0, 1), id="25/one-frame-and-not-the-next"),
        pytest.param(PAL, 39_999, 40_001, (0, 2), id="25/both-sides-of-an-edge"),
        pytest.param(PAL, 40_000, 40_001, (1, 2), id="25/begins-on-the-edge"),
        pytest.param(FILM_24, 1_001_000, 1_042_708, (24, 25), id="23.976/24-frames-last-1.001-s"),
        pytest.param(FILM_24, 1_001_000, 1_042_709, (24, 26), id="23.976/a-microsecond-into-the-next"),
        pytest.param(NTSC_30, HOUR_US, HOUR_US + 33_366, (107892, 107894), id="29.97/after-an-hour"),
        pytest.param(PAL, 39_990_000, 99_000_000, (999, 1000), id="25/the-film-ends-first"),
        pytest.param(PAL, 40_000_000, 41_000_000, (1000, 1000), id="25/after-the-film"),
    ],
)
def test_frames_under_a_sound_are_exact(rate: Fraction, start_us: int, end_us: int, frames: tuple[int, int]) -> None:
    film = film_at(rate, 200_000 if rate == NTSC_30 else 1000)
    assert under(film, start_us, end_us) == frames


def test_ranges_join_meet_and_widen() -> None:
    assert union([(5, 9), (0, 3), (3, 4), (7, 12), (20, 20)]) == [(0, 4), (5, 12)]
    assert meet([(0, 10), (20, 30)], [(5, 22), (29, 40)]) == [(5, 10), (20, 22), (29, 30)]
    assert widen([(1, 4), (9, 12)], 3) == [(0, 15)]
    assert runs(np.array([3, 4, 5, 9, 10], np.int32)) == [(3, 6), (9, 11)] and runs(np.array([], np.int32)) == []


@pytest.mark.parametrize(
    ("present", "turns", "ranges"),
    [
        pytest.param([(0, 75)], [(400_000, 800_000)], [(7, 23)], id="three-frames-more-on-each-side"),
        pytest.param([(0, 75)], [(0, 800_000)], [(0, 23)], id="nothing-before-the-cut"),
        pytest.param([(0, 75)], [(400_000, 800_000), (960_000, 1_200_000)], [(7, 33)], id="fades-that-touch-are-one"),
        pytest.param([(0, 12), (15, 75)], [(400_000, 800_000)], [(7, 12), (15, 23)], id="a-gap-is-no-face"),
        pytest.param([(22, 75)], [(400_000, 800_000)], [], id="no-fade-without-speech"),
        pytest.param([(15, 75)], [(400_000, 800_000)], [], id="what-fades-behind-a-cut-is-nothing"),
        pytest.param([(14, 75)], [(400_000, 800_000)], [(14, 23)], id="six-frames-behind-a-cut-are-said"),
        pytest.param([(0, 75)], [(400_000, 560_000)], [(7, 17)], id="a-short-word-is-said"),
        pytest.param([(0, 75)], [], [], id="says-nothing"),
    ],
)
def test_what_is_rendered(
    present: list[tuple[int, int]], turns: list[tuple[int, int]], ranges: list[tuple[int, int]]
) -> None:
    assert to_render(film_at(PAL), present, [turn(*one) for one in turns]) == ranges


def test_both_sides_of_a_character_are_rendered_and_nobody_elses(house: Path, tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 75, PAL))
    face = track(character_id=5)
    measured = {"frames": np.arange(75, dtype=np.int32), "mouth": np.full((75, 4), 21), "points": np.zeros((75, 0, 2))}
    face.geometry = artifacts.put_arrays("geometry", measured).sha
    hero = Character(name="Anna", original_id=1, dub_id=2, overlap=0.9)
    hero.id = 5
    turns = [
        turn(400_000, 800_000, 1),
        turn(1_600_000, 2_000_000, 2, Side.DUB),
        turn(2_600_000, 2_900_000, 3, Side.DUB),
    ]
    unseen = track(name="f2", geometry=face.geometry)
    first, second = route.fn(film, [face, unseen], [hero], turns, None, ["", "it listens"])
    assert first.ranges == [[7, 23], [37, 53]] and first.track_id == 1
    assert (first.model, first.numbers["mesh"], first.numbers["mouth_px"]) == ("omnisync", False, 21.0)
    assert (second.model, second.reason) == (PASS_THROUGH, "it listens")
