"""The evaluation of drawn characters: what is promised of its figures, on stand-ins whose worth is known beforehand."""

import json
from collections.abc import Sequence
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.lipsync import CropSpec, Sight, SpeechSpec, Window
from models.omnisync.evaluate import measure, tables
from models.omnisync.evaluate.figures import EXACT, alike, figures, lag, shares
from models.omnisync.evaluate.measure import FORCED, TRUE, UNDUBBED, Meter, Row, succeeded
from models.omnisync.evaluate.scene import Part, Scene, casting
from models.omnisync.evaluate.shot import Frames, Seen, View, Way, codes, through, windowed
from models.omnisync.window import SIDE, SIZE
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES
from models.puppets.law import HZ
from models.puppets.read import OPEN

Floats = NDArray[np.float32]
CROP = CropSpec(SIZE, "mouth", SIDE, 0.0)
FRAMES = 18
PART = Part("000 human outline", "learnt kinds", "human", "outline", 0, "grid_s26_a", "grid_s31_b")


class StandIn:
    """Draws what it is told to."""

    crop = CROP
    hearing = SpeechSpec(HZ, Fraction(1))
    window = Window(8, 2)
    prompts: tuple[str, ...] = ("", "calm")

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        return sight.crops.clone()


class Washed(StandIn):
    """Greys all of the crop."""

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        return 0.5 * sight.crops + 0.25


def voice(seed: int) -> Floats:
    """Two seconds of syllables, of a sort."""
    t, chance = np.arange(2 * HZ) / HZ, np.random.default_rng(seed)
    rate, late = chance.uniform(2.5, 4), chance.uniform(0, 6)
    pulses = np.sign(np.sin(2 * np.pi * 120 * t)) * np.sin(2 * np.pi * 520 * t)
    return np.asarray(0.3 * pulses * np.clip(np.sin(2 * np.pi * rate * t + late), 0, 1), np.float32)


@cache
def scene(number: int = 0) -> Scene:
    """A clip whose mouth is seen where it is."""
    part = Part(PART.name, PART.kind, PART.species, PART.style, number, PART.own, PART.dub)
    made = Scene(part, voice(1), voice(2), lambda film: None, FRAMES)
    made.poses[:, 8] = 0  # no hand
    made.film = made.puppet.render(made.poses, made.said, 512)
    made.seen = Seen(np.arange(FRAMES, dtype=np.int32), made.places)
    return made


def view() -> View:
    return scene().view(CROP, scene().places)


def drawn(mouths: Floats) -> Frames:
    return through(scene().puppet.render(scene().poses, mouths, 512), view().squares, SIZE)


def truth() -> Frames:
    return through(scene().truth, view().squares, SIZE)


def test_a_copy_of_the_source_leaks_all_of_it_and_moves_nothing() -> None:
    found = figures(scene(), view(), view().crops)
    assert found["leak"] == pytest.approx(1, abs=0.05) and found["slope"] == pytest.approx(0, abs=0.05)
    assert found["outside"] == EXACT
    assert found["keypoints"] < 0.1


def test_a_film_drawn_to_the_dub_is_what_the_reader_calls_perfect() -> None:
    found = figures(scene(), view(), truth())
    assert found["correlation"] > 0.99 and found["lag"] == 0
    assert found["slope"] == pytest.approx(1, abs=0.06) and found["leak"] == pytest.approx(0, abs=0.05)
    assert found["sharpness"] == found["sharpness open"] == 1
    assert found["outside"] > 60
    assert succeeded({"found": True} | found)


@pytest.mark.parametrize("by", [-2, 3])
def test_a_mouth_that_comes_late_is_told_by_how_many_frames(by: int) -> None:
    found = figures(scene(), view(), drawn(np.roll(scene().wanted, by, axis=0)))
    assert found["lag"] == by
    assert not succeeded({"found": True} | found)


def test_shut_mouths_read_0_and_have_neither_slope_nor_leak() -> None:
    found = figures(scene(), view(), drawn(np.tile(np.array([0, 0.5, 0, 0], np.float32), (FRAMES, 1))))
    assert found["open"] < 0.02 and abs(found["slope"]) < 0.03 and abs(found["leak"]) < 0.03
    assert found["correlation"] == pytest.approx(0, abs=0.5)


def test_half_of_the_old_mouth_in_the_new_one_is_half_a_leak() -> None:
    both = scene().wanted.copy()
    both[:, OPEN] = np.clip(0.7 * scene().wanted[:, OPEN] + 0.5 * scene().said[:, OPEN], 0, 1)
    found = figures(scene(), view(), drawn(both))
    assert found["leak"] == pytest.approx(0.5, abs=0.1) and found["slope"] == pytest.approx(0.7, abs=0.1)


def test_a_crop_greyed_all_over_is_told_outside_the_mouth_and_in_its_sharpness() -> None:
    found = figures(scene(), view(), codes(np.asarray(truth() / 255 * 0.5 + 0.25, np.float32)))
    assert found["outside"] < 25
    assert found["sharpness"] == pytest.approx(0.25, abs=0.05)


def test_a_head_that_was_moved_is_told_in_shares_of_its_height() -> None:
    moved = np.roll(view().crops, 2, axis=2)
    found = figures(scene(), view(), moved)
    heads = 2 * 0.36 * np.exp(scene().poses[:, 3]) * 512 / view().squares[:, 2] * SIZE
    assert found["keypoints"] == pytest.approx(float(np.mean(200 / heads)), rel=0.1)


