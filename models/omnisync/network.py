"""The network: a video diffusion transformer in which every block also hears.

One class for all sizes, on the transformer of Wan 2.1 (diffusers' `WanTransformer3DModel`, Apache-2.0), whose names it
keeps: public weights of Wan load into `paper`, and since all that was added begins at zero, step 0 is the base model.
Added: cross-attention to sound after that to text, in every block; the source film as a second input; on request
attention over time apart from space; for the starter, convolutions around it (pyramid.py).
Source: OmniSync, arXiv 2505.21448v2, fig. 2; sizes of Wan2.1-T2V-1.3B.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from diffusers.models.normalization import FP32LayerNorm
from diffusers.models.transformers.transformer_wan import (
    WanAttention,
    WanAttnProcessor,
    WanRotaryPosEmbed,
    WanTransformer3DModel,
    WanTransformerBlock,
)
from torch import Tensor, nn

from models.omnisync.pyramid import Head, Painted, Stem


@dataclass(frozen=True, slots=True)
class Size:
    """Widths and depths of one variant."""

    layers: int
    heads: int
    head: int  # channels of a head
    ffn: int
    latent: int  # channels of a latent
    patch: tuple[int, int, int]  # latents a token: frames, rows, columns
    text: int  # channels of a token of the prompt
    speech: int  # channels of a token of sound
    # channels of the convolutions around it, finest first; none: latents come as they are
    pyramid: tuple[int, ...] = ()
    factorised: bool = False  # attention over space, then over time, as the paper's figure has it


PAPER: Final = Size(layers=30, heads=12, head=128, ffn=8960, latent=16, patch=(1, 2, 2), text=4096, speech=1280)
STARTER: Final = Size(
    layers=4, heads=5, head=32, ffn=480, latent=3, patch=(1, 2, 2), text=64, speech=128, pyramid=(32, 96, 160)
)
TINY: Final = Size(
    layers=2, heads=2, head=12, ffn=32, latent=3, patch=(1, 2, 2), text=16, speech=16, pyramid=(8, 12, 16)
)


class RMSNorm(nn.RMSNorm):
    """torch's, in the precision of what comes in; where weights have another, torch warns and goes slowly."""

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x.dtype), self.eps)


class Block(WanTransformerBlock):  # type: ignore[misc]
    """Self-attention, attention over time, to text, to sound, and a feed-forward."""

    def __init__(self, size: Size) -> None:
        dim = size.heads * size.head
        super().__init__(dim, size.ffn, size.heads, cross_attn_norm=True)
        self.norm_audio = FP32LayerNorm(dim, 1e-6, elementwise_affine=True)
        self.audio_attn = _attention(size, size.head)
        if size.factorised:
            self.norm_time = FP32LayerNorm(dim, 1e-6, elementwise_affine=True)
            self.time_attn = _attention(size)

    def forward(self, h: Tensor, text: Tensor, speech: Tensor, t: Tensor, place: tuple[Tensor, Tensor]) -> Tensor:
        """h (B, N, D), N = F · cells; text (B, L, D); speech (B, F, 8, D); t (B, 6, D) or (B, N, 6, D)."""
        batch, frames = speech.shape[:2]
        cells = h.shape[1] // frames
        move, grow, gate, ff_move, ff_grow, ff_gate = (
            part.squeeze(-2) if t.ndim == 4 else part for part in (self.scale_shift_table + t.float()).chunk(6, dim=-2)
        )
        calm = (self.norm1(h.float()) * (1 + grow) + move).type_as(h)
        if hasattr(self, "time_attn"):
            here = tuple(one[:, :cells] for one in place)  # a frame's own rows and columns; time is told below
            seen = self.attn1(calm.reshape(batch * frames, cells, -1), None, None, here).view(h.shape)
        else:
            seen = self.attn1(calm, None, None, place)
        h = (h.float() + seen * gate).type_as(h)
        if hasattr(self, "time_attn"):
            calm = self.norm_time(h.float()).type_as(h).view(batch, frames, cells, -1).transpose(1, 2)
            when = tuple(one[:, ::cells] for one in place)
            over = self.time_attn(calm.reshape(batch * cells, frames, -1), None, None, when)
            h = h + over.view(batch, cells, frames, -1).transpose(1, 2).reshape(h.shape)
        h = h + self.attn2(self.norm2(h.float()).type_as(h), text, None, None)
        ask = self.norm_audio(h.float()).type_as(h).reshape(batch * frames, cells, -1)
        h = h + self.audio_attn(ask, speech.flatten(0, 1), None, None).view(h.shape)  # a frame hears its own tokens
        calm = (self.norm3(h.float()) * (1 + ff_grow) + ff_move).type_as(h)
        return (h.float() + self.ffn(calm).float() * ff_gate).type_as(h)  # type: ignore[no-any-return]


