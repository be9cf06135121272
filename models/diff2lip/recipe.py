"""Every number of a training run of the starter's network, each with its reason, read from one TOML file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What a run does; recipe.toml gives the reasons."""

    seed: int = 7
    steps: int = 6000
    finish_from: float = 0.6  # share of the steps after which frames come in runs and the experts join
    batch: int = 16  # frames a step, each of another clip
    finish_clips: int = 4  # runs of frames a step at the end
    finish_frames: int = 5
    rate: float = 1e-3
    last_rate: float = 0.05
    warm_up: int = 100
    decay: float = 0.01
    average: float = 0.998
    denoises: bool = True
    pure_noise: float = 0.7
    edges: float = 0.5
    texture: float = 0.5
    save_every: int = 400
