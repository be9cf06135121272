"""The numbers of a training, read strictly from one table of a TOML file.

A file with a table, a name or a kind of value that is not meant is refused: a misspelt setting would train for a night
with the old one.
"""

import tomllib
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

KINDS: Final = {
    int: "whole number", float: "number", bool: "true or false", str: "word", list[float]: "pair of numbers",
}  # fmt: skip

T = TypeVar("T")


def table(path: Path, name: str, known: Collection[str], model: Path) -> dict[str, Any]:
    """One table of the file.

    known    all tables the file may have
    model    the file that has them all, for the message
    raises   ValueError naming what is wrong; OSError
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:  # no TOML, or no text
        raise ValueError(f"{path} cannot be read: {error}") from error
    for key in tables:
        if key not in known:
            raise ValueError(f"{path} has a table or setting {key}, which nothing reads; there are {', '.join(known)}")
    found = tables.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"{path} has no table [{name}]; a copy of {model} has them all")
    return found


def strict(kind: type[T], table: Any, where: str) -> T:
    """The table as a dataclass whose fields are all there, of their kinds, and nothing else is.

    raises   ValueError naming the setting that is missing, of another kind, or that nobody reads
    """
    if not isinstance(table, dict):
        raise ValueError(f"{where} is no table")
    wanted: dict[str, Any] = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    for name in [*wanted, *table]:
        if name not in table:
            raise ValueError(f"{where} lacks {name}")
        if name not in wanted:
            raise ValueError(f"{where} sets {name}, which nothing reads; there are {', '.join(wanted)}")
        if not _fits(table[name], wanted[name]):
            raise ValueError(f"{where} sets {name} to {table[name]!r}, which is no {KINDS[wanted[name]]}")
    try:
        return kind(**table)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _fits(value: Any, kind: Any) -> bool:
    if kind == list[float]:
        return isinstance(value, list) and len(value) == 2 and all(_fits(one, float) for one in value)
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)
