"""The paper's network is the published one, tensor for tensor; the small ones do what they say."""

import json
from dataclasses import replace
from typing import TypeVar

import pytest
import torch

from models import registry
from models.diff2lip.blocks import Attention, ResBlock, sinusoid
from models.diff2lip.drawer import TINY, Drawer
from models.diff2lip.network import PAPER, Diff2Lip
from tests.media import shared

M = TypeVar("M", bound=torch.nn.Module)


def test_paper_has_the_published_tensors() -> None:
    published = json.loads(shared("facts/models/keys/diff2lip.json").read_text())["keys"]
    with torch.device("meta"):
        network = registry.build("diff2lip", "paper")
    ours = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert ours == published
    assert len(ours) == 632 and sum(p.numel() for p in network.parameters()) == 101_670_630


def test_paper_predicts_noise_and_variance_and_reads_only_the_masked_part_of_x() -> None:
    torch.manual_seed(7)
    network = _awake(Diff2Lip().eval())
    face, mask = torch.rand(1, 3, 32, 32) * 2 - 1, torch.zeros(1, 1, 32, 32)
    mask[..., 16:, :] = 1
    told = (face * (1 - mask), mask, face, torch.rand(1, 80, 16))
    x = torch.randn(1, 3, 32, 32)
    other = x * mask + 5 * (1 - mask)
    with torch.inference_mode():
        out = network(x, torch.tensor([500]), *told)
        same = network(other, torch.tensor([500]), *told)
    assert out.shape == (1, 6, 32, 32)
    assert torch.equal(out, same)


def test_sound_changes_what_paper_draws() -> None:
    torch.manual_seed(7)
    encoder = _awake(Diff2Lip(replace(PAPER, widths=(1,), blocks=1)).eval())
    with torch.inference_mode():
        styles = encoder.style(torch.rand(2, 80, 16))
    assert styles.shape == (2, 512)
    assert not torch.allclose(styles[0], styles[1])


def test_an_untrained_starter_shows_the_mean_of_its_references() -> None:
    """Its last layer starts at zero: no change, half of each."""
    network = Drawer(TINY).eval()
    shown = torch.rand(2, 9, 64, 80) * 2 - 1
    mask = torch.ones(2, 1, 64, 80)
    out = network(torch.randn(2, 3, 64, 80), torch.tensor([999, 0]), shown[:, :3], mask, shown, torch.rand(2, 172))
    assert torch.allclose(out, (shown[:, :3] + shown[:, 3:6]) / 2, atol=1e-6)


def test_attention_reads_heads_as_guided_diffusion_lays_them_out() -> None:
    """Each head's q, k and v lie together: written out with loops here."""
    torch.manual_seed(7)
    block = _awake(Attention(width=8, head=4, groups=2))
    x = torch.randn(1, 8, 2, 3)
    qkv = block.qkv(block.norm(x.flatten(2)))[0].detach()
    parts = []
    for head in range(2):
        q, k, v = (qkv[12 * head + 4 * i : 12 * head + 4 * i + 4] for i in range(3))
        weights = torch.softmax((q * 4**-0.25).T @ (k * 4**-0.25), dim=1)
        parts.append(v @ weights.T)
    wanted = x + block.proj_out(torch.cat(parts)[None]).view_as(x)
    assert torch.allclose(block(x), wanted, atol=1e-5)


def test_a_residual_block_adds_its_embedding_and_halves_or_doubles() -> None:
    torch.manual_seed(7)
    x, emb = torch.randn(1, 32, 8, 8), torch.randn(1, 16)
    for scale, shape in (((0.5, 0.5), (4, 4)), ((2, 2), (16, 16)), ((0.5, 1), (4, 8))):
        assert ResBlock(32, 64, 16, 32, scale=scale)(x, emb).shape == (1, 64, *shape)
    still = ResBlock(32, 32, 16, 32)
    assert torch.equal(still(x, emb), x)  # its last convolution starts at zero


def test_the_sinusoid_is_cosines_then_sines() -> None:
    found = sinusoid(torch.tensor([3.0]), 128)[0]
    assert found[1].item() == pytest.approx(float(torch.cos(torch.tensor(3 * 10_000 ** (-1 / 64)))), abs=1e-6)
    assert found[65].item() == pytest.approx(float(torch.sin(torch.tensor(3 * 10_000 ** (-1 / 64)))), abs=1e-6)


def _awake(network: M) -> M:
    """Layers that start at zero hide what is before them."""
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return network
