"""Wan's public weights fit, in both of their layouts, and nothing else does."""

import json
from pathlib import Path

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers
from safetensors.torch import save_file
from torch import Tensor

from models.omnisync.network import PAPER, OmniSync, build, inherited
from models.omnisync.wan import load_wan, renamed
from models.registry import BadCheckpoint
from tests.media import shared
from tests.models.omnisync.test_network import SMALL, drawn_at_random

_BACK = {  # of one block and of the rest
    "attn1.to_out.0": "self_attn.o", "attn1.norm_": "self_attn.norm_", "attn1.to_": "self_attn.",
    "attn2.to_out.0": "cross_attn.o", "attn2.norm_": "cross_attn.norm_", "attn2.to_": "cross_attn.",
    "ffn.net.0.proj": "ffn.0", "ffn.net.2": "ffn.2", "norm2": "norm3",
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_proj": "time_projection.1", "proj_out": "head.head",
}  # fmt: skip


def wans(network: OmniSync) -> dict[str, Tensor]:
    """What the network inherited, as diffusers would save it."""
    return {key: value.clone() for key, value in network.state_dict().items() if inherited(key)}


def as_wan_names(key: str) -> str:
    """What Wan's own repository calls it."""
    for name, own in _BACK.items():
        key = key.replace(name, own)
    return "head.modulation" if key == "scale_shift_table" else key.replace("scale_shift_table", "modulation")


def same(network: OmniSync, tensors: dict[str, Tensor]) -> bool:
    return all(torch.equal(network.state_dict()[key], value) for key, value in tensors.items())


@pytest.mark.parametrize("layout", ["one file", "a folder", "shards", "Wan's own names", "Wan's own .pth"])
def test_wan_loads_from_every_layout_and_what_was_added_stays(tmp_path: Path, layout: str) -> None:
    tensors = wans(drawn_at_random(SMALL, seed=1))
    named = {as_wan_names(key) if "own" in layout else key: value for key, value in tensors.items()}
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    if layout.endswith(".pth"):
        path = path.with_suffix(".pth")
        torch.save(named, path)
    elif layout == "shards":
        names = sorted(named)
        parts = {f"model-0000{n + 1}-of-00002.safetensors": names[n::2] for n in range(2)}
        for file, keys in parts.items():
            save_file({key: named[key] for key in keys}, tmp_path / file)
        index = {"weight_map": {key: file for file, keys in parts.items() for key in keys}}
        (tmp_path / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
        path = tmp_path
    else:
        save_file(named, path)
        path = tmp_path if layout == "a folder" else path
    network = drawn_at_random(SMALL, seed=2)
    before = {key: value.clone() for key, value in network.state_dict().items() if not inherited(key)}
    assert not same(network, tensors)
    load_wan(network, path)
    assert same(network, tensors) and same(network, before)


def test_wans_own_names_become_the_published_ones_as_diffusers_converts_them() -> None:
    published = json.loads(shared("facts/models/keys/ref_wan21_t2v_1_3b_diffusers.json").read_text())["keys"]
    own = [as_wan_names(key) for key in published]
    assert {"blocks.7.self_attn.q.weight", "blocks.7.modulation", "head.modulation", "blocks.7.norm3.bias"} <= set(own)
    assert [renamed(key) for key in own] == list(published) == [renamed(key) for key in published]
    assert set(convert_wan_transformer_to_diffusers(dict.fromkeys(own, torch.zeros(())))) == set(published)


def test_a_wrong_file_is_refused_by_tensor_and_nothing_is_filled(tmp_path: Path) -> None:
    network = drawn_at_random(SMALL, seed=2)
    before = wans(network)
    tensors = wans(drawn_at_random(SMALL, seed=1))
    for tampered, said in (
        ({key: value for key, value in tensors.items() if key != "proj_out.bias"}, "proj_out.bias: wanted"),
        (tensors | {"proj_out.bias": torch.zeros(3)}, r"proj_out\.bias: wanted \(16,\), found \(3,\)"),
        (tensors | {"audio_proj.bias": torch.zeros(48)}, "audio_proj.bias: wanted nothing"),
    ):
        save_file(tampered, tmp_path / "model.safetensors")
        with pytest.raises(BadCheckpoint, match=said):
            load_wan(network, tmp_path)
    assert same(network, before)
    with torch.device("meta"):
        paper = build(PAPER)
    with pytest.raises(BadCheckpoint, match=r"\d+ tensors differ"):
        load_wan(paper, tmp_path)


def test_an_index_may_not_point_out_of_its_folder_and_two_files_are_not_guessed_between(tmp_path: Path) -> None:
    network = drawn_at_random(SMALL)
    index = tmp_path / "model.safetensors.index.json"
    for text, said in (('{"weight_map": {"a": "../b.safetensors"}}', "out of its folder"), ("[]", "no index")):
        index.write_text(text)
        with pytest.raises(BadCheckpoint, match=said):
            load_wan(network, tmp_path)
    index.unlink()
    with pytest.raises(FileNotFoundError, match="0 files"):
        load_wan(network, tmp_path)
    for name in "ab":
        save_file({"x": torch.zeros(1)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(FileNotFoundError, match="2 files"):
        load_wan(network, tmp_path)


def test_a_file_with_code_in_it_is_not_opened(tmp_path: Path) -> None:
    torch.save({"x": Path("a path is no tensor")}, tmp_path / "wan.pth")
    with pytest.raises(BadCheckpoint, match="tensors alone"):
        load_wan(drawn_at_random(SMALL), tmp_path / "wan.pth")
