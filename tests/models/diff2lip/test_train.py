"""Training runs, stops, goes on where it stopped, and what it exports is what the renderer opens."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models import registry
from models.corpus.clips import SIZE, Clip, speaker_of
from models.diff2lip import run
from models.diff2lip.drawer import STARTER, Drawer
from models.diff2lip.export import export
from models.diff2lip.fit import fit
from models.diff2lip.lessons import Lessons
from models.diff2lip.render import Starter
from models.diff2lip.voice import Voice, speak
from models.face.form import measure, opening
from models.syncnet.meter import Meter
from models.syncnet.senses import RATE, heard
from models.syncnet.train import learn_points
from tests.models.syncnet.test_train import learnt


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Two drawn speakers of 30 frames, whose lower lip follows the loudness of a hum."""
    made = []
    for i, speaker in enumerate(("ann", "bob")):
        chance = np.random.default_rng(i)
        mesh = chance.uniform(0.3, 0.7, (468, 2)).astype(np.float32) * SIZE
        mesh[33], mesh[263] = (40, 30), (104, 30)
        points = np.repeat(mesh[None], 30, axis=0)
        loud = np.abs(np.sin(np.arange(30) / 3 + i))
        points[:, 14, 1] = points[:, 13, 1] + 10 * loud
        hum = np.repeat(loud, 640) * np.sin(np.arange(30 * 640) / 20) * 0.3
        mouths = measure(points, mesh)
        crops = chance.integers(0, 256, (30, SIZE, SIZE, 3), dtype=np.uint8)
        squares = np.tile(np.array([150, 150, 150], np.float32), (30, 1))
        order = np.argsort(opening(mouths))
        made.append(Clip(speaker, speaker, crops, points, mesh, mouths, order, hum.astype(np.float32), squares))
    return made


def test_a_speaker_stands_in_the_name_of_a_clip() -> None:
    assert speaker_of(Path("train/grid_s26_bgbsza.mp4")) == "s26"


def test_lessons_are_chance_that_can_be_repeated(clips: list[Clip]) -> None:
    first, again, other = (Lessons(clips, seed).draw(3) for seed in (7, 7, 8))
    assert first.target.shape == (3, 3, 64, 80) and first.shown.shape == (3, 9, 64, 80) and first.code.shape == (3, 172)
    assert torch.equal(first.target, again.target) and torch.equal(first.shown, again.shown)
    assert not torch.equal(first.target, other.target)
    assert first.shown.min() >= -1 and first.shown.max() <= 1


def test_a_run_learns_and_goes_on_where_it_stopped(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    first = run.Run(clips, tmp_path, seed=7)
    losses = [first.step(0.0)["likeness"], first.step(0.9)["likeness"]]
    assert all(np.isfinite(losses))
    first.save()
    second = run.Run(clips, tmp_path, seed=8)
    second.resume()
    assert second.steps == 2
    assert all(torch.equal(a, b) for a, b in zip(first.average.parameters(), second.average.parameters(), strict=True))


def test_the_likeness_of_a_copy_is_zero(clips: list[Clip]) -> None:
    lesson = Lessons(clips, 7).draw(2)
    assert float(run.likeness(lesson.target, lesson)) == 0
    assert float(run.likeness(lesson.target + 0.1, lesson)) > 0


def test_a_voice_learns_which_sound_opens_the_mouth(clips: list[Clip]) -> None:
    ear, eye = learnt(learn_points(clips, steps=3, seed=7))
    spoken = fit(clips, ear)
    times = [n / RATE for n in range(30)]
    clip = clips[0]
    ends = clip.mouths[clip.order[0]], clip.mouths[clip.order[-1]]
    said = speak(spoken, clip.speech, times, np.median(clip.mouths, axis=0), *ends)
    assert np.corrcoef(opening(said), opening(clip.mouths))[0, 1] > 0.7
    lag, margin = Meter(ear, eye).offset(heard(clip.speech, 30), clip.mouths, reach=3)
    assert abs(lag) <= 3 and margin >= 0


def test_what_is_exported_is_what_the_renderer_opens(tmp_path: Path) -> None:
    torch.manual_seed(7)
    network, spoken = Drawer(STARTER), Voice()
    export(network, spoken, tmp_path / "starter.safetensors")
    opened = registry.renderer("diff2lip", "starter", weights=tmp_path / "starter.safetensors")
    assert isinstance(opened, Starter)
    for ours, theirs in ((network, opened.network), (spoken, opened.voice)):
        state = theirs.state_dict()
        assert all(torch.allclose(state[key], value, atol=1e-2) for key, value in ours.state_dict().items())
    assert (tmp_path / "starter.safetensors").stat().st_size < 10_000_000
