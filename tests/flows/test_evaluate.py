"""Measuring by command: nothing is measured twice, processes share the work, and what cannot be measured is said."""

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from models import registry
from models.omnisync.evaluate.scene import casting
from tests.flows.test_cli import call
from tests.flows.test_train import corpus

KINDS = ("film", "undubbed", "reference pasted", "round trip", "starter")


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A FOLDER whose one clip has all its figures; the film is only a name."""
    folder = corpus(tmp_path / "all")
    (folder / "figures").mkdir()
    about = {"clip": "grid_s26_one", "speaker": "s26", "part": "unseen speakers", "lag": 1, "margin": 0.25, "leak": 0.0}
    rows = [json.dumps(about | {"row": row}) + "\n" for row in KINDS]
    (folder / "figures" / "figures.0.jsonl").write_text("".join(rows))
    (folder / "films").mkdir()
    (folder / "films" / "grid_s26_one.mp4").touch()
    return folder


def test_what_was_measured_is_shown_and_not_measured_again(
    house: Path, measured: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also by the other process, which would fail on a film that is none."""
    asked = ("evaluate", "diff2lip", str(measured), "--media", str(measured / "films"), "--jobs", "2")
    assert call(monkeypatch, *asked) == 0
    said = capfd.readouterr()
    assert "**s26**, unseen speakers" in said.out and "| starter | 1 | 1/1 (100 %) | 0.250 (1.00) |" in said.out
    assert said.out.count("### Unseen speakers") == 1
    assert "1 of 2" in said.err and "2 of 2" in said.err


@pytest.mark.parametrize(("options", "says"), [
    pytest.param(["--model", "mine"], "--model mine=FOLDER/starter.safetensors", id="a-name-without-weights"),
    pytest.param(["--model", "mine=nothing.safetensors"], "nothing.safetensors", id="no-such-weights"),
    pytest.param(["--model", "mine=clips/grid_s26_one.npz"], "is not a file of tensors alone", id="no-weights"),
    pytest.param(["--one-step", "plain"], "--one-step mine=FOLDER/starter.safetensors", id="one-step-without-weights"),
    pytest.param(["--media", "clips"], "1 of 1 films are not below clips, first grid_s26_one.mp4", id="no-films"),
])  # fmt: skip
def test_what_cannot_be_measured_is_refused_in_words(
    house: Path, measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    options: list[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(measured)
    assert call(monkeypatch, "evaluate", "diff2lip", ".", "--media", "films", *options) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_a_folder_without_kept_clips_says_how_they_are_made(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "evaluate", "diff2lip", str(tmp_path), "--media", str(tmp_path)) == 2
    assert f"`dubline train prepare {tmp_path} --media MEDIA`" in capsys.readouterr().err


@pytest.fixture
def characters(tmp_path: Path) -> Path:
    """A FOLDER in which one drawn clip has all its figures, and weights that know nothing."""
    folder = corpus(tmp_path / "all")
    (folder / "clips" / "grid_s31_two.npz").write_bytes((folder / "clips" / "grid_s26_one.npz").read_bytes())
    name = casting(1, ["grid_s26_one", "grid_s31_two"])[0].name
    about = {"clip": name, "kind": "learnt kinds", "species": "cat", "style": "flat", "found": True, "silent": True}
    figures = {"correlation": 0.9, "lag": 0, "slope": 1.0, "leak": 0.1, "outside": 41.0, "sharpness": 0.8}
    rows = [about | figures | {"row": row} for row in ("undubbed", "drawn to the dub", "mine", "τ = 0.8")]
    (folder / "figures-omnisync").mkdir()
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "figures-omnisync" / "figures.0.jsonl").write_text("".join(lines), "utf-8")
    save_file(registry.build("omnisync", "starter").state_dict(), folder / "mine.safetensors")
    return folder


def test_figures_of_drawn_characters_are_shown_and_not_measured_again(
    house: Path, characters: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = f"mine={characters / 'mine.safetensors'}"
    asked = ["evaluate", "omnisync", str(characters), "--clips", "1", "--model", mine]
    assert call(monkeypatch, *asked, "--ablations", "--only", "τ = 0.8") == 0
    said = capsys.readouterr().out
    assert said.count("### All clips") == 1
    assert "| mine | 1 | 1/1 (100 %) | 1/1 (100 %) | 0.90 / 0.90 | 1/1 (100 %) | 1.00 | 0.10 |" in said
    assert "| τ = 0.8 | 1 |" in said


@pytest.mark.parametrize(("options", "says"), [
    pytest.param(["--model", "mine"], "--model mine=FOLDER/starter.safetensors", id="a-name-without-weights"),
    pytest.param(["--model", "mine=clips/grid_s26_one.npz"], "is not a file of tensors alone", id="no-weights"),
    pytest.param(["--model", "mine=mine.safetensors", "--ablations", "--only", "9"], "no such row. There are no",
                 id="no-such-row"),
    pytest.param(["--model", "mine=mine.safetensors", "--media", "clips"], "2 of 2 films are not below clips",
                 id="no-films"),
])  # fmt: skip
def test_characters_that_cannot_be_measured_are_refused_in_words(
    house: Path, characters: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    options: list[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(characters)
    assert call(monkeypatch, "evaluate", "omnisync", ".", *options) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_characters_need_the_voices_of_two_people_who_were_kept(
    house: Path, characters: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (characters / "clips" / "grid_s31_two.npz").unlink()
    mine = f"mine={characters / 'mine.safetensors'}"
    assert call(monkeypatch, "evaluate", "omnisync", str(characters), "--model", mine) == 2
    assert f"`dubline train prepare {characters} --media MEDIA`" in capsys.readouterr().err
