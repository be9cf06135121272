"""A new mouth has the colours of the film: lips from lips wherever the window shows them, skin from around it."""

import pytest
import torch

from models.omnisync.palette import Palette

COARSE, FINE = 16, 8


@pytest.fixture
def palette() -> Palette:
    torch.manual_seed(0)
    return Palette(3, COARSE, FINE)


def features(frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(frames, FINE, 48, 48), torch.rand(frames, COARSE, 12, 12)


def test_skin_of_one_colour_stays_that_colour_to_the_edge(palette: Palette) -> None:
    skin = torch.tensor([0.6, 0.1, -0.3]).view(1, 3, 1, 1).expand(2, 3, 96, 96)
    with torch.no_grad():
        found = palette.skin(skin, features(2)[0])
    assert found.shape == (2, 3, 96, 96) and torch.allclose(found, skin, atol=0.01)


def test_a_mouth_that_is_not_counted_leaves_no_trace_in_the_skin(palette: Palette) -> None:
    source = torch.full((1, 3, 96, 96), 0.5)
    source[..., 42:54, 34:62] = -1.0
    fine = torch.zeros(1, FINE, 48, 48)
    fine[:, 0, 20:28, 16:32] = 1.0  # the mouth, known by its first feature
    with torch.no_grad():
        palette.weigh.weight.zero_()
        palette.weigh.weight[0, 0] = -200.0
        assert palette.weigh.bias is not None
        palette.weigh.bias.fill_(100.0)
        found = palette.skin(source, fine)
    assert float((found - 0.5).abs().max()) < 0.01


def test_a_lip_takes_the_colour_it_looks_at_in_whatever_frame_of_the_window(palette: Palette) -> None:
    source = torch.zeros(4, 3, 96, 96)  # two clips of two frames; the second frame of each shows a lip
    source[1, :, 40:44, 40:60] = torch.tensor([0.9, -0.6, -0.7]).view(3, 1, 1)
    source[3, :, 40:44, 40:60] = torch.tensor([-0.2, 0.4, 0.8]).view(3, 1, 1)
    fine, coarse = torch.zeros(4, FINE, 48, 48), features(4)[1]
    fine[[1, 3], 0, 20:22, 20:30] = 1.0
    with torch.no_grad():
        palette.look.weight.zero_()
        palette.look.weight[:, 0] = 200.0
        assert palette.trust.bias is not None
        palette.trust.weight.zero_()
        palette.trust.bias.fill_(100.0)
        colours = palette.parts(source, fine, coarse, batch=2)
    assert colours.shape == (2, 4, 3)
    assert torch.allclose(colours[0, 0], torch.tensor([0.9, -0.6, -0.7]), atol=0.02)
    assert torch.allclose(colours[1, 0], torch.tensor([-0.2, 0.4, 0.8]), atol=0.02)
