"""The job: the same on every machine when it is written down, this machine's paths when it is held."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import DublineError, Missing, Refused
from storage.settings import settings
from tasks.job import EpisodeJob, asked, nowhere

WISHES: dict[str, Any] = {"film": "films:ep1/film.mov", "dub": "films:ep1/fr.wav", "out": "out:ep1.fr.mov"}


@pytest.fixture
def roots(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(monkeypatch, "films=/mnt/films:out=/srv/out")


def mapped(monkeypatch: pytest.MonkeyPatch, roots: str) -> None:
    monkeypatch.setenv("DUBLINE_ROOTS", roots)
    settings.cache_clear()


def test_a_job_written_on_one_machine_is_read_on_another(roots: None, monkeypatch: pytest.MonkeyPatch) -> None:
    job = EpisodeJob(
        film=Path("/mnt/films/film.mov"), dub=Path("/mnt/films/fr.wav"), out=Path("/srv/out/fr.mov"),
        stems={"Anna": Path("/mnt/films/anna.wav")},
    )  # fmt: skip
    written = json.loads(json.dumps(job.model_dump(mode="json")))
    assert written["film"] == "films:film.mov" and written["out"] == "out:fr.mov"
    assert written["stems"] == {"Anna": "films:anna.wav"}
    mapped(monkeypatch, "films=/nas/pictures:out=/nas/out")
    read = EpisodeJob.model_validate(written)
    assert read.film == Path("/nas/pictures/film.mov") and read.stems == {"Anna": Path("/nas/pictures/anna.wav")}
    assert read.model_dump(mode="json") == written


def test_a_job_that_only_asks_for_a_plan_is_known_as_one_on_every_machine(
    roots: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = WISHES | {"out": nowhere(Path(WISHES["film"]))}
    assert not asked(**wishes).delivers and asked(**WISHES).delivers
    written = asked(**wishes).model_dump(mode="json")
    assert written["out"] == "films:ep1/film.planned.mkv"
    mapped(monkeypatch, "films=/nas/pictures")
    assert not EpisodeJob.model_validate(written).delivers


def test_both_forms_of_a_path_are_the_same_job(roots: None) -> None:
    whole = {"film": "/mnt/films/ep1/film.mov", "dub": "/mnt/films/ep1/fr.wav", "out": "/srv/out/ep1.fr.mov"}
    assert EpisodeJob.model_validate(WISHES) == EpisodeJob.model_validate(whole)
    assert EpisodeJob.model_validate_json(json.dumps(WISHES)).film == Path("/mnt/films/ep1/film.mov")


def test_without_roots_a_job_is_written_as_it_was_given(house: Path) -> None:
    given = {"film": "/films/film.mov", "dub": "/films/fr.wav", "out": "/out/fr.mov"}
    written = EpisodeJob.model_validate(given).model_dump(mode="json")
    assert {name: written[name] for name in given} == given


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        pytest.param({"film": "disk:film.mov"}, Missing, id="no-such-root"),
        pytest.param({"dub": "films:../fr.wav"}, Refused, id="out-of-its-root"),
        pytest.param({"out": "/etc/passwd"}, Refused, id="under-no-root"),
        pytest.param({"stems": {"Anna": "disk:anna.wav"}}, Missing, id="a-stem"),
    ],
)
def test_what_is_wrong_with_roots_is_an_error_of_dublines(
    roots: None, wish: dict[str, Any], kind: type[DublineError]
) -> None:
    with pytest.raises(kind, match="root"):
        EpisodeJob.model_validate(WISHES | wish)
    with pytest.raises(kind, match="root"):
        asked(**WISHES | wish)


def test_a_path_that_depends_on_where_one_stands_is_a_red_field(house: Path) -> None:
    with pytest.raises(Refused, match=r"film: 'film.mov' depends on where one stands"):
        asked(film="film.mov", dub="/fr.wav", out="/fr.mov")


def test_an_input_is_not_written_to_under_another_name_either(roots: None) -> None:
    with pytest.raises(Refused, match="also an input"):
        asked(**WISHES | {"out": "/mnt/films/ep1/fr.wav"})


def test_the_form_of_a_job_asks_for_paths(house: Path) -> None:
    form = EpisodeJob.model_json_schema()["properties"]
    assert {form[name]["format"] for name in ("film", "dub", "out")} == {"path"}
