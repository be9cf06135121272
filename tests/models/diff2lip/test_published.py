"""The published loop, byte for byte against a second, naive writing of it."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch

from models.audio.mel import mel
from models.diff2lip.network import Diff2Lip, Shape
from models.diff2lip.published import Boxes, Picture, dub, smooth, sound_windows
from tests.models.diff2lip.test_diffusion import kept


@pytest.fixture(scope="module")
def network() -> Diff2Lip:
    torch.manual_seed(7)
    network = Diff2Lip(Shape(32, (1, 2, 1, 1), 1, ())).eval()
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return network


def film(count: int) -> tuple[list[Picture], Boxes]:
    """Noise, and boxes that wander, one of them over the edge."""
    chance = np.random.default_rng(7)
    frames = list(chance.integers(0, 256, (count, 120, 160, 3), dtype=np.uint8))
    boxes = np.array([30, 10, 110, 100]) + chance.integers(-9, 9, (count, 4))
    boxes[0] = -5, 20, 90, 130
    return frames, boxes


def naively(
    frames: Sequence[Picture], boxes: Boxes, speech: np.ndarray[tuple[int], np.dtype[np.float32]],
    network: Diff2Lip, strides: list[int],
) -> list[Picture]:  # fmt: skip
    """Frame after frame; only the network sees all at once, for its last bits depend on that."""
    rows = [[max(0, int(x)), max(0, int(y)), min(160, int(p)), min(120, int(q))] for x, y, p, q in boxes]
    for i in range(len(rows)):
        near = rows[len(rows) - 5 :] if i + 5 > len(rows) else rows[i : i + 5]
        rows[i] = [int(sum(row[k] for row in near) / len(near)) for k in range(4)]
    columns = torch.from_numpy(mel(speech))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        noise = torch.randn(1, 3, 128, 128)
    mask = torch.zeros(1, 1, 128, 128)
    for row in range(64, 128):
        mask[:, :, row] = 1
    pictures, hidden, heard = [], [], []
    for k, frame in enumerate(frames):
        start = int(80 * max(k - 1, 0) / 25)
        if start + 16 > columns.shape[1]:
            break
        heard.append(columns[:, start : start + 16])
        x1, y1, x2, y2 = rows[k]
        crop = cv2.resize(frame[y1:y2, x1:x2], (128, 128), interpolation=cv2.INTER_LINEAR)
        img = torch.from_numpy(crop.astype(np.float32) / 255 * 2 - 1).permute(2, 0, 1)
        pictures.append(img)
        hidden.append(img * (1 - mask[0]) + mask[0] * noise[0])
    told = (torch.stack(hidden), mask.expand(len(hidden), -1, -1, -1), torch.stack(pictures), torch.stack(heard))
    x = noise.expand(len(hidden), -1, -1, -1)
    for n in reversed(range(len(strides))):
        now, before = kept(strides[n]), kept(strides[n - 1]) if n else 1.0
        with torch.inference_mode():
            out = network(x, torch.full((len(x),), strides[n]), *told)
        guess = ((1 / now) ** 0.5 * x - (1 / now - 1) ** 0.5 * out[:, :3]).clamp(-1, 1)
        left = (x - now**0.5 * guess) / (1 - now) ** 0.5
        x = guess * before**0.5 + (1 - before) ** 0.5 * left
    done = []
    for frame, img, sample, (x1, y1, x2, y2) in zip(frames, pictures, x, rows, strict=False):
        both = sample * mask[0] + (1 - mask[0]) * img
        small = ((both + 1) / 2 * 255).permute(1, 2, 0).numpy().astype(np.uint8)
        pasted = frame.copy()
        pasted[y1:y2, x1:x2] = cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        done.append(pasted)
    return done


def test_every_byte_is_that_of_the_naive_loop(network: Diff2Lip) -> None:
    frames, boxes = film(6)
    speech = np.random.default_rng(8).normal(0, 0.1, 16000).astype(np.float32)
    found = dub(frames, boxes, speech, network, steps=3)
    wanted = naively(frames, boxes, speech, network, [0, 334, 668])
    assert len(found) == len(wanted) == 6
    for ours, theirs, frame in zip(found, wanted, frames, strict=True):
        assert (ours != frame).any()
        far = np.abs(ours.astype(int) - theirs)
        assert not far.any(), f"{(far > 0).mean():.1e} of the bytes differ, by up to {far.max()}"


def test_the_last_three_frames_have_no_full_window_and_are_dropped(network: Diff2Lip) -> None:
    frames, boxes = film(10)
    assert len(sound_windows(mel(np.zeros(64000, np.float32)), 100)) == 97
    assert len(dub(frames, boxes, np.zeros(6400, np.float32), network, steps=1)) == 7


def test_no_sound_gives_no_frame(network: Diff2Lip) -> None:
    assert dub(*film(2), np.zeros(0, np.float32), network, steps=1) == []


@pytest.mark.parametrize(("given", "wanted"), [
    pytest.param([0, 7], [3, 5], id="two/all-of-both-twice-truncated"),
    pytest.param([0, 10, 30], [20, 20, 25], id="three/the-last-two"),
    pytest.param([0, 10, 30, 50], [50, 50, 50, 50], id="four/the-last-one"),
    pytest.param([0, 1, 2, 3, 5], [2, 2, 2, 2, 2], id="five/means-of-means"),
    pytest.param([0, 0, 0, 0, 5, 5, 100], [1, 2, 22, 26, 31, 36, 43], id="seven/tail-averages-what-it-wrote"),
])  # fmt: skip
def test_boxes_are_smoothed_in_place(given: list[int], wanted: list[int]) -> None:
    boxes = np.repeat(np.array(given)[:, None], 4, axis=1)
    assert smooth(boxes)[:, 0].tolist() == wanted
    assert boxes[:, 0].tolist() == given  # the caller's stay
