"""Artifacts: kept once, whole or not at all, the same on every machine."""

import hashlib
from pathlib import Path

import fsspec
import numpy as np
import pytest

from storage import artifacts
from storage.errors import Missing
from storage.settings import settings


def files(root: Path) -> list[Path]:
    return [found for found in root.rglob("*") if found.is_file()]


def test_a_file_is_kept_under_the_hash_of_its_bytes(house: Path, tmp_path: Path) -> None:
    source = tmp_path / "patch.mkv"
    source.write_bytes(b"picture")
    kept = artifacts.put(source, "patch", ".mkv")
    assert kept.sha == hashlib.sha256(b"picture").hexdigest() and kept.bytes == 7
    assert artifacts.path(kept.sha, ".mkv").read_bytes() == b"picture"
    assert source.exists()


def test_the_same_bytes_are_written_once(house: Path, tmp_path: Path) -> None:
    source = tmp_path / "patch.mkv"
    source.write_bytes(b"picture")
    first = artifacts.path(artifacts.put(source, "patch", ".mkv").sha, ".mkv")
    first.chmod(0o400)
    stamp = first.stat()
    artifacts.put(source, "patch", ".mkv")
    assert first.stat() == stamp and files(house) == [first]


def test_an_interrupted_copy_leaves_no_name(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    source = tmp_path / "patch.mkv"
    source.write_bytes(b"picture")
    monkeypatch.setattr("shutil.copyfileobj", power_cut)
    with pytest.raises(KeyboardInterrupt):
        artifacts.put(source, "patch", ".mkv")
    assert all(left.name.endswith(".part") for left in files(house))


def test_arrays_come_back_and_equal_arrays_make_equal_names(house: Path) -> None:
    rng = np.random.default_rng(seed=7)
    points, n = rng.random((5, 468, 2), dtype=np.float32), np.array(5)
    kept = artifacts.put_arrays("geometry", {"points": points, "n": n})
    again = artifacts.put_arrays("geometry", {"n": n, "points": np.asfortranarray(points)})
    back = artifacts.arrays(kept.sha)
    assert again.sha == kept.sha
    assert set(back) == {"points", "n"} and back["n"].shape == ()
    assert back["points"].dtype == np.float32 and (back["points"] == points).all()


def test_the_name_of_known_arrays_never_changes(house: Path) -> None:
    kept = artifacts.put_arrays("geometry", {"frames": np.arange(3, dtype=np.int32)})
    assert kept.sha == "223258f9edee7df4a4bc6c65c2ba08768d838f5a9a34860515359d403311253d"


def test_arrays_of_python_objects_are_no_arrays(house: Path) -> None:
    with pytest.raises(ValueError, match="points"):
        artifacts.put_arrays("geometry", {"points": np.array([None])})


def test_what_is_gone_is_named(house: Path) -> None:
    with pytest.raises(Missing, match=r"aaaa\.npz is not in"):
        artifacts.arrays("aaaa")


def test_a_remote_store_is_read_through_a_copy_in_home(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_ARTIFACTS", "memory://bucket/dubline")
    settings.cache_clear()
    kept = artifacts.put_arrays("geometry", {"frames": np.arange(3)})
    store = fsspec.filesystem("memory")
    assert [Path(name).name for name in store.find("/bucket")] == [f"{kept.sha}.npz"]
    assert files(house) == []
    assert (artifacts.arrays(kept.sha)["frames"] == np.arange(3)).all()
    store.rm("/bucket", recursive=True)
    assert (artifacts.arrays(kept.sha)["frames"] == np.arange(3)).all()
    assert len(files(house / "cache")) == 1


def test_a_remote_file_that_arrives_damaged_is_not_used(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_ARTIFACTS", "memory://broken")
    settings.cache_clear()
    fsspec.filesystem("memory").pipe("/broken/ab/ab.npz", b"not these bytes")
    with pytest.raises(Missing, match="damaged"):
        artifacts.path("ab", ".npz")
    assert files(house) == []
