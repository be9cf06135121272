"""The size of the paper is Wan and says what Wan says until it is taught; time can be attended to apart from space."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
import torch
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from models.omnisync.network import PAPER, STARTER, TINY, OmniSync, Size, build, inherited
from tests.media import shared

SMALL: Final = Size(layers=2, heads=2, head=24, ffn=32, latent=4, patch=(1, 2, 2), text=12, speech=10)
SPLIT: Final = replace(SMALL, factorised=True)
FRAMES: Final = 3
CELLS: Final = 12  # tokens of a frame of 6 × 8 latents


def asked(size: Size, frames: int = FRAMES, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """x, sigma, source, speech, text of two clips."""
    g = torch.Generator().manual_seed(seed)
    height, width = (32, 32) if size.pyramid else (6, 8)
    x, source = torch.randn(2, 2, size.latent, frames, height, width, generator=g)
    speech = torch.randn(2, frames, 8, size.speech, generator=g)
    return x, torch.tensor([0.9, 0.3]), source, speech, torch.randn(2, 3, size.text, generator=g)


def drawn_at_random(size: Size, seed: int = 0) -> OmniSync:
    torch.manual_seed(seed)
    network = build(size)
    network.eval()
    return network


def taught(network: OmniSync) -> OmniSync:
    """With something in every tensor that begins at zero."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.05)
    return network


def base(network: OmniSync) -> WanTransformer3DModel:
    """diffusers' own, with what the network inherited."""
    size = network.size
    own = WanTransformer3DModel(
        patch_size=size.patch, num_attention_heads=size.heads, attention_head_dim=size.head, in_channels=size.latent,
        out_channels=size.latent, text_dim=size.text, ffn_dim=size.ffn, num_layers=size.layers,
    )  # fmt: skip
    own.load_state_dict({key: value for key, value in network.state_dict().items() if inherited(key)})
    return own.eval()


def test_paper_inherits_the_published_tensors_and_adds_named_ones() -> None:
    published = json.loads(shared("facts/models/keys/ref_wan21_t2v_1_3b_diffusers.json").read_text())
    with torch.device("meta"):
        network = build(PAPER)
    ours = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert {key: shape for key, shape in ours.items() if inherited(key)} == published["keys"]
    assert sum(map(inherited, ours)) == 825
    added = {key for key in ours if not inherited(key)}
    assert {".".join(key.split(".")[2:]) for key in added if key.startswith("blocks.")} == {
        *(f"norm_audio.{end}" for end in ("weight", "bias")),
        *(f"audio_attn.{part}.{end}" for part in ("to_q", "to_k", "to_v", "to_out.0") for end in ("weight", "bias")),
        *(f"audio_attn.norm_{part}.weight" for part in "qk"),
    }
    rest = {key for key in added if not key.startswith("blocks.")}
    assert rest == {"audio_proj.weight", "audio_proj.bias", "source_embedding.weight"}
    assert ours["source_embedding.weight"] == [1536, 16, 1, 2, 2] and ours["audio_proj.weight"] == [1536, 1280]


@pytest.mark.parametrize("size", [SMALL, SPLIT], ids=["whole", "factorised"])
def test_what_is_added_to_the_residual_stream_begins_at_zero(size: Size) -> None:
    tensors = drawn_at_random(size).state_dict()
    silent = [key for key in tensors if "source_embedding" in key or ("_attn." in key and "to_out" in key)]
    assert len(silent) == 1 + size.layers * 2 * (2 if size.factorised else 1)
    assert not any(tensors[key].any() for key in silent)


def test_untaught_it_says_what_wan_says_whatever_it_hears_and_sees() -> None:
    network = drawn_at_random(SMALL)
    x, sigma, _, _, text = asked(SMALL)
    with torch.inference_mode():
        wan = base(network)(x, 1000 * sigma, text).sample
        for seed in range(3):
            _, _, source, speech, _ = asked(SMALL, seed=seed)
            torch.testing.assert_close(network(x, sigma, 9 * source, 9 * speech, text), wan, rtol=1e-5, atol=1e-6)
    assert wan.std() > 0.1


