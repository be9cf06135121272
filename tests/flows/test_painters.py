"""Before an hour is spent: whether the models of a job can be had, and what they can be told."""

from pathlib import Path
from typing import Any

import pytest

from flows import painters
from models.diff2lip import render as diff2lip
from models.omnisync import render as omnisync
from storage.errors import Missing, Refused
from tasks.job import EpisodeJob


def job(**wishes: Any) -> EpisodeJob:
    return EpisodeJob(film=Path("/film.mov"), dub=Path("/dub.wav"), out=Path("/out.mov"), **wishes)


@pytest.fixture
def supplied(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of both models, as far as anybody looks here."""
    for model in (diff2lip, omnisync):
        (tmp_path / f"{model.__name__}.safetensors").touch()
        monkeypatch.setattr(model, "WEIGHTS", tmp_path / f"{model.__name__}.safetensors")
    return tmp_path


def test_a_job_without_a_model_needs_all_that_faces_may_be_sent_to(supplied: Path) -> None:
    painters.check(job())
    omnisync.WEIGHTS.unlink()
    with pytest.raises(Missing, match="weights of omnisync starter are missing"):
        painters.check(job())
    painters.check(job(model="diff2lip"))


def test_a_prompt_that_no_model_knows_is_answered_with_those_there_are(supplied: Path) -> None:
    painters.check(job(prompt="clear teeth"))
    painters.check(job(prompt="calm", model="diff2lip"))  # which takes none, and draws as ever
    with pytest.raises(Refused, match=r"prompt 'loud'\. The prompts are: 'calm', 'clear teeth', 'lively'"):
        painters.check(job(prompt="loud"))
    with pytest.raises(Refused, match="no model 'magic'"):
        painters.check(job(model="magic"))
