"""The head hands the source back until it is taught, and a choice leaves untouched pixels exactly alone."""

import torch

from models.omnisync.network import TINY
from models.omnisync.pyramid import DECIDED, FARTHEST, MOUTH, PARTS, Head, Stem, pushed

TOLD = 5


def looked(seed: int = 0) -> tuple[Head, tuple[torch.Tensor, list[torch.Tensor], torch.Tensor, torch.Tensor]]:
    torch.manual_seed(seed)
    stem, head = Stem(3, TINY.pyramid, TOLD), Head(3, TINY.pyramid, TOLD)
    source, vector = torch.rand(2, 3, 4, 96, 96) * 2 - 1, torch.randn(2, 4, TOLD)
    felt, sides = stem(torch.cat([source, source], dim=1), vector)
    return head, (felt, sides, vector, source)


def test_an_untaught_head_keeps_almost_all_of_the_source() -> None:
    head, seen = looked()
    with torch.no_grad():
        painted = head(*seen)
    assert painted.picture.shape == seen[3].shape and painted.parts.shape == (2, len(PARTS), 4, 96, 96)
    kept = (DECIDED * painted.parts).softmax(dim=1)[:, 0]
    assert float(kept.min()) > 0.9
    assert float((painted.picture - seen[3]).abs().mean()) < 0.1


def test_where_it_chooses_to_keep_the_source_not_a_bit_of_it_changes() -> None:
    head, seen = looked()
    with torch.no_grad():
        assert head.last.bias is not None
        head.last.bias[: 4 * len(PARTS)] = -200.0
        head.last.bias[:4] = 200.0
        picture = head(*seen).picture
    assert torch.equal(picture, seen[3])


def test_a_part_of_the_mouth_has_one_colour_in_a_frame() -> None:
    head, seen = looked()
    with torch.no_grad():
        assert head.last.bias is not None
        for part in range(len(MOUTH)):
            head.last.bias[: 4 * len(PARTS)] = -200.0
            head.last.bias[4 * (2 + part) : 4 * (3 + part)] = 200.0
            picture = head(*seen).picture
            assert float(picture.std(dim=(-2, -1)).max()) < 1e-4
            assert float(picture.mean(dim=(-2, -1)).std(dim=0).max()) > 0  # and another one in another clip


def test_what_is_pushed_lands_where_it_was_pushed_to_and_no_farther_than_a_chin_drops() -> None:
    film = torch.zeros(1, 3, 96, 96)
    film[..., 60, 30:60] = 1.0  # the outline of a chin
    still = torch.zeros(1, 2, 96, 96)
    assert torch.allclose(pushed(film, still), film, atol=1e-4)
    down = still.clone()
    down[:, 1] = -4.0  # taken from four pixels above
    row = int(pushed(film, down)[0, 0, :, 45].argmax())
    assert row == 64
    down[:, 1] = -500.0
    assert int(pushed(film, down)[0, 0, :, 45].argmax()) == 60 + FARTHEST


def test_a_pushed_pixel_is_one_of_the_films() -> None:
    head, seen = looked()
    with torch.no_grad():
        assert head.last.bias is not None
        head.last.bias[4 : 4 * len(PARTS)] = -200.0
        head.last.bias[:4] = -200.0
        head.last.bias[4:8] = 200.0  # moved, all of it
        head.last.bias[-4:] = 200.0  # and certainly pushed
        picture = head(*seen).picture
    assert torch.allclose(picture, seen[3], atol=1e-3)  # by nothing yet
