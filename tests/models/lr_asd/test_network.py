"""LR-ASD: the public checkpoints fit, and give the numbers of the original code."""

import pytest
import torch

from models.lr_asd.network import LrAsd
from tests.media import shared

# weights/lr_asd/README.md, section 6: two logits of frames 0, 12 and 24, and the sum of all.
REFERENCE = {
    "finetuning_TalkSet": ([[1.35479, -1.42831], [1.91307, -2.04204], [0.72122, -0.84010]], -2.7292),
    "pretrain_AVA": ([[3.65202, -3.21630], [4.45176, -4.27478], [3.22951, -3.14961]], 5.2078),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_it_gives_the_numbers_of_the_original(name: str) -> None:
    network = LrAsd().eval()
    network.load_state_dict(torch.load(shared(f"weights/lr_asd/{name}.model"), map_location="cpu", weights_only=True))
    row, column = torch.arange(100.0)[:, None], torch.arange(13.0)
    t, y, x = (torch.arange(float(n)) for n in (25, 112, 112))
    faces = (7 * t[:, None, None] + 3 * y[:, None] + 5 * x) % 256
    with torch.inference_mode():
        logits = network((10 * torch.sin(0.1 * row + 0.7 * column))[None], faces[None])[0]
    frames, whole = REFERENCE[name]
    assert torch.allclose(logits[[0, 12, 24]], torch.tensor(frames), atol=1e-3)
    assert float(logits.sum()) == pytest.approx(whole, abs=1e-2)


def test_it_is_as_large_as_published_and_says_something_of_every_frame() -> None:
    network = LrAsd().eval()
    assert sum(each.numel() for each in network.parameters()) == 837_156
    with torch.inference_mode():
        assert network(torch.zeros(2, 28, 13), torch.zeros(2, 7, 112, 112)).shape == (2, 7, 2)
