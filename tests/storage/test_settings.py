"""Settings: defaults that work, names that are checked, values that stay secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.errors import Refused
from storage.settings import settings


def test_without_any_setting_everything_lies_in_home(house: Path) -> None:
    assert settings().home == house
    assert settings().catalog_url == f"sqlite:///{house}/catalog.sqlite"
    assert settings().artifacts_url == f"file://{house}/artifacts"
    assert not house.exists()  # reading settings makes nothing


def test_settings_are_read_once_and_cannot_be_changed(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv("DUBLINE_HOME", "/elsewhere")
    assert settings() is before
    with pytest.raises(ValidationError, match="frozen"):
        before.home = Path("/elsewhere")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("DUBLINE_ARTEFACTS", "Did you mean DUBLINE_ARTIFACTS?", id="near"),
        pytest.param("DUBLINE_QUUX", "There are DUBLINE_ARTIFACTS, ", id="far"),
    ],
)
def test_a_name_nobody_knows_is_refused(house: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str) -> None:
    monkeypatch.setenv(name, "s3://bucket")
    with pytest.raises(Refused, match=hint):
        settings()


def test_the_developers_media_folder_is_no_setting_and_no_error(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_SHARED", "/media/shared")
    assert settings().home == house


def test_a_wrong_value_is_named_and_not_printed(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_CATALOG", "joe:secret@host")
    with pytest.raises(Refused, match="DUBLINE_CATALOG") as refused:
        settings()
    assert "secret" not in str(refused.value)


def test_the_repr_hides_what_may_hold_a_password(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_CATALOG", "postgresql+psycopg://joe:secret@host/dubline")
    assert "secret" not in repr(settings())
