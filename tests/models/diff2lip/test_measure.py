"""The evaluation: nobody left out, nothing measured twice, the same meshes for truth and result."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models import registry
from models.corpus.clips import parts, read
from models.corpus.prepare import prepare
from models.diff2lip.evaluate import measure, tables
from models.diff2lip.evaluate.scene import Scene, room
from models.diff2lip.window import CROP
from models.face.detect import Detector
from models.face.form import Floats, opening
from models.face.mesh import Mesh
from models.lipsync import Sight, SpeechSpec, Window
from tests.media import shared


class Itself:
    """Draws what was there."""

    crop = CROP
    hearing = SpeechSpec(16000, Fraction(0))
    window = Window(32, 0)
    prompts: tuple[str, ...] = ()

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        return sight.crops.clone()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of two people, a second long."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("grid_s31_bbai7s", "grid_s33_bbac1s"):
        whole = prepare(shared(f"media/eval/{name}.mp4"), folder, CROP, Detector(), Mesh())
        assert whole is not None
    return folder


def media() -> Path:
    return shared("media")


def test_kept_are_all_that_was_not_trained_on_and_of_each_speaker_so_many() -> None:
    names = [f"grid_{who}_{n:03}" for who in ("s1", "s2", "s26", "s33") for n in range(24)] + ["grid_unkF_1"]
    corpus = parts(names)
    everyone = measure.kept(corpus)
    assert everyone == {name: part for name, part in corpus.items() if part != "train"}
    assert {name.split("_")[1] for name in everyone} == {"s1", "s2", "s26", "s33", "unkF"}
    assert len(measure.kept(corpus, 2)) == 9


def test_a_clip_is_dubbed_with_the_voice_of_another_person() -> None:
    clips = [Path(f"grid_{who}_{n}.npz") for who in ("s1", "s2") for n in range(5)]
    for clip in clips:
        assert measure.another(clips, clip).stem.split("_")[1] != clip.stem.split("_")[1]


def test_a_room_is_as_loud_as_the_clips_quietest_stretch_and_is_no_loop() -> None:
    chance = np.random.default_rng(7)
    speech = chance.normal(0, 0.2, 48000).astype(np.float32)
    speech[20000:26000] *= 0.01
    noise = room(speech)
    assert len(noise) == len(speech)
    assert noise.std() == pytest.approx(0.002, rel=0.1)
    assert abs(np.corrcoef(noise[:4800], noise[4800:9600])[0, 1]) < 0.1


def test_a_line_cut_off_by_a_kill_is_measured_again_and_the_last_of_two_counts(tmp_path: Path) -> None:
    lines = [json.dumps({"clip": "a", "row": "film", "margin": n}) for n in (1, 2)]
    (tmp_path / "figures.0.jsonl").write_text("\n".join(lines) + '\n{"clip": "b", "ro')
    assert measure.rows(tmp_path) == [{"clip": "a", "row": "film", "margin": 2}]


def test_a_model_that_changes_nothing_gets_the_figures_of_the_film(prepared: Path, tmp_path: Path) -> None:
    """And a run that is asked again measures nothing again."""
    asked: list[int] = []

    def deaf(speech: Floats, mouths: Floats) -> tuple[int, float]:
        asked.append(len(mouths))
        return 0, float(opening(mouths).std())

    chosen = measure.choose(prepared)
    said = list(measure.evaluate(tmp_path, chosen, media(), {"itself": Itself()}, deaf, silence=False, share=(0, 2)))
    assert len(said) == 5 and asked and set(asked) == {75}
    measured = {(row["speaker"], row["row"]): row for row in measure.rows(tmp_path)}
    row = measured["s31", "itself"]
    exact = {"correlation": 1, "amplitude": 1, "sharpness": 1, "ring": 1, "rim": 1, "inside": 1, "seam": 1}
    assert {key: row[key] for key in exact} == pytest.approx(exact, abs=0.01)
    assert row["lmd"] < 0.05 and row["white"] == pytest.approx(measured["s31", "film"]["white"], abs=2)
    assert measured["s31", "reference pasted"]["amplitude"] < 0.5
    assert measured["s31", "reference pasted"]["ring"] == pytest.approx(1, abs=0.1)
    assert 0.6 < measured["s31", "round trip"]["sharpness"] < 1
    again = measure.evaluate(tmp_path, chosen, media(), {"itself": Itself()}, deaf, silence=False, share=(0, 2))
    assert not list(again)
    page = tables.markdown(measure.rows(tmp_path))
    assert "**s31**, unseen speakers" in page
    assert any(line.startswith("| itself | 1 | 1/1 (100 %) |") for line in page)


def test_outside_the_matte_a_dubbed_film_has_the_films_bits(prepared: Path) -> None:
    path = next(prepared.glob("*s31*"))
    scene = Scene(read(path), media(), Mesh())
    torch.manual_seed(7)
    drawn = scene.drawn(registry.renderer("diff2lip", "tiny"), scene.clip.speech)
    outside = scene.view().shown == 0
    for n, (before, after) in enumerate(zip(scene.frames, drawn, strict=True)):
        assert (before[outside[n]] == after[outside[n]]).all()
    assert any((before != after).any() for before, after in zip(scene.frames, drawn, strict=True))


def test_a_clip_without_its_film_says_so(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="give the films"):
        Scene(read(next(prepared.glob("*.npz"))), tmp_path, Mesh())
