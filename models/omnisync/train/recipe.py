"""The numbers of one training run of OmniSync, read from training.toml, where each has its reason."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from models.training.tables import strict, table

SETTINGS: Final = Path(__file__).parent / "training.toml"
TABLES: Final = ("starter",)
PAIRS: Final = ("exact", "timed", "arbitrary")


@dataclass(frozen=True, slots=True)
class Losses:
    """Weights; 0 leaves a loss out."""

    flow: float
    picture: float
    edges: float
    parts: float
    colours: float
    law: float


@dataclass(frozen=True, slots=True)
class Recipe:
    seed: int
    steps: int
    clips: int
    sequences: float
    rate: float
    last_rate: float
    warm_up: int
    decay: float
    average: float
    save_every: int
    noisy_until: float
    shift: float
    begun: float
    sharp_from: float
    pairs: str
    filmed: float
    filmed_from: float
    unheard: float
    unasked: float
    rare: float
    losses: Losses

    def __post_init__(self) -> None:
        for name in ("steps", "clips", "warm_up", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        if self.pairs not in PAIRS:
            raise ValueError(f"pairs is {self.pairs!r}; there are {', '.join(PAIRS)}")

    def without(self, *names: str) -> "Recipe":
        """The same without some losses; raises ValueError naming what can be left out."""
        known = [field.name for field in fields(Losses)]
        for name in names:
            if name not in known:
                raise ValueError(f"there is no {name!r} to leave out; there are {', '.join(known)}")
        return replace(self, losses=replace(self.losses, **dict.fromkeys(names, 0.0)))


def read(path: Path = SETTINGS) -> Recipe:
    """The recipe of the starter.

    raises   ValueError naming the setting that is missing, of another kind, or that nobody reads; OSError
    """
    found = table(path, "starter", TABLES, SETTINGS)
    losses = strict(Losses, found.pop("losses", {}), f"{path} [starter.losses]")
    return strict(Recipe, found | {"losses": losses}, f"{path} [starter]")
