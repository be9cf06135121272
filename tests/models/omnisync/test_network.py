import pytest
import torch
from torch import Tensor

from models.omnisync.network import STARTER, TINY, Size, build


def asked(size: Size, frames: int = 2, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """x, sigma, source, speech, text of two clips."""
    g = torch.Generator().manual_seed(seed)
    side = 32 if size.pyramid else 8
    x, source = torch.randn(2, 2, size.latent, frames, side, side, generator=g)
    speech = torch.randn(2, frames, 8, size.speech, generator=g)
    return x, torch.tensor([0.9, 0.3]), source, speech, torch.randn(2, 3, size.text, generator=g)


@pytest.mark.parametrize("size", [TINY, STARTER], ids=["tiny", "starter"])
def test_weights_in_float32_run_in_bfloat16_without_a_word_and_nearly_the_same(size: Size) -> None:
    torch.manual_seed(0)
    network = build(size).eval()
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    with torch.inference_mode():
        exact = network(*asked(size))
        with torch.autocast("cpu", torch.bfloat16):  # a warning is an error here
            near = network(*asked(size))
    assert (near - exact).std() < 0.05 * exact.std()
