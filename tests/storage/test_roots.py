"""Roots: one name for a film on every machine, and no way out of the folders they stand for."""

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import Missing, Refused
from storage.roots import here, portable, there
from storage.settings import settings

Rooted = Callable[..., Path]


@pytest.fixture
def rooted(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooted:
    """Sets DUBLINE_ROOTS to NAME=folder below tmp_path, which it returns."""

    def set_roots(**roots: str) -> Path:
        monkeypatch.setenv("DUBLINE_ROOTS", ":".join(f"{name}={tmp_path / folder}" for name, folder in roots.items()))
        settings.cache_clear()
        for folder in roots.values():
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        return tmp_path

    return set_roots


def test_a_path_goes_to_another_machine_and_means_the_same_film_there(rooted: Rooted) -> None:
    one = rooted(films="mnt/films", out="srv/out")
    said = portable(one / "mnt/films/ep1/film.mov")
    assert said == "films:ep1/film.mov" and here(said) == one / "mnt/films/ep1/film.mov"
    rooted(films="nas/pictures", out="nas/out")
    assert here(said) == one / "nas/pictures/ep1/film.mov"


def test_without_roots_a_path_is_a_path(house: Path) -> None:
    assert portable(Path("/mnt/films/film.mov")) == "/mnt/films/film.mov"
    assert here("/mnt/films/film.mov") == Path("/mnt/films/film.mov")


def test_any_name_of_a_file_goes_there_and_back(rooted: Rooted) -> None:
    folder = rooted(films="films")
    film = folder / "films" / "Staffel 1: 東京" / "it's \n a:film.mov"
    assert here(portable(film)) == film


def test_the_longest_root_counts_and_both_names_lead_to_the_file(rooted: Rooted) -> None:
    folder = rooted(all="mnt", ep1="mnt/show/ep1")
    assert portable(folder / "mnt/show/ep1/film.mov") == "ep1:film.mov"
    assert portable(folder / "mnt/show/ep10/film.mov") == "all:show/ep10/film.mov"
    assert here("all:show/ep1/film.mov") == here("ep1:film.mov")


def test_a_root_that_is_a_link_itself_holds_what_lies_behind_it(rooted: Rooted) -> None:
    folder = rooted(films="disk7/films")
    (folder / "mnt").symlink_to(folder / "disk7")
    rooted(films="mnt/films")
    (folder / "disk7/films/film.mov").touch()
    assert portable(folder / "mnt/films/film.mov") == portable(folder / "disk7/films/film.mov") == "films:film.mov"
    assert here("films:film.mov") == folder / "mnt/films/film.mov"


def test_where_one_stands_does_not_matter(rooted: Rooted) -> None:
    folder = rooted(films="films", out="out")
    (folder / "films/film.mov").touch()
    assert portable(folder / "out/../films/film.mov") == "films:film.mov"


def test_a_root_this_machine_does_not_have_is_missing_in_words(rooted: Rooted) -> None:
    rooted(out="out")
    with pytest.raises(
        Missing, match=r"^films:ep1/film.mov: this machine \(.+\) has no root 'films'. Set DUBLINE_ROOT"
    ):
        here("films:ep1/film.mov")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("films:../secret.mov", id="up-and-out"),
        pytest.param("films:ep1/../../secret.mov", id="in-up-and-out"),
        pytest.param("films:/etc/passwd", id="absolute-behind-the-name"),
        pytest.param("films:", id="the-root-itself"),
        pytest.param("films:link/secret.mov", id="through-a-link"),
        pytest.param("films:film.mov", id="a-link"),
        pytest.param("{}/secret.mov", id="beside-the-roots"),
        pytest.param("{}/films/../secret.mov", id="absolute-up-and-out"),
        pytest.param("{}/films/film.mov", id="absolute-a-link"),
        pytest.param("{}/filmsandmore/film.mov", id="a-folder-whose-name-begins-alike"),
    ],
)
def test_nothing_outside_the_roots_is_touched(rooted: Rooted, text: str) -> None:
    folder = rooted(films="films")
    (folder / "secret.mov").touch()
    (folder / "films/link").symlink_to(folder)
    (folder / "films/film.mov").symlink_to(folder / "secret.mov")
    with pytest.raises(Refused, match="root"):
        here(text.format(folder))


def test_a_link_within_its_root_is_no_way_out(rooted: Rooted) -> None:
    folder = rooted(films="films")
    (folder / "films/v2.mov").touch()
    (folder / "films/film.mov").symlink_to("v2.mov")
    assert here("films:film.mov") == folder / "films/film.mov"


def test_a_film_that_is_not_there_is_named_with_its_root_and_its_machine(rooted: Rooted) -> None:
    folder = rooted(films="films")
    film = folder / "films/ep1.mov"
    with pytest.raises(Missing) as missing:
        there(film)
    said = str(missing.value)
    assert said.startswith("films:ep1.mov is not here") and platform.node() in said and str(film) in said
    (folder / "films").rmdir()
    with pytest.raises(Missing, match=r"folder .*films of the root 'films' is not there either: mount it, then retry"):
        there(film)
    (folder / "films").mkdir()
    film.touch()
    assert there(film) == film


def test_without_roots_a_film_that_is_not_there_names_the_machine(house: Path) -> None:
    with pytest.raises(Missing, match=r"has no file /nowhere/film.mov. Mount the volume, or .* DUBLINE_ROOTS"):
        there(Path("/nowhere/film.mov"))


@pytest.mark.parametrize(
    ("roots", "says"),
    [
        pytest.param("films=/a:films=/b", "'films' is given twice", id="one-name-twice"),
        pytest.param("films=/a:out=/a/", "films and out are both /a", id="one-folder-twice"),
        pytest.param("films=mnt/films", "whole path", id="relative"),
        pytest.param("films=", "whole path", id="no-folder"),
        pytest.param("/mnt/films", "not NAME=FOLDER", id="no-name"),
        pytest.param("films=/a:", "not NAME=FOLDER", id="a-colon-too-many"),
        pytest.param("1=/a", "not NAME=FOLDER", id="no-name-at-all"),
    ],
)
def test_roots_that_make_no_sense_are_refused(
    house: Path, monkeypatch: pytest.MonkeyPatch, roots: str, says: str
) -> None:
    monkeypatch.setenv("DUBLINE_ROOTS", roots)
    with pytest.raises(Refused, match=says):
        settings()
