"""What lies in deploy/ is what this Dubline and this Prefect understand: units, containers, settings by their names."""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import prefect.settings
import pytest
import typer
import yaml

from flows.cli import app
from flows.farm import env
from storage.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
OF_DUBLINE = {PREFIX + name.upper() for name in Settings.model_fields}


def unit(file: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(file)
    return read


def settings_named() -> set[str]:
    """Every DUBLINE_* and PREFECT_* that is spoken of, comments included; and those that `dubline up` sets."""
    said = "\n".join(file.read_text() for file in DEPLOY.iterdir())
    ours = {*env.ALL, *env.SERVER, *env.POSTGRESQL, *env.WORKER, env.DATABASE, env.AUTH, env.SERVER_AUTH}
    return ours | set(re.findall(r"\b(?:DUBLINE|PREFECT)_[A-Z0-9_]+", said))


def test_every_setting_that_is_named_is_one() -> None:
    unknown = {
        name
        for name in settings_named() - OF_DUBLINE - {"DO_NOT_TRACK", "PYTHONSAFEPATH"}
        if not (name.startswith("PREFECT_") and hasattr(prefect.settings, name))
    }
    assert not unknown


def test_nothing_in_it_is_a_password() -> None:
    for file in DEPLOY.iterdir():
        for line in file.read_text().splitlines():
            if re.match(r"#?\w*(PASSWORD|SECRET|AUTH_STRING|KEY_ID)\w*[=:]", line.strip()) or "://dubline:" in line:
                assert "CHANGE-ME" in line, f"{file.name}: {line}"


@pytest.mark.parametrize("file", UNITS, ids=[file.name for file in UNITS])
def test_a_unit_starts_a_command_that_there_is_and_leaves_no_process(file: Path) -> None:
    service = unit(file)["Service"]
    program, *words = shlex.split(service["ExecStart"].replace("%i", "0"))
    assert Path(program).name == "dubline"
    _understood(words)
    assert service["Restart"] == "always" and service["KillMode"] in ("mixed", "control-group")
    assert service["EnvironmentFile"].startswith("/etc/dubline/") and service["User"] != "root"


def _understood(words: list[str]) -> None:
    """As the command line reads it, without starting anything."""
    command: Any = typer.main.get_command(app)
    name, *options = words
    command.commands[name].make_context(name, options)


def test_compose_keeps_the_farm_inside_and_passwords_out() -> None:
    said = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert said["networks"]["inside"] == {"internal": True}
    for name, service in said["services"].items():
        assert service["env_file"] == "dubline.env" and "environment" not in service, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert service["init"] is True and "inside" in service["networks"], name
        if name != "database":
            _understood(service["command"])
    published = [name for name, service in said["services"].items() if "ports" in service]
    assert published == ["server"] == [name for name, each in said["services"].items() if "door" in each["networks"]]


def test_the_settings_file_has_no_name_twice_and_nothing_a_shell_would_read_otherwise() -> None:
    lines = (DEPLOY / "dubline.env.example").read_text().splitlines()
    pairs = [line.partition("=")[::2] for line in lines if line and not line.startswith("#")]
    assert len({name for name, _ in pairs}) == len(pairs)
    assert all(re.fullmatch(r"[A-Z0-9_]+", name) and re.fullmatch(r"[^\s'\"$]+", value) for name, value in pairs)
