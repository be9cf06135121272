"""LPIPS is what its paper says, from the user's files; nothing else is called so."""

from pathlib import Path

import pytest
import torch

from models.diff2lip.train.perceptual import AlexNet, Lpips, distance


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Random weights under the names of the two public files."""
    chance = torch.Generator().manual_seed(7)
    trunk = {key: torch.randn(value.shape, generator=chance) * 0.05 for key, value in AlexNet().state_dict().items()}
    torch.save(trunk | {"classifier.1.weight": torch.zeros(1)}, tmp_path / "alexnet.pth")
    widths = (64, 192, 384, 256, 256)
    heads = {f"lin{n}.model.1.weight": torch.rand(1, c, 1, 1, generator=chance) for n, c in enumerate(widths)}
    torch.save(heads, tmp_path / "alex.pth")
    return tmp_path / "alexnet.pth", tmp_path / "alex.pth"


def test_alexnet_has_the_layers_of_torchvision() -> None:
    shapes = {key: tuple(value.shape) for key, value in AlexNet().state_dict().items() if key.endswith("weight")}
    assert shapes == {
        "features.0.weight": (64, 3, 11, 11), "features.3.weight": (192, 64, 5, 5),
        "features.6.weight": (384, 192, 3, 3), "features.8.weight": (256, 384, 3, 3),
        "features.10.weight": (256, 256, 3, 3),
    }  # fmt: skip


def test_a_distance_is_the_weighted_difference_of_unit_features() -> None:
    a = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)  # unit: 0.6, 0.8
    b = torch.tensor([0.0, 2.0]).view(1, 2, 1, 1)  # unit: 0, 1
    assert distance([a], [b]).item() == pytest.approx((0.36 + 0.04) / 2)
    heads = [torch.tensor([1.0, 10.0]).view(1, 2, 1, 1)]
    assert distance([a, a], [b, a], heads * 2).item() == pytest.approx(0.36 + 0.4)


def test_lpips_is_zero_for_a_copy_and_has_a_gradient_for_the_drawn_picture_alone(files: tuple[Path, Path]) -> None:
    lpips = Lpips(*files)
    filmed = torch.rand(2, 3, 64, 80, generator=torch.Generator().manual_seed(7)) * 2 - 1
    drawn = (filmed * 0.5).requires_grad_()
    found = lpips(drawn, filmed)
    torch.autograd.backward(found.sum())
    assert found.shape == (2,) and (found > 0).all() and not lpips(filmed, filmed).any()
    assert drawn.grad is not None and drawn.grad.any()
    assert not any(parameter.requires_grad for parameter in lpips.parameters())


def test_a_file_of_something_else_names_what_it_lacks(files: tuple[Path, Path]) -> None:
    with pytest.raises(KeyError, match=r"features\.0\.weight"):
        Lpips(files[1], files[1])
