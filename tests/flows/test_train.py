"""Training by command: it learns, is killed and comes out the same, and refuses what it cannot begin with."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models import registry
from models.corpus.clips import SIZE
from models.diff2lip.render import Starter
from models.diff2lip.train import recipe
from models.syncnet.meter import fill
from models.syncnet.network import Ear, PixelEye, PointsEye
from tests.flows.test_cli import call
from tests.media import shared

STEPS = 3
TINY = {"steps": STEPS, "finish_from": 0.6, "clips": 2, "finish_clips": 1, "warm_up": 1, "save_every": 1}
RENTED = (
    "import sys, runpy; "
    "sys.modules.update(dict.fromkeys(['av', 'diffusers', 'typer', 'prefect', 'sqlalchemy', 'flows', 'storage'])); "
    "runpy.run_module('models.diff2lip.train', run_name='__main__', alter_sys=True)"
)


def settings(path: Path, **changes: object) -> Path:
    """training.toml with other numbers in [starter]."""
    head, mark, body = recipe.SETTINGS.read_text("utf-8").partition("\n[starter]")
    for name, value in (TINY | changes).items():
        body = re.sub(rf"^{name} = [^ \n]+", f"{name} = {value}", body, count=1, flags=re.MULTILINE)
    head = re.sub(r"(points|pixels)_steps = \d+", r"\1_steps = 1", head)
    path.write_text(head + mark + body, "utf-8")
    return path


def corpus(folder: Path) -> Path:
    """Two drawn speakers to learn from and one to look at, 30 frames each."""
    (folder / "clips").mkdir(parents=True)
    for i, speaker in enumerate(("ann", "bob", "s26")):  # s26 is never learnt from
        chance = np.random.default_rng(i)
        points = np.repeat(chance.uniform(0.3, 0.7, (1, 468, 2)), 30, axis=0).astype(np.float32)
        points[:, 33], points[:, 263] = (0.28, 0.21), (0.72, 0.21)
        loud = np.abs(np.sin(np.arange(30) / 3 + i))
        points[:, 14, 1] = points[:, 13, 1] + 0.07 * loud
        hum = (np.repeat(loud, 640) * chance.normal(0, 0.1, 30 * 640)).astype(np.float32)
        crops = chance.integers(0, 256, (30, SIZE, SIZE, 3), dtype=np.uint8)
        squares = np.tile(np.array([150, 150, 150, 0], np.float32), (30, 1))
        path = folder / "clips" / f"grid_{speaker}_one.npz"
        np.savez(path, crops=crops, points=points, squares=squares, speech=hum)
    return folder


def started(*arguments: object, code: str = "from flows.cli import main; main()") -> subprocess.Popen[str]:
    """Another process on one thread, as bits depend on how many there are."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """FOLDER after `dubline train diff2lip`, and what it said."""
    folder = corpus(tmp_path_factory.mktemp("trained"))
    process = started("train", "diff2lip", folder, "--settings", settings(folder / "mine.toml"))
    said, log = process.communicate()
    assert process.returncode == 0, log
    yield folder, said, log


def test_a_run_leaves_weights_that_draw_and_what_there_is_to_look_at(trained: tuple[Path, str, str]) -> None:
    folder, said, log = trained
    run = folder / "starter"
    for name in ("run.pt", "curves.jsonl", "curves.png", "recipe.json", f"sheet_{STEPS:06d}.png"):
        assert (run / name).stat().st_size > 0
    assert f"{STEPS}/{STEPS} steps" in log and "picture 0." in log and "sync" in log
    assert all(str(run / name) in said for name in ("starter.safetensors", "curves.png", f"sheet_{STEPS:06d}.png"))
    assert isinstance(registry.renderer("diff2lip", "starter", weights=run / "starter.safetensors"), Starter)


def test_a_run_that_was_killed_goes_on_and_comes_out_the_same(trained: tuple[Path, str, str], tmp_path: Path) -> None:
    """Begun as on a rented machine, where neither the commands nor what they need is installed; gone on by command."""
    folder, mine = corpus(tmp_path / "killed"), settings(tmp_path / "mine.toml")
    process = started(folder, "--settings", mine, code=RENTED)
    assert process.stdout and process.stderr
    for line in process.stdout:
        if line.startswith("2/"):  # step 1 is saved by now; step 2 may be or not
            break
    process.kill()
    process.communicate()
    assert process.returncode == -9 and not (folder / "starter" / "starter.safetensors").exists()
    done = torch.load(folder / "starter" / "run.pt", weights_only=True)["steps"]
    again = started("train", "diff2lip", folder, "--settings", mine)
    _, log = again.communicate()
    assert again.returncode == 0, log
    assert f"going on after {done} steps" in log and 0 < done < STEPS
    whole, resumed = (registry.read(place / "starter" / "starter.safetensors") for place in (trained[0], folder))
    assert whole.keys() == resumed.keys() and all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_loss_that_is_no_number_ends_with_1_and_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    folder, mine = corpus(tmp_path / "all"), settings(tmp_path / "mine.toml", sync=1e300)  # joins at the third step
    process = started("train", "diff2lip", folder, "--settings", mine, "--name", "loud")
    _, log = process.communicate()
    assert process.returncode == 1, log
    assert "sync inf" in log and f"last good checkpoint is {folder / 'loud' / 'run.pt'}" in log
    assert "Traceback" not in log
    kept = torch.load(folder / "loud" / "run.pt", weights_only=True)
    assert kept["steps"] == 2 and all(bool(value.isfinite().all()) for value in kept["network"].values())


@pytest.mark.parametrize(("arguments", "says"), [
    pytest.param(["diff2lip", "FOLDER", "--settings", "speed.toml"], "sets speed, which nothing reads", id="setting"),
    pytest.param(["diff2lip", "FOLDER", "--settings", "many.toml"], "steps to 'many', which is no whole", id="kind"),
    pytest.param(["diff2lip", "FOLDER", "--settings", "none.toml"], "none.toml", id="no-such-file"),
    pytest.param(["diff2lip", "FOLDER", "--without", "speed"], "no 'speed' to leave out", id="loss"),
    pytest.param(["diff2lip", "FOLDER", "--variant", "tiny"], "there are starter and paper", id="variant"),
    pytest.param(["diff2lip", "FOLDER", "--name", "../x"], "not a path", id="name"),
    pytest.param(["diff2lip", "FOLDER", "--lpips-trunk", "a.pth"], "go together", id="half-of-lpips"),
    pytest.param(["diff2lip", "EMPTY"], "`dubline train prepare EMPTY --media MEDIA`", id="no-clips"),
    pytest.param(["diff2lip", "BROKEN"], "is no prepared clip", id="broken-clip"),
    pytest.param(["syncnet", "EMPTY"], "`dubline train prepare EMPTY --media MEDIA`", id="no-clips-to-hear"),
    pytest.param(["syncnet", "FOLDER", "--settings", "same.toml"], "the judge would be the expert", id="same-seeds"),
    pytest.param(["prepare", "FOLDER", "--media", "EMPTY"], "grid_s26_bgbsza.mp4", id="no-films"),
])  # fmt: skip
def test_what_cannot_be_begun_with_is_refused_in_words(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    corpus(Path("FOLDER"))
    (tmp_path / "BROKEN" / "clips").mkdir(parents=True)
    (tmp_path / "BROKEN" / "clips" / "grid_ann_one.npz").write_bytes(b"PK half a clip")
    text = settings(tmp_path / "mine.toml").read_text("utf-8")
    Path("speed.toml").write_text(text.replace("\nsteps =", "\nspeed = 3\nsteps =", 1), "utf-8")
    Path("many.toml").write_text(text.replace(f"\nsteps = {STEPS}", '\nsteps = "many"'), "utf-8")
    Path("same.toml").write_text(text.replace("judge_seed = 1008", "judge_seed = 7"), "utf-8")
    assert call(monkeypatch, "train", *arguments) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""
    assert not list(tmp_path.rglob("run.pt")) and not (tmp_path / "FOLDER" / "starter").exists()


def test_stopped_by_hand_it_says_how_to_go_on(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def learn(*asked: object, **how: object) -> Iterator[tuple[int, int, str]]:
        (tmp_path / "starter-no_sync").mkdir()
        (tmp_path / "starter-no_sync" / "run.pt").touch()
        yield 50, 4600, "picture 0.1"
        raise KeyboardInterrupt

    monkeypatch.setattr("models.diff2lip.train.learn.learn", learn)
    assert call(monkeypatch, "train", "diff2lip", str(tmp_path), "--without", "sync") == 130
    said = capsys.readouterr().err
    assert "50/4600 steps  picture 0.1" in said and "the same command goes on" in said
    assert str(tmp_path / "starter-no_sync" / "run.pt") in said


def test_what_training_lacks_on_this_machine_is_named(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("models.diff2lip.train.learn", "models.diff2lip.train.run"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert call(monkeypatch, "train", "diff2lip", str(tmp_path)) == 3
    assert "pip install accelerate" in capsys.readouterr().err


def test_experts_are_taught_into_the_folder(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, mine = corpus(tmp_path / "all"), settings(tmp_path / "mine.toml")
    assert call(monkeypatch, "train", "syncnet", str(folder), "--settings", str(mine)) == 0
    fill(folder / "expert.safetensors", ear=Ear(), points=PointsEye(), pixels=PixelEye())
    fill(folder / "judge.safetensors", ear=Ear(), points=PointsEye())
    assert "judge, seed 1008" in capsys.readouterr().err


def test_clips_are_prepared_once_and_what_is_left_out_is_said(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    films = tmp_path / "films" / "of" / "s31"
    films.mkdir(parents=True)
    (films / "grid_s31_bbai7s.mp4").symlink_to(shared("media/eval/grid_s31_bbai7s.mp4").absolute())
    (films / "grid_s31_broken.mp4").write_bytes(b"no film")
    asked = ("train", "prepare", str(tmp_path), "--media", str(tmp_path / "films"))
    assert call(monkeypatch, *asked) == 0
    said = capsys.readouterr()
    assert "1 clips, 0 to learn from" in said.out and "1 left out" in said.out
    assert "grid_s31_broken.mp4, it cannot be read" in said.err
    ready = tmp_path / "clips" / "grid_s31_bbai7s.npz"
    before = ready.stat().st_mtime_ns
    assert call(monkeypatch, *asked) == 0
    assert ready.stat().st_mtime_ns == before
