"""Before an hour is spent: whether the models of a job can be had, and what they can be told."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from flows import painters
from models.diff2lip import render as diff2lip
from models.omnisync import render as omnisync
from storage.errors import Missing, Refused
from storage.settings import settings
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


def test_a_job_that_asks_for_no_model_goes_on_without_one_whose_weights_are_not_here(supplied: Path) -> None:
    assert painters.check(job()) == {}
    omnisync.WEIGHTS.unlink()
    assert painters.check(job()) == {"omnisync": "its weights are not on this machine"}
    assert painters.check(job(model="diff2lip")) == {}
    with pytest.raises(Missing, match="weights of omnisync starter are missing"):
        painters.check(job(model="omnisync"))
    diff2lip.WEIGHTS.unlink()
    with pytest.raises(Missing, match="weights of omnisync starter are missing"):  # the table names it first
        painters.check(job())


def test_a_machine_that_only_routes_is_not_asked_for_weights(supplied: Path) -> None:
    """On a farm those who draw have them."""
    omnisync.WEIGHTS.unlink()
    assert painters.permit(job()) == {} == painters.permit(job(model="omnisync"))


def test_a_licence_bars_a_model_from_the_rules_and_refuses_a_job_that_asks_for_it(supplied: Path) -> None:
    barred = {"diff2lip": "the licence of its paper weights forbids commercial work"}
    assert painters.permit(job(variant="paper", purpose="commercial")) == barred
    assert painters.permit(job(variant="paper", purpose="research")) == {}
    with pytest.raises(Refused, match="weights of diff2lip paper may not be used commercially"):
        painters.permit(job(variant="paper", purpose="commercial", model="diff2lip"))
    with pytest.raises(Refused, match="omnisync has no variant 'magic'"):
        painters.permit(job(variant="magic"))


def test_a_wrong_table_of_rules_is_refused_before_anything(supplied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = supplied / "route.toml"
    table.write_text('[[choice]]\nmodel = "magic"\nsay = "a face"')
    monkeypatch.setenv("DUBLINE_ROUTES", str(table))
    settings.cache_clear()
    for ask in (painters.check, painters.permit):
        with pytest.raises(Refused, match="choice 1: there is no model 'magic'"):
            ask(job())
        with pytest.raises(Refused, match="cannot be used: choice 1"):
            ask(job(model="diff2lip"))  # whose limits stand there too


def test_a_prompt_that_no_model_knows_is_answered_with_those_there_are(supplied: Path) -> None:
    painters.check(job(prompt="clear teeth"))
    painters.check(job(prompt="calm", model="diff2lip"))  # which takes none, and draws as ever
    with pytest.raises(Refused, match=r"prompt 'loud'\. The prompts are: 'calm', 'clear teeth', 'lively'"):
        painters.check(job(prompt="loud"))
    with pytest.raises(Refused, match="no model 'magic'"):
        painters.check(job(model="magic"))


def test_weights_of_another_model_are_refused_and_a_file_that_lacks_is_named(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the whole job, not shot by shot."""
    monkeypatch.setenv("DUBLINE_WEIGHTS", str(tmp_path))
    settings.cache_clear()
    save_file({"stranger": torch.zeros(1)}, tmp_path / "diff2lip.safetensors")
    with pytest.raises(Refused, match="weights of diff2lip paper cannot be used"):
        painters.loaded("diff2lip", "paper")
    monkeypatch.setattr("models.omnisync.paper.load", lambda *_, **__: (tmp_path / "vae.safetensors").open())
    save_file({"stranger": torch.zeros(1)}, tmp_path / "omnisync.safetensors")
    with pytest.raises(Missing, match=r"omnisync paper needs .*vae\.safetensors, which is not there"):
        painters.loaded("omnisync", "paper")
