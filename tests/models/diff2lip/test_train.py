"""Training learns, can be killed and comes out the same, stops at nonsense, and what it exports the renderer opens."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from models import registry
from models.corpus.clips import Clip, parts
from models.diff2lip.drawer import STARTER, TINY, Drawer
from models.diff2lip.export import export
from models.diff2lip.network import Shape
from models.diff2lip.render import Starter
from models.diff2lip.train import lessons, likeness, recipe
from models.diff2lip.train.expert import OTHERS, Expert
from models.diff2lip.train.faces import Faces
from models.diff2lip.train.fit import fit
from models.diff2lip.train.forms import Forms
from models.diff2lip.train.lessons import AWAY, Lessons
from models.diff2lip.train.recipe import FRAMES, Recipe
from models.diff2lip.train.run import Run, train
from models.diff2lip.train.subject import Drawn, Subject
from models.diff2lip.voice import Voice, speak
from models.face.form import opening
from models.syncnet.loss import SyncLoss
from models.syncnet.network import Ear, PixelEye
from models.syncnet.senses import RATE
from models.syncnet.train import learn_points
from models.training.diverged import Diverged

MACHINE = torch.device("cpu")
SMALL = Shape(32, (1, 2), 1, (1,), 32)


@pytest.fixture(scope="module")
def expert() -> Expert:
    torch.manual_seed(7)
    return Expert(SyncLoss(Ear(), PixelEye()), MACHINE)


def plan(variant: str = "starter", **changes: object) -> Recipe:
    return replace(recipe.read(variant), steps=4, finish_from=0.5, clips=2, finish_clips=1, warm_up=1, **changes)  # type: ignore[arg-type]


def started(subject: Subject, how: Recipe, folder: Path, expert: Expert) -> Run:
    return Run(subject, how, folder, Accelerator(cpu=True), expert)


def weights(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_one_clip_in_eight_of_a_known_speaker_is_kept_for_judging_and_all_of_some_speakers() -> None:
    found = parts([f"grid_{who}_{n:03d}" for who in ("s1", "s26") for n in range(24)] + ["grid_s16_only"])
    assert [name for name, part in found.items() if part == "unseen clips"] == [f"grid_s1_{n:03d}" for n in (7, 15, 23)]
    assert {part for name, part in found.items() if "s26" in name} == {"unseen speakers"}
    assert found["grid_s16_only"] == "train"


def test_a_lesson_follows_from_seed_and_step(clips: list[Clip]) -> None:
    first, again = (Lessons(clips, 7).draw(5, 2, FRAMES) for _ in range(2))
    assert first.target.shape == (10, 3, 64, 80) and first.shown.shape == (10, 15, 64, 80)
    assert first.code.shape == (10, 172) and first.centre.shape == (10, 2) and len(first.starts) == 2
    assert torch.equal(first.target, again.target) and torch.equal(first.shown, again.shown)
    for other in (Lessons(clips, 8).draw(5, 2, FRAMES), Lessons(clips, 7).draw(6, 2, FRAMES)):
        assert not torch.equal(first.target, other.target)
    assert first.shown.min() >= -1 and first.shown.max() <= 1


def test_no_reference_is_a_neighbour_of_what_is_asked_for(clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the lesson would be to copy it."""
    asked: list[tuple[range, list[int]]] = []
    lay_out = lessons._lay_out

    def watched(clip: Clip, frames: range, other: Clip, references: list[int], *rest: Any) -> Any:
        asked.append((frames, references))
        return lay_out(clip, frames, other, references, *rest)

    monkeypatch.setattr(lessons, "_lay_out", watched)
    drawn = lessons.Lessons(clips[:1], 7)
    for step in range(20):
        drawn.draw(step, 2, FRAMES)
    assert len(asked) == 40
    for frames, references in asked:
        assert len(references) == 4
        assert all(min(abs(one - frame) for frame in frames) > AWAY - 1 for one in references)


def test_the_likeness_of_a_copy_is_perfect(clips: list[Clip]) -> None:
    lesson = Lessons(clips, 7).draw(0, 2, 1)
    weight = likeness.importance(lesson.centre)
    for loss in (likeness.colour, likeness.edges, likeness.texture):
        assert float(loss(lesson.target, lesson.target, weight)) == 0
        assert float(loss(lesson.target + 0.1 * torch.randn_like(lesson.target), lesson.target, weight)) > 0


def test_texture_forgives_a_pixel_and_not_a_blur() -> None:
    """Teeth one pixel off are worse than grey to mean error, and better to an audience."""
    teeth = torch.zeros(1, 3, 64, 80)
    teeth[..., 20:40:4, :] = 1
    moved, grey = teeth.roll(1, dims=2), torch.nn.functional.avg_pool2d(teeth, 5, 1, 2)
    weight = torch.ones(1, 1, 64, 80)
    assert likeness.colour(grey, teeth, weight) < likeness.colour(moved, teeth, weight)
    assert likeness.texture(moved, teeth, weight) < 0.3 * likeness.texture(grey, teeth, weight)


@pytest.mark.parametrize("variant", ["starter", "paper"])
def test_a_killed_run_goes_on_and_comes_out_the_same(
    variant: str, clips: list[Clip], expert: Expert, tmp_path: Path
) -> None:
    how = plan(variant)

    def subject() -> Subject:
        return Forms(clips, how, MACHINE, TINY) if variant == "starter" else Faces(clips, how, MACHINE, SMALL, 64)

    whole = started(subject(), how, tmp_path, expert)
    for _ in range(4):
        whole.step()
    first = started(subject(), how, tmp_path, expert)
    for _ in range(3):
        first.step()
    first.save()
    second = started(subject(), how, tmp_path, expert)
    second.resume()
    losses = second.step()
    assert second.steps == 4 and all(math.isfinite(value) for value in losses.values())
    assert {"perceptual", "sync", "adversarial"} <= losses.keys()
    assert same(weights(second.average), weights(whole.average)) and same(weights(second.critic), weights(whole.critic))


