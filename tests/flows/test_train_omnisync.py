"""`dubline train omnisync`: it is killed and goes on, leaves what there is to look at, and refuses nonsense."""

import re
from pathlib import Path

import pytest
import torch

from models import registry
from models.omnisync.render import Starter
from models.omnisync.train import recipe
from tests.flows.test_cli import call
from tests.flows.test_train import corpus, started

FEW = {"steps": 3, "clips": 2, "warm_up": 1, "save_every": 1}
RENTED = (
    "import sys, runpy; "
    "sys.modules.update(dict.fromkeys(['av', 'typer', 'prefect', 'sqlalchemy', 'flows', 'storage'])); "
    "runpy.run_module('models.omnisync.train', run_name='__main__', alter_sys=True)"
)


def settings(path: Path, **changes: object) -> Path:
    text = recipe.SETTINGS.read_text("utf-8")
    for name, value in (FEW | changes).items():
        text = re.sub(rf"^{name} = [^ \n]+", f"{name} = {value}", text, count=1, flags=re.MULTILINE)
    path.write_text(text, "utf-8")
    return path


def test_a_run_that_was_killed_goes_on_and_leaves_weights_that_draw(tmp_path: Path) -> None:
    """Begun as on a rented machine, where the commands are not installed; gone on by command."""
    folder, mine = corpus(tmp_path / "all"), settings(tmp_path / "mine.toml")
    process = started(folder, "--settings", mine, code=RENTED)
    assert process.stdout and process.stderr
    for line in process.stdout:
        if line.startswith("1/"):  # step 1 is saved by now
            break
    process.kill()
    process.communicate()
    run = folder / "omnisync"
    assert process.returncode == -9 and not (run / "omnisync.safetensors").exists()
    done = torch.load(run / "run.pt", weights_only=True)["steps"]
    again = started("train", "omnisync", folder, "--settings", mine)
    said, log = again.communicate()
    assert again.returncode == 0, log
    assert f"going on after {done} steps" in log and 0 < done < 3 and "unseen left" in log
    for name in ("run.pt", "curves.jsonl", "curves.png", "recipe.json", "sheet_000003.png", "omnisync.safetensors"):
        assert (run / name).stat().st_size > 0
    assert str(run / "omnisync.safetensors") in said and str(run / "sheet_000003.png") in said
    assert isinstance(registry.renderer("omnisync", weights=run / "omnisync.safetensors"), Starter)


@pytest.mark.parametrize(("arguments", "says"), [
    pytest.param(["FOLDER", "--settings", "none.toml"], "none.toml", id="no-such-file"),
    pytest.param(["FOLDER", "--settings", "rule.toml"], "pairs is 'any'; there are exact, timed, arbitrary", id="rule"),
    pytest.param(["FOLDER", "--without", "speed"], "no 'speed' to leave out; there are flow, picture", id="loss"),
    pytest.param(["FOLDER", "--name", "../x"], "not a path", id="name"),
    pytest.param(["EMPTY"], "`dubline train prepare EMPTY --media MEDIA`", id="no-clips"),
])  # fmt: skip
def test_what_cannot_be_begun_with_is_refused_in_words(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    corpus(Path("FOLDER"))
    settings(Path("rule.toml"), pairs='"any"')
    assert call(monkeypatch, "train", "omnisync", *arguments) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""
    assert not list(tmp_path.rglob("run.pt"))
