"""The head hands the source back until it is taught, and a choice leaves untouched pixels exactly alone."""

import torch

from models.omnisync.network import TINY
from models.omnisync.pyramid import KEPT, MOUTH, PARTS, Head, Stem

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
        picture, logits = head(*seen)
    assert picture.shape == seen[3].shape and logits.shape == (2, len(PARTS), 4, 96, 96)
    kept = logits.softmax(dim=1)[:, 0]
    assert float(kept.min()) > 0.9 and KEPT > 3
    assert float((picture - seen[3]).abs().mean()) < 0.1


def test_where_it_chooses_to_keep_the_source_not_a_bit_of_it_changes() -> None:
    head, seen = looked()
    with torch.no_grad():
        assert head.last.bias is not None
        head.last.bias[: 4 * len(PARTS)] = -200.0
        head.last.bias[:4] = 200.0
        picture, _ = head(*seen)
    assert torch.equal(picture, seen[3])


def test_a_part_of_the_mouth_has_one_colour_in_a_frame() -> None:
    head, seen = looked()
    with torch.no_grad():
        assert head.last.bias is not None
        for part in range(len(MOUTH)):
            head.last.bias[: 4 * len(PARTS)] = -200.0
            head.last.bias[4 * (2 + part) : 4 * (3 + part)] = 200.0
            picture, _ = head(*seen)
            assert float(picture.std(dim=(-2, -1)).max()) < 1e-4
            assert float(picture.mean(dim=(-2, -1)).std(dim=(0, 2)).max()) > 0  # and another one in another frame
