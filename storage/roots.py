"""Where the same film lies on different machines: `films:ep1/film.mov` is a path that all of them understand.

DUBLINE_ROOTS names the folders of this machine; the catalog, and what the farm is asked for, hold the names. Where
roots are set, nothing outside them is touched: a path under none of them is refused, and so is one that leaves its
root by `..` or by a link. Without roots a path is a path, and all machines must see it in the same place.
Deliberately not here: whether a link is changed after it was looked at.
"""

import platform
from pathlib import Path

from storage.errors import Missing, Refused
from storage.settings import ROOT_NAME, settings


def portable(path: Path) -> str:
    """The path as every machine understands it: `films:ep1/film.mov`, or as it is where it lies under no root.

    The longest root that holds it counts.
    """
    name, rest = _located(path)
    return f"{name}:{rest.as_posix()}" if name else str(path)


def rooted(text: str) -> bool:
    """Whether the text begins with a root's name, known on this machine or not."""
    name, colon, _ = text.partition(":")
    return bool(colon and ROOT_NAME.fullmatch(name))


def here(text: str) -> Path:
    """Where this machine has what `portable` wrote, or a whole path as it is.

    raises  Missing if this machine has no root of that name; Refused for what leaves its root, for a path under none
            where roots are set, and for one that depends on where one stands
    """
    if not rooted(text):
        return _within(Path(text))
    name, _, rest = text.partition(":")
    if (root := settings().roots.get(name)) is None:
        raise Missing(
            f"{text}: {_this_machine()} has no root '{name}'. Set DUBLINE_ROOTS={name}=/where/they/lie on it, "
            "then retry the shot."
        )
    if not rest or Path(rest).is_absolute() or ".." in Path(rest).parts:
        raise Refused(f"{text} leaves the root '{name}'. Behind the name stands the way from {root} down to a file.")
    return _contained(root / rest, name, root)


def there(path: Path) -> Path:
    """The path, if a file lies there; Missing in the words of the farm if this machine does not have it."""
    if path.is_file():
        return path
    name, _ = _located(path)
    root = settings().roots[name] if name else None
    where = f"{portable(path)} is not here: " if root else ""
    if root and not root.is_dir():
        do = f"The folder {root} of the root '{name}' is not there either: mount it"
    elif root:
        do = f"Its root '{name}' is {root}: put the file there, or set DUBLINE_ROOTS to where it lies"
    else:
        do = "Mount the volume, or give each machine its DUBLINE_ROOTS"
    raise Missing(f"{where}{_this_machine()} has no file {path}. {do}, then retry the shot.")


def _within(path: Path) -> Path:
    """A whole path; where there are roots, it must lie under one."""
    if not path.is_absolute():
        raise Refused(f"'{path}' depends on where one stands. Give the whole path, from / on.")
    roots = settings().roots
    if not roots:
        return path
    name, rest = _located(path)
    if not name:
        known = ", ".join(f"{root} ({each})" for each, root in roots.items())
        raise Refused(f"{path} lies under no root of {_this_machine()}. Put it under {known}, or change DUBLINE_ROOTS.")
    return _contained(roots[name] / rest, name, roots[name])


def _located(path: Path) -> tuple[str, Path]:
    """The root's name and the way from it, or "" and the path itself."""
    longest_first = sorted(settings().roots.items(), key=lambda item: -len(item[1].parts))
    if ".." not in path.parts:
        for name, root in longest_first:
            if path != root and path.is_relative_to(root):
                return name, path.relative_to(root)
    real = path.resolve()
    for name, root in longest_first:
        if real != root.resolve() and real.is_relative_to(root.resolve()):
            return name, real.relative_to(root.resolve())
    return "", path


def _contained(path: Path, name: str, root: Path) -> Path:
    if not path.resolve().is_relative_to(root.resolve()):
        raise Refused(
            f"{name}:{path.relative_to(root).as_posix()} is a link out of its root: it leads to {path.resolve()}. "
            f"Put the file itself under {root}."
        )
    return path


def _this_machine() -> str:
    return f"this machine ({platform.node()})"
