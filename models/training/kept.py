"""What a run keeps in its folder, so that it can be killed and go on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch


def recipe(plan: Any, path: Path) -> Iterator[str]:
    """Writes the numbers of the run, a dataclass; says which of them a run that goes on began without."""
    now: dict[str, Any] = json.loads(json.dumps(asdict(plan)))
    before = json.loads(path.read_text()) if path.exists() else now
    for name in (name for name in now if now[name] != before.get(name)):
        yield f"not as this run began: {name} was {before.get(name)}, is {now[name]}"
    path.write_text(json.dumps(now, indent=2) + "\n")


def save(folder: Path, parts: Mapping[str, Any], steps: int, seconds: float) -> None:
    """Writes FOLDER/run.pt whole or not at all; parts are networks and optimisers by name."""
    part = folder / "run.part"
    states = {name: each.state_dict() for name, each in parts.items()}
    torch.save(states | {"steps": steps, "seconds": seconds}, part)
    part.rename(folder / "run.pt")


def resume(folder: Path, parts: Mapping[str, Any], device: torch.device) -> tuple[int, float]:
    """Fills the parts from FOLDER/run.pt; the steps and seconds that the run has behind it."""
    state = torch.load(folder / "run.pt", weights_only=True, map_location=device)
    for name, each in parts.items():
        each.load_state_dict(state[name])
    return state["steps"], state["seconds"]