class OmniSync(WanTransformer3DModel):  # type: ignore[misc]
    """Says the velocity of noised film, from the source film, sound and a prompt."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, size: dict[str, Any]) -> None:
        wide = Size(**size)
        inner = wide.pyramid[-1] if wide.pyramid else wide.latent
        super().__init__(
            patch_size=wide.patch, num_attention_heads=wide.heads, attention_head_dim=wide.head, in_channels=inner,
            out_channels=inner, text_dim=wide.text, ffn_dim=wide.ffn, num_layers=0,
        )  # fmt: skip
        dim = wide.heads * wide.head
        self.size = wide
        with torch.device("cpu"):  # tables, not weights: no checkpoint would fill them if they were built on "meta"
            self.rope = WanRotaryPosEmbed(wide.head, wide.patch, max_seq_len=1024)
        self.blocks = nn.ModuleList(Block(wide) for _ in range(wide.layers))
        self.audio_proj = nn.Linear(wide.speech, dim)
        if wide.pyramid:
            self.stem = Stem(wide.latent, wide.pyramid, wide.speech * 8 + dim)
            self.head = Head(wide.latent, wide.pyramid, wide.speech * 8 + dim)
        else:
            self.source_embedding = nn.Conv3d(wide.latent, dim, wide.patch, wide.patch, bias=False)
            nn.init.zeros_(self.source_embedding.weight)
        for module in self.modules():
            if isinstance(module, WanAttention):
                module.norm_q, module.norm_k = (_own(norm) for norm in (module.norm_q, module.norm_k))

    def forward(self, x: Tensor, sigma: Tensor, source: Tensor, speech: Tensor, text: Tensor) -> Tensor:
        """Velocity v = ε − z where x = (1 − σ) z + σ ε; σ = 1 is pure noise, σ = 0 the film.

        x, source  (B, C, F, H, W) latents; of the starter pixels in −1 … 1
        sigma      (B,) or, where frames have noise of their own, (B, F)
        speech     (B, F, 8, size.speech) what is heard under each frame; zeros are "not told", which is not silence
        text       (B, L, size.text) the prompt
        """
        if self.size.pyramid:
            return (x - self.paint(x, sigma, source, speech, text).picture) / _wide(sigma, x)
        time, steps, told = self._conditions(sigma, text, x.shape[2])  # (B or B·F, D), (B, 6, D) or (B, F, 6, D)
        return self._transform(self.patch_embedding(x) + self.source_embedding(source), x, time, steps, told, speech)

    def paint(self, x: Tensor, sigma: Tensor, source: Tensor, speech: Tensor, text: Tensor) -> Painted:
        """The starter's way to a velocity: the film it comes to, and what its head chose."""
        batch, frames = len(x), x.shape[2]
        time, steps, told = self._conditions(sigma, text, frames)
        vector = torch.cat([speech.flatten(2), time.view(batch, -1, time.shape[-1]).expand(-1, frames, -1)], dim=2)
        felt, sides = self.stem(torch.cat([x, source], dim=1), vector)
        out = self._transform(self.patch_embedding(felt), felt, time, steps, told, speech)
        return cast(Painted, self.head(out + felt, sides, vector, source))

    def _conditions(self, sigma: Tensor, text: Tensor, frames: int) -> tuple[Tensor, Tensor, Tensor]:
        own = sigma.ndim == 2
        time, steps, told, _ = self.condition_embedder(1000 * sigma.flatten(), text)
        if own:
            time = time.view(len(sigma), frames, -1)
            return time, steps.view(len(sigma), frames, 6, -1), told
        return time, steps.unflatten(1, (6, -1)), told

    def _transform(
        self, embedded: Tensor, x: Tensor, time: Tensor, steps: Tensor, told: Tensor, speech: Tensor
    ) -> Tensor:
        """Tokens through all blocks and back to the shape of x. embedded (B, D, F, h, w)."""
        batch, _, frames, rows, columns = embedded.shape
        cells = rows * columns
        place = self.rope(x)
        if steps.ndim == 4:
            steps = steps.repeat_interleave(cells, dim=1)  # (B, N, 6, D)
        heard = self.audio_proj(speech)  # (B, F, 8, D)
        h = embedded.flatten(2).transpose(1, 2).contiguous()  # (B, N, D)
        for block in self.blocks:
            if self.gradient_checkpointing and torch.is_grad_enabled():
                h = self._gradient_checkpointing_func(block, h, told, heard, steps, place)
            else:
                h = block(h, told, heard, steps, place)
        table = self.scale_shift_table
        ends = (
            (table.unsqueeze(0) + time.repeat_interleave(cells, dim=1).unsqueeze(2)).unbind(2)
            if time.ndim == 3
            else (table + time.unsqueeze(1)).chunk(2, dim=1)
        )
        h = self.proj_out((self.norm_out(h.float()) * (1 + ends[1]) + ends[0]).type_as(h))
        p, q, r = self.size.patch
        h = h.view(batch, frames, rows, columns, p, q, r, -1).permute(0, 7, 1, 4, 2, 5, 3, 6)
        return cast(Tensor, h.reshape(x.shape[0], -1, frames * p, rows * q, columns * r))


def build(size: Size) -> OmniSync:
    """With random weights."""
    return cast(OmniSync, OmniSync(asdict(size)))


def inherited(key: str) -> bool:
    """Whether a tensor is Wan's; all others were added, and say nothing until they are taught."""
    return not any(part in _ADDED for part in key.split("."))


_ADDED: Final = ("norm_audio", "audio_attn", "norm_time", "time_attn", "audio_proj", "source_embedding", "stem", "head")


def _attention(size: Size, across: int | None = None) -> WanAttention:
    """One that adds nothing yet; `across` makes it attend to other tokens than its own."""
    new = WanAttention(
        size.heads * size.head,
        size.heads,
        size.head,
        1e-6,
        cross_attention_dim_head=across,
        processor=WanAttnProcessor(),
    )
    nn.init.zeros_(new.to_out[0].weight)
    nn.init.zeros_(new.to_out[0].bias)
    return new


def _own(norm: nn.RMSNorm) -> RMSNorm:
    return RMSNorm(norm.normalized_shape, norm.eps)


def _wide(sigma: Tensor, x: Tensor) -> Tensor:
    """σ beside (B, C, F, H, W)."""
    return sigma.view(len(x), 1, -1, 1, 1)
