"""A full disk: which folder it is, nothing half-written, and worth another try."""

import errno
from pathlib import Path

import pytest

from flows.scratch import scratch
from storage import artifacts
from storage.errors import Unreachable
from storage.film import programs
from storage.room import room
from tests.shoot import draw_film

FULL = Path("/dev/full")  # takes nothing: every write to it ends with ENOSPC


def test_the_folder_without_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=f"no room left in {tmp_path}: its disk is full") as full, room(tmp_path):
        FULL.write_bytes(b"one byte")
    assert full.value.retryable
    with pytest.raises(Unreachable, match="its quota is used up"), room(tmp_path):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")


def test_other_errors_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), room(tmp_path):
        (tmp_path / "nothing").read_bytes()


def test_an_artifact_that_finds_no_room_has_no_name(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "patch.mkv"
    source.write_bytes(b"picture")
    with monkeypatch.context() as full:
        link = tmp_path / "part"
        link.symlink_to(FULL)
        full.setattr(artifacts, "_part", lambda name: link)
        with pytest.raises(Unreachable, match=f"no room left in {house / 'artifacts'}"):
            artifacts.put(source, "patch", ".mkv")
    assert not [path for path in house.rglob("*") if path.is_file()]
    assert artifacts.holds(artifacts.put(source, "patch", ".mkv"))


def test_a_film_that_finds_no_room_while_it_is_drawn_names_the_scratch(house: Path) -> None:
    with pytest.raises(Unreachable, match=f"no room left in {house / 'scratch'}"), scratch() as folder:
        (folder / "patch.mkv").symlink_to(FULL)
        draw_film(folder / "patch.mkv", 24, codec="ffv1")


def test_ffmpeg_that_finds_no_room_is_worth_another_try(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mkv", 24, codec="ffv1")
    with pytest.raises(Unreachable, match=r"^ffmpeg\S* found no room left: "):
        programs.ffmpeg(["-i", str(film), "-f", "rawvideo", str(FULL)])
