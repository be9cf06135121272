"""The lip-sync models by name: their networks, their renderers, their licences.

A model is a table at the end of this file, one in ledger.toml and a folder. Checkpoints are read without running
anything in them; one that does not fit says which tensors differ.
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.diff2lip.drawer import STARTER, TINY, Drawer
from models.diff2lip.network import Diff2Lip
from models.diff2lip.paper import Paper
from models.diff2lip.render import WEIGHTS, Starter
from models.diff2lip.voice import Voice
from models.lipsync import LipSync
from models.omnisync.prompts import PROMPTS

T = TypeVar("T")

_LEDGER: Final = Path(__file__).parent / "ledger.toml"


class BadCheckpoint(ValueError):
    """A file that is no checkpoint of this model: it cannot be read safely, or its tensors are others."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One row of the ledger."""

    licence: str
    commercial: bool
    supplied: str
    source: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of a model."""

    build: Callable[[], nn.Module]  # with random weights
    renderer: Callable[[Path | None, torch.device | str], LipSync]  # with these weights, or its own, on that device


@dataclass(frozen=True, slots=True)
class Model:
    """All sizes of a model, by name: `starter` comes with weights, `paper` wants the user's, `tiny` is for tests."""

    variants: Mapping[str, Variant]
    prompts: tuple[str, ...] = ()  # as `LipSync.prompts`, known without loading anything


def names() -> list[str]:
    """All models, as `--model` takes them."""
    return sorted(_MODELS)


def variants(name: str) -> tuple[str, ...]:
    """The sizes of one model."""
    return tuple(_model(name).variants)


def prompts(name: str) -> tuple[str, ...]:
    """What this model can be told in words; empty: nothing."""
    return _model(name).prompts


def licence(name: str, variant: str) -> Licence:
    """Under which terms the weights of a variant may be used."""
    _variant(name, variant)
    return Licence(**tomllib.loads(_LEDGER.read_text("utf-8"))[name][variant])


def build(name: str, variant: str = "paper") -> nn.Module:
    """The network with random weights, in eval mode; its `state_dict` has the public checkpoints' keys."""
    return _variant(name, variant).build().eval()


def load(name: str, path: Path | str, variant: str = "paper") -> nn.Module:
    """The network with the weights of a file, in eval mode.

    path     safetensors, or a PyTorch file of tensors alone
    raises   BadCheckpoint if the file would run code or its tensors are not this network's
    """
    with torch.device("meta"):
        network = build(name, variant)
    fill(network, read(Path(path)), str(path))
    return network.eval()


def renderer(
    name: str, variant: str = "starter", *, weights: Path | str | None = None, device: torch.device | str = "cpu"
) -> LipSync:
    """The model as the pipeline uses it. `starter` finds its own weights, `paper` needs a path, `tiny` draws noise."""
    made = _variant(name, variant)
    if variant == "paper" and weights is None:
        raise ValueError(f"{name} {variant} has no weights of its own ({licence(name, variant).licence}); give a path")
    return made.renderer(Path(weights) if weights else None, device)


@cache
def fingerprint(path: Path) -> str:
    """sha256 of a checkpoint, which is part of every take's key."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint; nothing in it is run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except (
        Exception
    ) as error:  # a broken file ends torch's reader in many ways: OSError, UnicodeDecodeError, struct.error
        raise BadCheckpoint(f"{path} is not a file of tensors alone, so it is not opened: {error}") from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise BadCheckpoint(f"{path} holds {type(found).__name__}, not a table of tensors")
    return {str(key).removeprefix("module."): value for key, value in found.items()}


def fill(network: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Puts the tensors in, in the network's own precision; raises BadCheckpoint with the first that differ."""
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in tensors.items()}
    wrong = [f"{key}: wanted {wanted.get(key, 'nothing')}, found {given.get(key, 'nothing')}"
             for key in wanted | given if wanted.get(key) != given.get(key)]  # fmt: skip
    if wrong:
        raise BadCheckpoint(f"{where} has {len(wrong)} tensors that differ: {'; '.join(wrong[:3])}")
    own = {key: value.dtype for key, value in network.state_dict().items()}
    network.load_state_dict({key: value.to(own[key]) for key, value in tensors.items()}, assign=True)


def _model(name: str) -> Model:
    if name not in _MODELS:
        raise ValueError(f"no model {name!r}; there are {', '.join(names())}")
    return _MODELS[name]


def _variant(name: str, variant: str) -> Variant:
    if variant not in variants(name):
        raise ValueError(f"{name} has no variant {variant!r}; there are {', '.join(variants(name))}")
    return _model(name).variants[variant]


def diff2lip_starter(path: Path) -> tuple[Drawer, Voice]:
    """The two parts of a starter's file: what draws and what tells it the mouth's form.

    raises   BadCheckpoint
    """
    network, voice = Drawer(STARTER), Voice()
    tensors = read(path)
    for part, module in (("network", network), ("voice", voice)):
        inner = {key.removeprefix(f"{part}."): value for key, value in tensors.items() if key.startswith(f"{part}.")}
        fill(module, inner, f"{path} ({part})")
    return network, voice


def _diff2lip_paper(weights: Path | None, device: torch.device | str) -> LipSync:
    assert weights is not None
    network = load("diff2lip", weights)
    assert isinstance(network, Diff2Lip)
    return Paper(network, device)


def _diff2lip_tiny(weights: Path | None, device: torch.device | str) -> LipSync:
    return _seeded(lambda: Starter(Drawer(TINY), Voice(), device))


def _omnisync(size: str) -> nn.Module:
    """`paper` is the network alone, which has the keys of Wan; the small ones come whole, with their ear."""
    from models.omnisync import actor, network  # diffusers takes a second, and nobody else needs it

    if size == "paper":
        return network.build(network.PAPER)
    return actor.Actor(network.STARTER if size == "starter" else network.TINY)


def _omnisync_paper(weights: Path | None, device: torch.device | str) -> LipSync:
    from models.omnisync import paper

    assert weights is not None
    return paper.load(weights, device=device)


def _omnisync_starter(weights: Path | None, device: torch.device | str) -> LipSync:
    from models.omnisync import render
    from models.omnisync.actor import Actor

    actor = load("omnisync", weights or render.WEIGHTS, "starter")
    assert isinstance(actor, Actor)
    return render.Starter(actor, device)


def _omnisync_tiny(weights: Path | None, device: torch.device | str) -> LipSync:
    from models.omnisync import render
    from models.omnisync.actor import Actor
    from models.omnisync.network import TINY

    return _seeded(lambda: render.Starter(Actor(TINY), device))


def _seeded(make: Callable[[], T]) -> T:
    """What is made with random numbers that are always the same, and nobody else's chance is touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return make()


_MODELS: Final[Mapping[str, Model]] = {
    "diff2lip": Model({
        "paper": Variant(Diff2Lip, _diff2lip_paper),
        "starter": Variant(
            lambda: Drawer(STARTER), lambda path, device: Starter(*diff2lip_starter(path or WEIGHTS), device)
        ),
        "tiny": Variant(lambda: Drawer(TINY), _diff2lip_tiny),
    }),
    "omnisync": Model({
        "paper": Variant(lambda: _omnisync("paper"), _omnisync_paper),
        "starter": Variant(lambda: _omnisync("starter"), _omnisync_starter),
        "tiny": Variant(lambda: _omnisync("tiny"), _omnisync_tiny),
    }, PROMPTS),
}  # fmt: skip