def test_what_is_left_out_changes_nothing_before_the_end_and_something_then(
    clips: list[Clip], expert: Expert, tmp_path: Path
) -> None:
    """So experiments may share their first part."""
    how = plan()
    runs = [started(Forms(clips, each, MACHINE, TINY), each, tmp_path, expert) for each in
            (how, how.without("sync", "adversarial", "matching"))]  # fmt: skip
    for run in runs:
        run.step(), run.step()
    assert same(*(weights(run.network) for run in runs))
    for run in runs:
        run.step()
    names = [run.step().keys() for run in runs]
    assert names[0] - names[1] == {"sync", "adversarial", "matching", "critic"}
    assert not same(*(weights(run.network) for run in runs))


def test_a_network_taught_without_noise_never_sees_any(clips: list[Clip], expert: Expert, tmp_path: Path) -> None:
    seen: list[Tensor] = []

    class Watched(Drawer):
        def forward(self, x: Tensor, t: Tensor, *rest: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x, t, *rest)

    forms = Forms(clips, plan().without("noise"), MACHINE, TINY)
    forms.draw(Watched(TINY), 0, 2, 1)
    assert not seen[0].any()


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(
    clips: list[Clip], expert: Expert, tmp_path: Path
) -> None:
    how = plan(save_every=1)

    class Breaks(Forms):
        def draw(self, network: Callable[..., Tensor], step: int, clips: int, frames: int) -> Drawn:
            drawn = super().draw(network, step, clips, frames)
            return (
                drawn if step < 2 else replace(drawn, losses=drawn.losses | {"picture": drawn.weight.sum() * math.nan})
            )

    lines = train(Breaks(clips, how, MACHINE, TINY), how, tmp_path, Accelerator(cpu=True), expert, clips[:1])
    with pytest.raises(Diverged, match=r"step 2.*picture nan"):
        list(lines)
    kept = torch.load(tmp_path / "run.pt", weights_only=True)
    assert kept["steps"] == 2
    assert all(bool(value.isfinite().all()) for value in kept["network"].values())
    assert (tmp_path / "sheet_000002.png").exists() and (tmp_path / "curves.png").exists()


def test_the_expert_tells_the_right_sound_from_others_only_if_it_can_hear_a_difference(
    clips: list[Clip], expert: Expert
) -> None:
    drawn = torch.zeros(2 * FRAMES, 3, 64, 80, requires_grad=True)
    loss = expert.sync(drawn, tuple(clips), (3, 8), seed=7)
    assert float(loss.detach()) == pytest.approx(math.log(1 + OTHERS), abs=1.5)
    torch.autograd.backward(loss)
    assert drawn.grad is not None and drawn.grad.any()
    assert not any(parameter.grad is not None for parameter in expert.loss.parameters())


def test_pictures_that_are_alike_look_alike_to_the_expert(expert: Expert) -> None:
    picture = torch.rand(FRAMES, 3, 64, 80) * 2 - 1
    assert float(expert.distance(picture, picture)) == 0
    near, far = picture + 0.05 * torch.randn_like(picture), torch.rand(FRAMES, 3, 64, 80) * 2 - 1
    assert 0 < float(expert.distance(near, picture)) < float(expert.distance(far, picture))


@pytest.mark.parametrize(("change", "message"), [
    pytest.param("rate = 1e-3", "lacks rate", id="a-setting-is-missing"),
    pytest.param("", "sets speed, which nothing reads", id="a-setting-nobody-reads"),
])  # fmt: skip
def test_settings_are_read_strictly(tmp_path: Path, change: str, message: str) -> None:
    text = recipe.SETTINGS.read_text("utf-8")
    text = text.replace(change, "", 1) if change else text.replace("[starter]", "[starter]\nspeed = 3", 1)
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        recipe.read("starter", tmp_path / "mine.toml")


def test_only_what_there_is_can_be_left_out() -> None:
    assert recipe.read("starter").without("sync", "noise").losses.sync == 0
    with pytest.raises(ValueError, match="no 'speed' to leave out; there are simple"):
        recipe.read("starter").without("speed")


def test_a_voice_learns_which_sound_opens_the_mouth(clips: list[Clip]) -> None:
    lines = learn_points(clips, steps=3, seed=7)
    while True:
        try:
            next(lines)
        except StopIteration as done:
            ear, _ = done.value
            break
    spoken = fit(clips, ear)
    times = [n / RATE for n in range(30)]
    clip = clips[0]
    ends = clip.mouths[clip.order[0]], clip.mouths[clip.order[-1]]
    said = speak(spoken, clip.speech, times, np.median(clip.mouths, axis=0), *ends)
    assert np.corrcoef(opening(said), opening(clip.mouths))[0, 1] > 0.7


def test_what_is_exported_is_what_the_renderer_opens(tmp_path: Path) -> None:
    torch.manual_seed(7)
    network, spoken = Drawer(STARTER), Voice()
    export(network.state_dict(), spoken, tmp_path / "starter.safetensors")
    opened = registry.renderer("diff2lip", "starter", weights=tmp_path / "starter.safetensors")
    assert isinstance(opened, Starter)
    for ours, theirs in ((network, opened.network), (spoken, opened.voice)):
        state = theirs.state_dict()
        assert all(torch.allclose(state[key], value, atol=1e-2) for key, value in ours.state_dict().items())
    assert (tmp_path / "starter.safetensors").stat().st_size < 10_000_000
