"""Training learns, can be killed and comes out the same, stops at nonsense, and what it makes the renderer opens."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from models.corpus.clips import Clip
from models.omnisync.actor import Actor
from models.omnisync.network import TINY
from models.omnisync.pyramid import MOUTH, PARTS
from models.omnisync.train import recipe
from models.omnisync.train.filmed import People
from models.omnisync.train.learn import learn, trials
from models.omnisync.train.lessons import Lessons
from models.omnisync.train.recipe import Recipe
from models.omnisync.train.run import Run, learnt, miscoloured, train
from models.omnisync.train.voices import voice
from models.training.diverged import Diverged


def plan(**changes: object) -> Recipe:
    few: dict[str, object] = {"steps": 4, "clips": 2, "warm_up": 1, "save_every": 2}
    return replace(recipe.read(), **few | changes)  # type: ignore[arg-type]


def actor(seed: int = 7) -> Actor:
    torch.manual_seed(seed)
    return Actor(TINY)


def started(clips: list[Clip], how: Recipe, folder: Path) -> Run:
    lessons = Lessons([voice(clip.speech) for clip in clips], how, People(clips, {}))
    return Run(lessons, how, folder, Accelerator(cpu=True), actor())


def test_a_killed_run_goes_on_and_comes_out_the_same(clips: list[Clip], tmp_path: Path) -> None:
    how = plan(filmed_from=0.5)
    whole = started(clips, how, tmp_path)
    for _ in range(4):
        whole.step()
    first = started(clips, how, tmp_path)
    for _ in range(3):
        first.step()
    first.save()
    second = started(clips, how, tmp_path)
    second.resume()
    losses = second.step()
    assert second.steps == 4 and all(math.isfinite(value) for value in losses.values())
    for one, other in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(one, other)


def test_it_learns_one_lesson_by_heart(clips: list[Clip], tmp_path: Path) -> None:
    """A network that cannot do this cannot do anything."""
    how = plan(sequences=0.0, rate=3e-3, steps=10_000)
    run = started(clips, how, tmp_path)
    lesson, flows = run.lessons.draw(3), []
    for _ in range(25):
        losses = learnt(run.network, lesson, how, torch.Generator().manual_seed(0))
        flows.append(float(losses["flow"].detach()))
        run.learn.zero_grad()
        (losses["flow"] + losses["law"]).backward()  # type: ignore[no-untyped-call]
        run.learn.step()
    assert flows[-1] < 0.3 * flows[0] and float(losses["law"].detach()) < 0.05


def test_a_part_is_miscoloured_by_how_far_it_is_from_what_the_target_shows_there(
    clips: list[Clip], tmp_path: Path
) -> None:
    """However few pixels it has; where it is not shown it may have any colour."""
    lesson = started(clips, plan(), tmp_path).lessons.draw(0)
    shown, colours = torch.zeros_like(lesson.parts), torch.rand(len(lesson.target), len(MOUTH), 3)
    target, places = torch.zeros_like(lesson.target), ((0, 60), (60, 90), (90, 96))  # columns of lip, inside and teeth
    for part, (start, end) in enumerate(places):
        shown[:, len(PARTS) - len(MOUTH) + part, ..., start:end] = 1
        target[..., start:end] = colours[:, part, :, None, None, None]
    truth = replace(lesson, parts=shown, target=target)
    assert float(miscoloured(colours, truth)) < 1e-6
    for part in range(len(places)):
        wrong = colours.clone()
        wrong[:, part] += 0.4
        assert float(miscoloured(wrong, truth)) == pytest.approx(0.4 / len(MOUTH), rel=0.01)
    colours[:, 3] += 5  # the tongue, which nobody sees
    assert float(miscoloured(colours, truth)) < 1e-6


def test_a_loss_that_is_no_number_stops_it_before_anything_is_learnt(clips: list[Clip], tmp_path: Path) -> None:
    run = started(clips, plan(), tmp_path)
    with torch.no_grad():
        run.network.ear.norm.weight.fill_(math.nan)
    before = [parameter.detach().clone() for parameter in run.average.parameters()]
    with pytest.raises(Diverged, match="step 0: the loss is no number"):
        run.step()
    assert run.steps == 0 and all(torch.equal(a, b) for a, b in zip(before, run.average.parameters(), strict=True))


def test_a_run_leaves_curves_a_sheet_and_how_much_is_left_to_learn(clips: list[Clip], tmp_path: Path) -> None:
    how = plan()
    voices = [voice(clip.speech) for clip in clips]
    judged = [replace(each, lesson=each.lesson) for each in trials(voices, how, judged=8)]
    steps = Lessons(voices, how, People(clips, {}))
    lines = list(train(steps, how, tmp_path, Accelerator(cpu=True), actor(), judged))
    assert [step for step, _ in lines] == [2, 4]
    assert "unseen left" in lines[-1][1] and "deaf left" in lines[-1][1]
    assert {path.name for path in tmp_path.iterdir()} == {
        "run.pt", "curves.jsonl", "curves.png", "sheet_000002.png", "sheet_000004.png",
    }  # fmt: skip
    left = judged[0].left(actor())
    assert 0.85 < left < 1.05  # an untaught network hands the source back, but for a few per cent of skin


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param('pairs = "none"', "pairs is 'none'; there are exact, timed, arbitrary", id="unknown-rule"),
        pytest.param("steps = 0", "steps is 0; it must be 1 or more", id="no-steps"),
        pytest.param("pace = 3", "sets pace, which nothing reads", id="unknown-setting"),
        pytest.param("rate = true", "which is no number", id="wrong-kind"),
    ],
)
def test_a_setting_that_nobody_reads_is_refused(line: str, said: str, tmp_path: Path) -> None:
    name = line.split()[0]
    rows = [row for row in recipe.SETTINGS.read_text("utf-8").splitlines() if not row.startswith(f"{name} = ")]
    rows.insert(rows.index(next(row for row in rows if row.startswith("[starter]"))) + 1, line)
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(rows), "utf-8")
    with pytest.raises(ValueError, match=said):
        recipe.read(path)


def test_without_clips_nothing_is_begun(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no prepared clip"):
        learn(tmp_path)
    assert not list(tmp_path.iterdir())
