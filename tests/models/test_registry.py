"""Checkpoints come in whole and harmless, or not at all; every variant has its licence."""

import os
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models import registry
from models.lipsync import Sight


def test_every_variant_has_a_row_in_the_ledger() -> None:
    for name in registry.names():
        for variant in registry.variants(name):
            assert registry.licence(name, variant).licence
    assert not registry.licence("diff2lip", "paper").commercial
    assert registry.licence("diff2lip", "starter").commercial
    assert "CC BY 4.0" in registry.licence("diff2lip", "starter").attribution
    assert all(registry.licence("omnisync", variant).commercial for variant in registry.variants("omnisync"))


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


def test_a_checkpoint_of_another_model_is_told_from_the_papers(tmp_path: Path) -> None:
    save_file(registry.build("diff2lip", "tiny").state_dict(), tmp_path / "tiny.safetensors")
    with pytest.raises(registry.BadCheckpoint) as refused:
        registry.load("diff2lip", tmp_path / "tiny.safetensors", "paper")
    said = str(refused.value)
    assert "tiny.safetensors" in said and "time_embed.0.weight: wanted (512, 128), found (32, 8)" in said
    assert said.count("wanted") == 3  # the first of more than 600


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("held", [
    pytest.param(b"", id="nothing"),
    pytest.param(b"Google Drive - Quota exceeded\n" * 40, id="a-page"),
    pytest.param(bytes(range(256)) * 8, id="noise"),
    pytest.param(b"PK\x03\x04" + bytes(200), id="half-a-zip"),
    pytest.param(pickle.dumps([1, 2, 3], protocol=2), id="a-list"),
])  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, held: bytes, suffix: str) -> None:
    (tmp_path / f"given{suffix}").write_bytes(held)
    with pytest.raises(registry.BadCheckpoint, match="given"):
        registry.load("diff2lip", tmp_path / f"given{suffix}", "tiny")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    state = registry.build("diff2lip", "tiny").state_dict()
    for zipped in (True, False):
        torch.save(state, tmp_path / "whole.pt", _use_new_zipfile_serialization=zipped)
        for length in (100, 5000):
            (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:length])
            with pytest.raises(registry.BadCheckpoint, match=r"cut\.pt"):
                registry.load("diff2lip", tmp_path / "cut.pt", "tiny")


def test_a_file_that_is_not_there_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        registry.load("diff2lip", tmp_path / "absent.safetensors", "tiny")


def test_the_registry_does_without_the_libraries_of_training_and_of_the_solver() -> None:
    asked = "import sys, models.registry; print([m for m in ('diffusers', 'accelerate', 'av') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_what_no_checkpoint_holds_is_there_after_loading(tmp_path: Path) -> None:
    """Tables of angles are made when a network is built; it is built without memory to be filled from a file."""
    network = registry.build("omnisync", "tiny")
    save_file(network.state_dict(), tmp_path / "tiny.safetensors")
    loaded = registry.load("omnisync", tmp_path / "tiny.safetensors", "tiny")
    before, after = dict(network.named_buffers()), dict(loaded.named_buffers())
    assert before and all(torch.equal(after[name], table) for name, table in before.items())


def test_a_tiny_renderer_is_the_same_every_time_and_touches_nobodys_chance() -> None:
    sight = Sight(
        torch.rand(2, 3, 96, 96), torch.tensor([0.5, 0.5, 0.17, 0.0]).expand(2, -1), torch.zeros(2, 0, 2), None
    )
    times = [Fraction(0), Fraction(1, 25)]
    torch.manual_seed(3)
    first, second = (
        registry.renderer("omnisync", "tiny").render(sight, torch.zeros(16000), times, seed=7, steps=1)
        for _ in range(2)
    )
    chance = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(first, second) and torch.equal(chance, torch.rand(1))


def test_prompts_are_known_without_loading_a_model() -> None:
    assert registry.prompts("diff2lip") == ()
    assert set(registry.prompts("omnisync")) >= {"calm", "lively", "clear teeth"}
    assert registry.renderer("omnisync", "tiny").prompts == registry.prompts("omnisync")


def test_paper_asks_for_weights_and_says_why() -> None:
    with pytest.raises(ValueError, match="CC BY-NC"):
        registry.renderer("diff2lip", "paper")


def test_names_that_are_not_there_are_answered_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="diff2lip"):
        registry.build("diff3lip")
    with pytest.raises(ValueError, match="starter"):
        registry.build("diff2lip", "huge")