def test_two_curves_are_alike_or_not_and_a_still_one_is_not() -> None:
    wave = np.sin(np.arange(40) / 3).astype(np.float32)
    assert alike(wave, 3 * wave + 1) == pytest.approx(1)
    assert alike(wave, -wave) == pytest.approx(-1)
    assert alike(wave, np.full(40, 0.3, np.float32)) == 0
    assert lag(wave[:-3], wave[3:], np.arange(37)) == 3 and lag(wave[2:], wave[:-2], np.arange(38)) == -2
    assert lag(wave[:-3:2], wave[3:], np.arange(0, 37, 2)) == 3, "also from every other frame"
    other = np.cos(np.arange(40) / 5).astype(np.float32)
    assert shares(np.float32(0.8) * wave + np.float32(0.3) * other, wave, other) == pytest.approx((0.8, 0.3), abs=1e-6)


def test_frames_that_cannot_be_read_do_not_count_for_the_lag() -> None:
    wave, shown = np.sin(np.arange(40) / 3).astype(np.float32), np.ones(40, np.bool_)
    shown[10:20] = False
    assert lag(np.roll(wave, 2)[shown], wave, np.flatnonzero(shown)) == 2


def test_outside_the_matte_a_laid_film_has_the_films_bits() -> None:
    film, shown = scene().laid(view(), codes(np.asarray(view().crops / 255 * 0.5, np.float32)))
    assert (film == scene().film)[shown == 0].all()
    assert (film != scene().film)[shown == 1].any()
    assert 0 < (shown > 0).mean() < 0.5


def test_windows_that_overlap_join_without_a_seam_and_every_frame_is_drawn_once() -> None:
    asked: list[int] = []

    class Counting(StandIn):
        def render(
            self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
        ) -> Tensor:
            asked.append(len(times))
            return torch.full_like(sight.crops, float(times[0]))

    sight = Sight(torch.zeros(20, 3, 4, 4), torch.zeros(20, 4), torch.zeros(20, 0, 2), None)
    out = windowed(Way(Counting()), sight, voice(1), [Fraction(n) for n in range(20)])[:, 0, 0, 0]
    assert asked == [8, 8, 8]
    assert out.tolist() == pytest.approx([0] * 6 + [2, 4] + [6] * 4 + [8, 10] + [12] * 6)


def test_half_the_cast_is_of_kinds_that_were_learnt_and_nobody_dubs_himself() -> None:
    voices = [f"grid_{who}_{n}" for who in ("s26", "s31", "unkF") for n in range(4)]
    cast = casting(104, voices)
    assert cast[:40] == casting(40, voices), "fewer clips are the first of many"
    learnt = [part for part in cast if part.species in LEARNT_SPECIES and part.style in LEARNT_STYLES]
    assert len(learnt) == 52 and {part.kind for part in learnt} == {"learnt kinds"}
    assert all(part.own.split("_")[1] != part.dub.split("_")[1] for part in cast)
    assert len({part.name for part in cast}) == 104


@pytest.fixture
def voices(tmp_path: Path) -> dict[str, Path]:
    """Prepared clips of two people, with next to no pictures."""
    found = {}
    for seed, name in enumerate((PART.own, PART.dub)):
        found[name] = tmp_path / f"{name}.npz"
        points = np.random.default_rng(seed).uniform(0.3, 0.7, (2, 468, 2)).astype(np.float32)
        crops, squares = np.zeros((2, 144, 144, 3), np.uint8), np.ones((2, 4), np.float32)
        np.savez(found[name], crops=crops, points=points, squares=squares, speech=voice(seed))
    return found


def test_rows_are_measured_once_and_a_film_without_a_mouth_is_a_failed_clip(
    tmp_path: Path, voices: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "Scene", partial(Scene, frames=6))
    meter = Meter({"grey": Way(Washed())}, CROP, lambda film: None, lambda film: None)
    said = [line for _, _, line in measure.evaluate(tmp_path, [PART], voices, meter)]
    assert said == [f"{PART.name}, {row}" for row in (UNDUBBED, TRUE, FORCED, "grey")]
    rows = {row["row"]: row for row in measure.rows(tmp_path)}
    assert not rows["grey"]["found"] and not rows[FORCED]["found"]
    assert rows["grey"]["outside"] == EXACT and not succeeded(rows["grey"]), "nothing was drawn"
    assert not list(measure.evaluate(tmp_path, [PART], voices, meter))
    page = tables.markdown(measure.rows(tmp_path))
    assert any(line.startswith("| grey | 1 | 0/1 (0 %) | 0/1 (0 %) |") for line in page)


def test_a_mouth_that_was_found_is_drawn_read_laid_and_shown_silence(
    tmp_path: Path, voices: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "Scene", partial(Scene, frames=6))
    middle = Seen(np.arange(6, dtype=np.int32), np.tile(np.array([256, 300, 40, 0], np.float32), (6, 1)))
    meter = Meter({"itself": Way(StandIn(), prompt="calm")}, CROP, lambda film: middle, None)
    list(measure.evaluate(tmp_path, [PART], voices, meter))
    row: Row = next(row for row in measure.rows(tmp_path) if row["row"] == "itself")
    assert row["found"] and row["untouched"] and row["outside"] == EXACT
    assert {"open digital", "leak digital", "open room", "leak room"} <= set(row)
    assert json.loads(json.dumps(row)) == row


def test_no_rows_no_tables() -> None:
    assert tables.markdown([]) == []
