"""Checkpoints come in whole and harmless, or not at all; every variant has its licence."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models import registry


def test_every_variant_has_a_row_in_the_ledger() -> None:
    for name in registry.names():
        for variant in registry.variants(name):
            assert registry.licence(name, variant).licence
    assert not registry.licence("diff2lip", "paper").commercial
    assert registry.licence("diff2lip", "starter").commercial
    assert "CC BY 4.0" in registry.licence("diff2lip", "starter").attribution


def test_a_checkpoint_comes_back_number_for_number(tmp_path: Path) -> None:
    torch.manual_seed(7)
    network = registry.build("diff2lip", "tiny")
    state = network.state_dict()
    save_file(state, tmp_path / "tiny.safetensors")
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "tiny.pt")
    for file in ("tiny.safetensors", "tiny.pt"):
        loaded = registry.load("diff2lip", tmp_path / file, "tiny").state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    (tmp_path / "bomb.pt").write_bytes(pickle.dumps({"weight": Bomb()}, protocol=2))
    torch.save({"weight": Bomb()}, tmp_path / "zipped.pt")
    for file in ("bomb.pt", "zipped.pt"):
        with pytest.raises(registry.BadCheckpoint, match="tensors alone"):
            registry.load("diff2lip", tmp_path / file, "tiny")
    assert not (tmp_path / "exploded").exists()


def test_a_wrong_layout_names_the_first_tensors_that_differ(tmp_path: Path) -> None:
    state = registry.build("diff2lip", "tiny").state_dict()
    del state["time_embed.0.weight"]
    state["time_embed.2.bias"] = torch.zeros(5)
    state["stranger"] = torch.zeros(1)
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(registry.BadCheckpoint) as refused:
        registry.load("diff2lip", tmp_path / "wrong.safetensors", "tiny")
    said = str(refused.value)
    assert "3 tensors" in said and "time_embed.0.weight: wanted (32, 8), found nothing" in said and "stranger" in said


def test_paper_asks_for_weights_and_says_why() -> None:
    with pytest.raises(ValueError, match="CC BY-NC"):
        registry.renderer("diff2lip", "paper")


def test_names_that_are_not_there_are_answered_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="diff2lip"):
        registry.build("diff3lip")
    with pytest.raises(ValueError, match="starter"):
        registry.build("diff2lip", "huge")
