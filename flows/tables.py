"""Prints facts: as tables for people, as JSON for programs; the same facts in both."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

Fact = Mapping[str, Any]

LONG: Final = 6  # a longer list within a table is counted
SHA: Final = 64  # hexadecimal digits; people compare the first twelve


def show(facts: Fact | Sequence[Fact], as_json: bool) -> None:
    """Print: JSON, a table for a list of facts, a heading with its tables for one."""
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    elif isinstance(facts, Mapping):
        for key, value in facts.items():
            if not _is_table(value) and value not in ([], {}):
                print(f"{key:<11} {_cell(value)}")
        for key, value in facts.items():
            if _is_table(value):
                print(f"\n{key}")
                _print_table(value)
    elif facts:
        _print_table(facts)
    else:
        print("Nothing yet. `dubline dub FILM DUB -o OUT` makes the first episode.", file=sys.stderr)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


def _cell(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else ""
        case float():
            return f"{value:.2f}"
        case Mapping():
            return ", ".join(f"{n} {key}" for key, n in value.items())
        case list() if _is_table(value):
            return "; ".join(" ".join(_cell(v) for v in each.values() if v != "") for each in value)
        case list() if len(value) > LONG:
            return f"{len(value)} of them"
        case list():
            return ", ".join(map(str, value))
        case str() if len(value) == SHA:
            return value[:12]
    return str(value)


def _print_table(rows: Sequence[Fact]) -> None:
    """Columns as wide as their widest cell; the last one runs on, so that a pipe cuts nothing."""
    columns = list(rows[0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    for line in cells:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