def test_frames_may_have_noise_of_their_own_as_in_wan() -> None:
    network = drawn_at_random(SMALL)
    x, _, source, speech, text = asked(SMALL)
    sigma = torch.tensor([[0.0, 0.9, 0.4], [0.0, 0.3, 0.3]])
    with torch.inference_mode():
        wan = base(network)(x, (1000 * sigma).repeat_interleave(CELLS, dim=1), text).sample
        torch.testing.assert_close(network(x, sigma, source, speech, text), wan, rtol=1e-5, atol=1e-6)
        alike = network(x, torch.full((2, FRAMES), 0.3), source, speech, text)
        torch.testing.assert_close(alike, network(x, torch.full((2,), 0.3), source, speech, text))
    assert not torch.allclose(wan, alike)


@pytest.mark.parametrize("size", [TINY, SPLIT], ids=["tiny", "factorised"])
def test_built_without_weights_and_filled_it_says_the_same(size: Size) -> None:
    network = taught(drawn_at_random(size))
    with torch.device("meta"):
        other = build(size)
    other.load_state_dict(network.state_dict(), assign=True)
    with torch.inference_mode():
        assert torch.equal(other.eval()(*asked(size)), network(*asked(size)))


def test_taught_it_hears_each_frames_own_sound_and_sees_the_source() -> None:
    network = taught(drawn_at_random(replace(SPLIT, layers=1)))
    nn.init.zeros_(network.get_parameter("blocks.0.time_attn.to_out.0.weight"))  # frames cannot tell each other
    x, sigma, source, speech, text = asked(SMALL)
    other = speech.clone()
    other[:, 1] += 1
    with torch.inference_mode():
        said = network(x, sigma, source, speech, text)
        moved = (network(x, sigma, source, other, text) - said).abs().amax(dim=(0, 1, 3, 4))
        assert moved[1] > 1e-3 and not moved[[0, 2]].any()
        assert (network(x, sigma, source + 1, speech, text) - said).abs().max() > 1e-3


def test_a_factorised_block_attends_within_frames_until_it_is_taught_time() -> None:
    network = drawn_at_random(SPLIT)
    x, sigma, source, speech, text = asked(SPLIT)
    other = x.clone()
    other[:, :, 2] += 1

    def moved() -> Tensor:
        with torch.inference_mode():
            said, else_said = (network(each, sigma, source, speech, text) for each in (x, other))
        assert said.shape == x.shape
        return torch.as_tensor((said - else_said).abs().amax(dim=(0, 1, 3, 4)))

    assert not moved()[:2].any() and moved()[2] > 1e-3
    taught(network)
    assert (moved() > 1e-4).all()


def test_a_factorised_block_is_told_rows_and_columns_within_frames_and_time_across_them() -> None:
    network = drawn_at_random(SPLIT)
    x = asked(SPLIT)[0]
    told: dict[str, Any] = {}
    for name in ("attn1", "time_attn"):
        network.blocks[0].get_submodule(name).register_forward_pre_hook(
            lambda _, given, name=name: told.update({name: (given[0].shape, given[3])})
        )
    with torch.inference_mode():
        network(*asked(SPLIT))
        within, across = network.rope(x[:, :, :1]), network.rope(x[..., :2, :2])  # one frame, one cell
    assert told["attn1"][0] == (2 * FRAMES, CELLS, 48) and told["time_attn"][0] == (2 * CELLS, FRAMES, 48)
    for name, wanted in (("attn1", within), ("time_attn", across)):
        for place, right in zip(told[name][1], wanted, strict=True):
            assert torch.equal(place, right)
    assert not torch.equal(across[0][:, 0], across[0][:, 1]) and not torch.equal(within[0][:, 0], within[0][:, 1])


def test_gradients_are_the_same_when_blocks_are_computed_twice_to_save_memory() -> None:
    given = asked(SMALL)

    def gradients(spare: bool) -> list[Tensor]:
        network = taught(drawn_at_random(SMALL)).train()
        if spare:
            network.enable_gradient_checkpointing()
        network(*given).square().mean().backward()
        return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]

    plain, spared = gradients(False), gradients(True)
    assert len(plain) == len(spared) > 50
    for one, other in zip(plain, spared, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("size", [TINY, STARTER, SMALL], ids=["tiny", "starter", "paper's kind"])
def test_weights_in_float32_run_in_bfloat16_without_a_word_and_nearly_the_same(size: Size) -> None:
    network = taught(drawn_at_random(size))
    with torch.inference_mode():
        exact = network(*asked(size))
        with torch.autocast("cpu", torch.bfloat16):  # a warning is an error here
            near = network(*asked(size))
    assert (near - exact).std() < 0.05 * exact.std()
