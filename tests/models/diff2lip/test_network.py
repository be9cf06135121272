"""The paper's network is the published one, tensor for tensor; the small ones do what they say."""

import json
import math
import re
from dataclasses import replace
from typing import Final, TypeVar

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models import registry
from models.diff2lip.blocks import Attention, ResBlock, sinusoid
from models.diff2lip.drawer import TINY, Drawer, blurred
from models.diff2lip.network import PAPER, Diff2Lip, Shape
from tests.media import shared

M = TypeVar("M", bound=torch.nn.Module)
SMALL: Final = Shape(32, (1, 2, 4), 1, (1, 2))  # two levels with attention, of one head and of two


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


class Written:
    """The network written a second time as plain functions of its tensors, from its published description."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    def __call__(self, x: Tensor, t: Tensor, masked: Tensor, mask: Tensor, reference: Tensor, mel: Tensor) -> Tensor:
        h = torch.cat([x * mask + (1 - mask) * masked, masked, reference], dim=1)
        emb = self.embed("time_embed", t, 32) + self.style(mel)
        kept = []
        for i, parts in enumerate(("conv", "residual", "down", "residual attention", "down", "residual attention")):
            h = self.block(f"input_blocks.{i}", parts, h, emb)
            kept.append(h)
        h = self.block("middle_block", "residual attention residual", h, emb)
        level = ["residual attention", "residual attention up"]
        for i, parts in enumerate([*level, *level, "residual", "residual"]):
            h = self.block(f"output_blocks.{i}", parts, torch.cat([h, kept.pop()], dim=1), emb)
        return self.conv("out.2", F.silu(self.norm("out.0", h)))

    def style(self, mel: Tensor) -> Tensor:
        name = "audio_encoder"
        weight, bias = self.both(f"{name}.input_block.0")
        h = F.silu(self.norm(f"{name}.input_block.1", F.conv1d(mel, weight, bias, padding=1)))[:, None]
        h = self.conv(f"{name}.encoder_blocks.0.0", h)
        emb = self.embed(f"{name}.time_embed", torch.zeros(len(mel)), 32)
        smaller = {3: (2, 1), 6: (2, 1), 9: (2, 2)}
        for i in range(1, 12):
            h = self.residual(f"{name}.encoder_blocks.{i}.0", h, emb, pool=smaller.get(i))
        h = self.residual(f"{name}.middle_block.0", h, emb)
        assert h.shape[1:] == (128, 8, 8)
        h = F.silu(self.norm("audio_encoder_to_style.0", h)).mean(dim=(2, 3), keepdim=True)
        return self.conv("audio_encoder_to_style.3", h).flatten(1)

    def block(self, name: str, parts: str, h: Tensor, emb: Tensor) -> Tensor:
        for j, part in enumerate(parts.split()):
            if part == "conv":
                h = self.conv(f"{name}.{j}", h)
            elif part == "attention":
                h = self.attention(f"{name}.{j}", h)
            else:
                h = self.residual(f"{name}.{j}", h, emb, pool=(2, 2) if part == "down" else None, double=part == "up")
        return h

    def residual(
        self, name: str, x: Tensor, emb: Tensor, *, pool: tuple[int, int] | None = None, double: bool = False
    ) -> Tensor:
        h = F.silu(self.norm(f"{name}.in_layers.0", x))
        if double:
            h, x = (one.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) for one in (h, x))
        if pool:
            h, x = (F.avg_pool2d(one, pool) for one in (h, x))
        h = self.conv(f"{name}.in_layers.2", h)
        h = h + F.linear(F.silu(emb), *self.both(f"{name}.emb_layers.1"))[:, :, None, None]
        h = self.conv(f"{name}.out_layers.3", F.silu(self.norm(f"{name}.out_layers.0", h)))
        return h + (self.conv(f"{name}.skip_connection", x) if f"{name}.skip_connection.weight" in self.tensors else x)

    def attention(self, name: str, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        qkv = F.conv1d(self.norm(f"{name}.norm", flat), *self.both(f"{name}.qkv"))
        heads = []
        for head in torch.split(qkv, 3 * 64, dim=1):
            q, k, v = torch.split(head, 64, dim=1)
            weights = torch.einsum("bct,bcs->bts", q * 64**-0.25, k * 64**-0.25).softmax(dim=2)
            heads.append(torch.einsum("bts,bcs->bct", weights, v))
        return x + F.conv1d(torch.cat(heads, dim=1), *self.both(f"{name}.proj_out")).view_as(x)

    def embed(self, name: str, t: Tensor, width: int) -> Tensor:
        turns = [[float(one) * math.exp(-math.log(10_000) * i / (width // 2)) for i in range(width // 2)] for one in t]
        h = torch.tensor([[*map(math.cos, row), *map(math.sin, row)] for row in turns])
        return F.linear(F.silu(F.linear(h, *self.both(f"{name}.0"))), *self.both(f"{name}.2"))

    def norm(self, name: str, x: Tensor) -> Tensor:
        """Each of 32 groups to mean 0 and variance 1."""
        weight, bias = self.both(name)
        groups = x.reshape(len(x), 32, -1)
        level = (groups - groups.mean(2, keepdim=True)) / (groups.var(2, correction=0, keepdim=True) + 1e-5).sqrt()
        shape = (-1, *[1] * (x.ndim - 2))
        return level.reshape(x.shape) * weight.view(shape) + bias.view(shape)

    def conv(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.both(name)
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)

    def both(self, name: str) -> tuple[Tensor, Tensor]:
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]


def told(size: int, count: int = 2) -> tuple[Tensor, ...]:
    """x, t, masked, mask, reference and mel of noise."""
    chance = torch.Generator().manual_seed(8)
    x, face, reference = torch.randn(3, count, 3, size, size, generator=chance)
    mask = torch.zeros(count, 1, size, size)
    mask[..., size // 2 :, :] = 1
    mel = torch.rand(count, 80, 16, generator=chance) * 8 - 4
    return x, torch.tensor([960, 3])[:count], face * (1 - mask) + x * mask, mask, reference, mel


def test_the_network_is_the_written_one() -> None:
    torch.manual_seed(7)
    network = _awake(Diff2Lip(SMALL).eval(), 0.2)
    given = told(16)
    with torch.inference_mode():
        found, wanted = network(*given), Written(network.state_dict())(*given)
    assert wanted.std() > 0.1
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.abs().max()))


def test_sound_heard_once_serves_every_step() -> None:
    torch.manual_seed(7)
    network = _awake(Diff2Lip(SMALL).eval())
    x, t, masked, mask, reference, mel = told(16)
    with torch.inference_mode():
        whole = network(x, t, masked, mask, reference, mel)
        assert torch.equal(whole, network.denoise(x, t, masked, mask, reference, network.style(mel)))


HALVED = re.compile(
    r"((in|out)put_blocks|middle_block|audio_encoder\.(encoder_blocks|middle_block))\..*"
    r"(in_layers\.2|out_layers\.3|skip_connection|qkv|proj_out)\.(weight|bias)"
    r"|(audio_encoder\.encoder_blocks|input_blocks)\.0\.0\..*|audio_encoder\.input_block\.0\..*|audio_encoder_to_style\.3\..*"
)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_that_of_the_convolutions_alone(half: torch.dtype) -> None:
    network = Diff2Lip(SMALL).in_precision(half)
    for key, value in network.state_dict().items():
        assert value.dtype == (half if HALVED.fullmatch(key) else torch.float32), key
    assert {value.dtype for value in network.in_precision(torch.float32).state_dict().values()} == {torch.float32}


@pytest.mark.parametrize(("half", "bound"), [(torch.float16, 0.004), (torch.bfloat16, 0.03)])
def test_half_precision_draws_nearly_the_same(half: torch.dtype, bound: float) -> None:
    """Root mean square difference, as a share of the deviation of what float32 gives; halves have 10 bits or 7."""
    torch.manual_seed(7)
    network = _awake(Diff2Lip(SMALL).eval(), 0.05)
    given = told(16)
    with torch.inference_mode():
        whole = network(*given)
        halved = network.in_precision(half)(*given)
        style = network.style(given[-1])
    assert halved.dtype == style.dtype == torch.float32
    assert 0 < (halved - whole).square().mean().sqrt() < bound * whole.std()


def test_scores_beyond_a_half_do_not_break_attention() -> None:
    """q · k of 160,000 is no number in float16, which ends at 65,504; scaled before, it is."""
    block = Attention(width=64, head=64, groups=32)
    wanted = {"weight": torch.zeros(192, 64, 1), "bias": torch.full((192,), 50.0)}
    block.qkv.load_state_dict(wanted)
    block.proj_out.load_state_dict({"weight": torch.eye(64)[:, :, None], "bias": torch.zeros(64)})
    block.qkv.half(), block.proj_out.half()
    assert torch.equal(block(torch.zeros(1, 64, 2, 2, dtype=torch.float16)).unique(), torch.tensor([50.0]).half())


def test_sound_changes_what_paper_draws() -> None:
    torch.manual_seed(7)
    encoder = _awake(Diff2Lip(replace(PAPER, widths=(1,), blocks=1)).eval())
    with torch.inference_mode():
        styles = encoder.style(torch.rand(2, 80, 16))
    assert styles.shape == (2, 512)
    assert not torch.allclose(styles[0], styles[1])


def test_an_untrained_starter_shows_the_mean_of_its_references() -> None:
    """Its last layer starts at zero: no change, a quarter of each."""
    network = Drawer(TINY).eval()
    shown = torch.rand(2, 15, 64, 80) * 2 - 1
    mask = torch.ones(2, 1, 64, 80)
    out = network(torch.randn(2, 3, 64, 80), torch.tensor([999, 0]), shown[:, :3], mask, shown, torch.rand(2, 172))
    assert torch.allclose(out, shown[:, :12].reshape(2, 4, 3, 64, 80).mean(dim=1), atol=1e-6)


def test_a_starter_that_decides_shows_one_reference() -> None:
    """What it leans to by a little is shown alone when its leaning is multiplied."""
    network = Drawer(TINY).eval()
    with torch.no_grad():
        network.get_parameter("out.2.bias").view(15, 4)[3 + 2] = 0.5  # the third of the four choices
    network.decided = 100.0
    shown = torch.rand(1, 15, 64, 80) * 2 - 1
    told = (torch.ones(1, 1, 64, 80), shown, torch.rand(1, 172))
    out = network(torch.randn(1, 3, 64, 80), torch.tensor([999]), shown[:, :3], *told)
    assert torch.allclose(out, shown[:, 6:9], atol=1e-4)


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


def _awake(network: M, deviation: float = 0.02) -> M:
    """Layers that start at zero hide what is before them."""
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=deviation)
    return network


def test_a_blur_keeps_what_is_flat_and_takes_what_alternates() -> None:
    chequers = torch.ones(1, 2, 16, 16)
    chequers[..., ::2] = -1
    found = blurred(torch.cat([chequers, torch.full_like(chequers, 3.0)], dim=1), 1.2)
    assert found[:, :2, :, 5:-5].abs().max() < 0.01 and torch.allclose(found[:, 2:], torch.tensor(3.0))
    assert blurred(chequers, 0.0) is chequers
