"""Measuring by command: nothing is measured twice, processes share the work, and what cannot be measured is said."""

import json
from pathlib import Path

import pytest

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
