"""Wan's causal codec, in which the network of the paper works: film to latents and back.

A latent stands for 8 × 8 pixels; the first for one frame, every further one for four, so films have 4k + 1 frames.
Its tensors are those of diffusers' `AutoencoderKLWan` (Apache-2.0), and so is every line that computes.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from torch import Tensor

PIXELS: Final = 8  # a side, of one latent
FRAMES: Final = 4  # of one latent, but for the first


def build(width: int = 96, depth: int = 2) -> AutoencoderKLWan:
    """With random weights, in eval mode; as published, or narrower (of 2^n channels) and shallower."""
    codec = AutoencoderKLWan(base_dim=width, num_res_blocks=depth)
    return codec.eval()


def encode(codec: AutoencoderKLWan, film: Tensor) -> Tensor:
    """(B, 3, 4k + 1, 8h, 8w) in −1 … 1 → (B, 16, k + 1, h, w), each channel of mean 0 and variance 1 over many films.

    raises  ValueError for another number of frames or sides that are no multiples of 8: they would be cut off unsaid
    """
    frames, height, width = film.shape[2:]
    if frames % FRAMES != 1 or height % PIXELS or width % PIXELS:
        raise ValueError(f"{frames} frames of {width} × {height} pixels; the codec takes 4k + 1 of multiples of 8")
    mean, spread = _published(codec, film)
    return cast(Tensor, (codec.encode(film).latent_dist.mode() - mean) / spread)


def decode(codec: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """(B, 16, k + 1, h, w) → (B, 3, 4k + 1, 8h, 8w) in −1 … 1."""
    mean, spread = _published(codec, latents)
    return cast(Tensor, codec.decode(latents * spread + mean).sample)


def whole(frames: int) -> int:
    """The least 4k + 1 that holds so many frames."""
    return -(-(frames - 1) // FRAMES) * FRAMES + 1


def covered(latent: int) -> range:
    """The frames a latent stands for: 0 alone, then 1 … 4, 5 … 8, …"""
    return range(FRAMES * (latent - 1) + 1, FRAMES * latent + 1) if latent else range(1)


def middles(times: Sequence[Fraction]) -> list[Fraction]:
    """When the sound of each latent is in its middle, for 4k + 1 frames that begin at `times`.

    The first is heard as if it were the last of four frames, so that all hear equally long.
    """
    apart = times[1] - times[0] if len(times) > 1 else Fraction(1, 25)
    return [time - apart for time in times[::FRAMES]]


def _published(codec: AutoencoderKLWan, like: Tensor) -> tuple[Tensor, Tensor]:
    """(1, 16, 1, 1, 1) mean and standard deviation of every channel."""
    numbers = (codec.config.latents_mean, codec.config.latents_std)
    mean, spread = (torch.tensor(each, dtype=like.dtype, device=like.device).view(1, -1, 1, 1, 1) for each in numbers)
    return mean, spread
