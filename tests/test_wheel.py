"""The wheel works far from any checkout: it brings its migrations, its page, its face models and its licences."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BROUGHT_ALONG = ("pyproject.toml", "README.md", "prefect.yaml", "flows", "tasks", "models", "storage", "migrations")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, which is what installing it without its requirements comes to."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in BROUGHT_ALONG:  # built from a copy: setuptools leaves a build folder behind
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / "source").mkdir(exist_ok=True)
            shutil.copy(source, folder / "source" / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", folder, folder / "source"], check=True)
    (wheel,) = folder.glob("dubline-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize(
    "name",
    [
        "migrations/env.py",
        "migrations/script.py.mako",
        "migrations/versions/0001_the_thirteen_tables.py",
        "tasks/report.html",
        "tasks/route.toml",
        "models/ledger.toml",
        "models/face/weights/face_landmark.tflite",
        "models/face/weights/NOTICE",
    ],
)
def test_it_holds_more_than_code(installed: Path, name: str) -> None:
    assert (installed / name).is_file()


def test_it_holds_no_tests(installed: Path) -> None:
    assert not (installed / "tests").exists()


def test_it_starts_and_makes_a_catalog_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("DUBLINE_")}
    env = outside | {"PYTHONPATH": str(installed), "DUBLINE_HOME": str(tmp_path / "house")}
    for arguments in (["--help"], ["status"]):
        command = [sys.executable, "-m", "flows.cli", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "house" / "catalog.sqlite").is_file()
    where = [sys.executable, "-c", "import flows.cli, migrations; print(flows.cli.__file__, migrations.__file__)"]
    said = subprocess.run(where, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert all(Path(path).is_relative_to(installed) for path in said.split())


def test_a_farm_finds_its_deployments_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    look = "from flows.farm.fittings import prefect_yaml, read; print(prefect_yaml()); assert len(read()) >= 3"
    env = os.environ | {"PYTHONPATH": str(installed)}
    said = subprocess.run(
        [sys.executable, "-c", look], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert Path(said.stdout.strip()).is_relative_to(installed)
