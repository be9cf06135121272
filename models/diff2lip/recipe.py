"""The numbers of one training run, read from training.toml, where each has its reason.

A file with a table, a name or a kind of value that is not meant is refused: a misspelt setting would train for a night
with the old one.
"""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

SETTINGS: Final = Path(__file__).parent / "training.toml"
TABLES: Final = ("syncnet", "starter", "paper")
KINDS: Final = {int: "whole number", float: "number", bool: "true or false", list[float]: "pair of numbers"}
FRAMES: Final = 5  # of a run that the sync expert and the critic see at once, as in the paper

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Losses:
    """Weights; 0 leaves a loss out."""

    simple: float
    picture: float
    edges: float
    texture: float
    perceptual: float
    sync: float
    adversarial: float
    matching: float


@dataclass(frozen=True, slots=True)
class CriticRecipe:
    rate: float
    betas: list[float]
    alone: float


@dataclass(frozen=True, slots=True)
class Recipe:
    seed: int
    steps: int
    finish_from: float
    clips: int
    finish_clips: int
    rate: float
    last_rate: float
    warm_up: int
    decay: float
    average: float
    save_every: int
    noise: bool
    pure_noise: float
    losses: Losses
    critic: CriticRecipe

    def __post_init__(self) -> None:
        for name in ("steps", "clips", "finish_clips", "warm_up", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")

    def without(self, *names: str) -> "Recipe":
        """The same without some losses, or without `noise`: how experiments are told apart.

        raises   ValueError naming what can be left out
        """
        known = [*(field.name for field in fields(Losses)), "noise"]
        for name in names:
            if name not in known:
                raise ValueError(f"there is no {name!r} to leave out; there are {', '.join(known)}")
        losses = replace(self.losses, **dict.fromkeys([name for name in names if name != "noise"], 0.0))
        return replace(self, losses=losses, noise=self.noise and "noise" not in names)


@dataclass(frozen=True, slots=True)
class Experts:
    """The numbers of models/syncnet/train.py `teach`."""

    points_steps: int
    pixels_steps: int
    seed: int
    judge_seed: int

    def __post_init__(self) -> None:
        if self.seed == self.judge_seed:
            raise ValueError(f"seed and judge_seed are both {self.seed}; then the judge would be the expert")
        for name in ("points_steps", "pixels_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")


def read(variant: str, path: Path = SETTINGS) -> Recipe:
    """The recipe of `starter` or `paper`.

    raises   ValueError naming the setting that is missing, of another kind, or that nobody reads; OSError
    """
    table = _table(variant, path)
    losses = _strict(Losses, table.pop("losses", {}), f"{path} [{variant}.losses]")
    critic = _strict(CriticRecipe, table.pop("critic", {}), f"{path} [{variant}.critic]")
    return _strict(Recipe, table | {"losses": losses, "critic": critic}, f"{path} [{variant}]")


def read_experts(path: Path = SETTINGS) -> Experts:
    """The table [syncnet]; raises as `read` does."""
    return _strict(Experts, _table("syncnet", path), f"{path} [syncnet]")


def _table(name: str, path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:  # no TOML, or no text
        raise ValueError(f"{path} cannot be read: {error}") from error
    for key in tables:
        if key not in TABLES:
            raise ValueError(f"{path} has a table or setting {key}, which nothing reads; there are {', '.join(TABLES)}")
    table = tables.get(name)
    if not isinstance(table, dict):
        raise ValueError(f"{path} has no table [{name}]; a copy of {SETTINGS} has them all")
    return table


def _strict(kind: type[T], table: Any, where: str) -> T:
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
