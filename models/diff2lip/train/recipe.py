"""The numbers of one training run, read from training.toml, where each has its reason."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from models.training.tables import strict, table

SETTINGS: Final = Path(__file__).parent / "training.toml"
TABLES: Final = ("syncnet", "starter", "paper")
FRAMES: Final = 5  # of a run that the sync expert and the critic see at once, as in the paper


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
    found = table(path, variant, TABLES, SETTINGS)
    losses = strict(Losses, found.pop("losses", {}), f"{path} [{variant}.losses]")
    critic = strict(CriticRecipe, found.pop("critic", {}), f"{path} [{variant}.critic]")
    return strict(Recipe, found | {"losses": losses, "critic": critic}, f"{path} [{variant}]")


def read_experts(path: Path = SETTINGS) -> Experts:
    """The table [syncnet]; raises as `read` does."""
    return strict(Experts, table(path, "syncnet", TABLES, SETTINGS), f"{path} [syncnet]")
