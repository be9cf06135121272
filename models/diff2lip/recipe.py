"""The numbers of one training run, read from training.toml, where each has its reason."""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

SETTINGS: Final = Path(__file__).parent / "training.toml"
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


def read(variant: str, path: Path = SETTINGS) -> Recipe:
    """The recipe of `starter` or `paper`.

    raises   ValueError naming the setting that is missing or that nobody reads
    """
    table = tomllib.loads(path.read_text("utf-8")).get(variant)
    if table is None:
        raise ValueError(f"{path} has no table [{variant}]")
    losses = _strict(Losses, table.pop("losses", {}), f"{path} [{variant}.losses]")
    critic = _strict(CriticRecipe, table.pop("critic", {}), f"{path} [{variant}.critic]")
    return _strict(Recipe, table | {"losses": losses, "critic": critic}, f"{path} [{variant}]")


def _strict(kind: type[T], table: dict[str, Any], where: str) -> T:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in [*names, *table]:
        if name not in table:
            raise ValueError(f"{where} lacks {name}")
        if name not in names:
            raise ValueError(f"{where} sets {name}, which nothing reads; there are {', '.join(names)}")
    return kind(**table)
