"""The renderer of the paper's size, whole, at a size that a test can draw: T for T, passes that carry on, a lock."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from models import registry
from models.face.matte import matte
from models.lipsync import Sight
from models.omnisync import codec, paper, whisper
from models.omnisync.drawing import Drawing
from models.omnisync.network import Size, inherited
from models.omnisync.paper import CARRIED, PASS, Paper, Parts, held, passes, region, regular
from models.omnisync.prompts import PROMPTS
from models.registry import BadCheckpoint
from tests.models.omnisync.test_network import drawn_at_random, taught
from tests.models.omnisync.test_whisper import checkpoint, sound

SMALL: Final = Size(layers=1, heads=2, head=24, ffn=32, latent=16, patch=(1, 2, 2), text=12, speech=16)
SIDE: Final = 64
RATE: Final = Fraction(24000, 1001)
NTSC: Final = [Fraction(1, 2) + n / RATE for n in range(200)]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    torch.manual_seed(0)
    ear = whisper.encoder(checkpoint(tmp_path_factory.mktemp("whisper") / "small.pt"))
    texts = {prompt: torch.randn(6, SMALL.text) for prompt in PROMPTS}
    return Parts(taught(drawn_at_random(SMALL)), codec.build(8, 1), ear, texts)


def shown(frames: int, *, mesh: bool = True, seed: int = 0) -> Sight:
    """A film that moves, with a mouth in the middle of its crops."""
    g = torch.Generator().manual_seed(seed)
    crops = F.interpolate(torch.rand(frames, 3, 8, 8, generator=g), SIDE, mode="bilinear").clamp(0, 1)
    mouths = torch.tensor([0.5, 0.5, 1 / 14, 0.0]).repeat(frames, 1)
    return Sight(crops, mouths, torch.rand(frames, 468 if mesh else 0, 2, generator=g), None)


def render(model: Paper, sight: Sight, speech: Tensor | None = None, **asked: Any) -> Tensor:
    heard = sound(4) if speech is None else speech
    times = NTSC[: len(sight.crops)]
    return model.render(sight, heard, times, **({"seed": 3, "steps": 2} | asked))


def blocks(film: Tensor) -> Tensor:
    """Instead of Wan's encoder: the mean of each latent's pixels, which no other latent knows."""
    mean = F.avg_pool2d(film[0].transpose(0, 1), 8)  # (T, 3, h, w)
    frames = [mean[list(codec.covered(n))].mean(dim=0) for n in range((film.shape[2] - 1) // 4 + 1)]
    return F.pad(torch.stack(frames, dim=1), (0, 0, 0, 0, 0, 0, 0, 13))[None]


def unblocked(latents: Tensor) -> Tensor:
    """And instead of its decoder."""
    frames = latents[0, :3].repeat_interleave(4, dim=1)[:, 3:]
    return F.interpolate(frames, scale_factor=8.0, mode="nearest")[None]


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A codec in which a pixel depends on its own latent alone, as Wan's, that looks at whole frames, does not."""
    monkeypatch.setattr(codec, "encode", lambda _, film: blocks(film))
    monkeypatch.setattr(codec, "decode", lambda _, latents: unblocked(latents))


@pytest.mark.parametrize("frames", [1, 2, 5, 9, 20])
def test_as_many_frames_out_as_in_however_few(parts: Parts, frames: int) -> None:
    sight = shown(frames)
    out = render(Paper(parts), sight)
    assert out.shape == sight.crops.shape and out.dtype == sight.crops.dtype
    assert out.isfinite().all() and out.min() >= 0 and out.max() <= 1


def test_the_same_seed_draws_the_same_pixels_and_another_does_not(parts: Parts) -> None:
    model, sight = Paper(parts), shown(5)
    first = render(model, sight)
    assert torch.equal(render(model, sight), first)
    assert not torch.equal(render(model, sight, seed=4), first)


def test_what_is_heard_seen_and_asked_all_change_what_is_drawn(parts: Parts) -> None:
    model, sight = Paper(parts), shown(5)
    first = render(model, sight)
    for other in (
        render(model, sight, sound(4, seed=1)),
        render(model, shown(5, seed=1)),
        render(model, sight, prompt="clear teeth"),
        render(model, sight, steps=3),
    ):
        assert (other - first).abs().max() > 1e-4
    with pytest.raises(ValueError, match="there is no prompt 'angry'"):
        render(model, sight, prompt="angry")


def test_far_from_the_mouth_the_locked_film_is_the_codecs_round_trip(parts: Parts, local: None) -> None:
    sight = shown(9)
    film = sight.crops.mul(2).sub(1).permute(1, 0, 2, 3)[None]
    trip = ((unblocked(blocks(film))[0].permute(1, 0, 2, 3) + 1) / 2).clamp(0, 1)
    moved = (render(Paper(parts), sight) - trip).abs().amax(dim=(0, 1))
    assert not moved[:8].any() and not moved[:, :8].any() and not moved[:, 56:].any(), "the rim"
    assert moved[28:36, 28:36].min() > 1e-3
    free = (render(Paper(parts), replace_points(sight)) - trip).abs().amax(dim=(0, 1))
    assert free.min() > 0, "without a mesh nothing is locked"


def replace_points(sight: Sight) -> Sight:
    return Sight(sight.crops, sight.mouths, sight.points[:, :0], None)


def test_nothing_that_the_matte_shows_of_a_moving_mouth_is_locked() -> None:
    mouths = torch.tensor([[0.5, 0.5, 0.07, 0.0], [0.55, 0.6, 0.09, 0.4], [0.4, 0.45, 0.05, -0.3]])
    shows = torch.from_numpy(matte(mouths.numpy(), Paper.crop)).amax(dim=0)
    free = region(mouths, 64)
    assert free.shape == (64, 64) and free.min() == 0 and free.max() == 1
    assert (free >= F.avg_pool2d(shows[None, None], 8)[0, 0]).all()
    assert free[F.max_pool2d(shows[None, None], 8)[0, 0] > 0.02].min() > 0


def test_a_pass_carries_on_what_the_one_before_drew(parts: Parts, local: None) -> None:
    model, sight = Paper(parts), shown(PASS + 9)
    given: list[tuple[Tensor, Tensor]] = []
    hook = model.network.register_forward_pre_hook(lambda _, args: given.append((args[0].clone(), args[1].clone())))
    try:
        out = render(model, sight, steps=1)
    finally:
        hook.remove()
    first = render(model, Sight(sight.crops[:PASS], sight.mouths[:PASS], sight.points[:PASS], None), steps=1)
    assert torch.equal(out[:PASS], first), "what is drawn stays as it is"
    before = out[PASS - CARRIED : PASS].mul(2).sub(1).permute(1, 0, 2, 3)[None]
    x, sigma = given[-1]
    assert x.shape[2] == 5, "two known latents and three for nine new frames, made whole"
    assert (sigma[:, :2] == 0).all() and (sigma[:, 2:] > 0).all()
    torch.testing.assert_close(x[:1, :, :2].clamp(-1, 1), blocks(before), rtol=1e-5, atol=1e-5)  # as a film has it
    assert given[0][1].ndim == 1, "the first pass knows nothing"


def test_passes_share_frames_and_leave_none_out() -> None:
    for frames in (1, 5, 80, 81, 82, 157, 158, 400):
        every = passes(frames)
        assert every[0].start == 0 and every[-1].stop == frames and all(len(each) <= PASS for each in every)
        for one, after in pairwise(every):
            assert after.start == one.stop - CARRIED and len(one) == PASS and len(after) > CARRIED
    assert held(range(3, 6)) == [3, 4, 5, 5, 5] and held(range(4)) == [0, 1, 2, 3, 3] and held(range(7, 8)) == [7]


def test_sound_goes_on_under_frames_that_only_fill_up() -> None:
    assert regular(NTSC[:3], 1, 5) == [NTSC[0] + n / RATE for n in range(1, 6)]
    assert regular([Fraction(1)], 0, 2) == [1, 1 + Fraction(1, 25)]


def test_a_step_of_no_noise_returns_the_codecs_round_trip(parts: Parts, local: None) -> None:
    sight = shown(5)
    film = sight.crops.mul(2).sub(1).permute(1, 0, 2, 3)[None]
    trip = ((unblocked(blocks(film))[0].permute(1, 0, 2, 3) + 1) / 2).clamp(0, 1)
    still = Paper(parts, drawing=Drawing(steps=1, tau=1e-6))
    torch.testing.assert_close(render(still, sight, steps=0), trip, atol=1e-4, rtol=0)


def test_it_runs_in_bfloat16_with_its_places_and_scales_exact(parts: Parts) -> None:
    exact = render(Paper(parts), shown(5), steps=1)
    network = drawn_at_random(SMALL)
    network.load_state_dict(parts.network.state_dict())
    half = Paper(replace(parts, network=network), precision=torch.bfloat16)
    half_kept = network.get_parameter("blocks.0.audio_attn.to_q.weight"), network.get_parameter("proj_out.weight")
    exact_kept = network.get_parameter("scale_shift_table"), network.rope.freqs_cos
    assert {each.dtype for each in half_kept} == {torch.bfloat16}
    assert {each.dtype for each in exact_kept} == {torch.float32}
    assert (render(half, shown(5), steps=1) - exact).abs().mean() < 0.02


def test_it_fits_the_pipeline() -> None:
    assert Paper.crop.size % 16 == 0 and Paper.crop.around == "mouth" and not Paper.crop.landmarks
    assert passes(Paper.window.frames)[-1] == range(Paper.window.frames - PASS, Paper.window.frames)
    slowest = Fraction(24000, 1001)
    assert Paper.window.frames / slowest + 2 * Paper.hearing.context < 30, "one piece of Whisper's"
    assert Paper.prompts == PROMPTS


@pytest.fixture
def folder(tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's weights, of a size that fits a test."""
    monkeypatch.setattr(paper, "PAPER", SMALL)
    small = codec.build
    monkeypatch.setattr(codec, "build", lambda: small(8, 1))
    save_file(parts.network.state_dict(), tmp_path / "omnisync.safetensors")
    save_file(parts.codec.state_dict(), tmp_path / "vae.safetensors")
    save_file(dict(parts.texts), tmp_path / "prompts.safetensors")
    checkpoint(tmp_path / "whisper.pt")
    return tmp_path


def test_a_folder_of_weights_draws_as_its_parts_do(folder: Path, parts: Parts) -> None:
    padded = {prompt: F.pad(text, (0, 0, 0, 506)) for prompt, text in parts.texts.items()}
    wanted = render(Paper(replace(parts, texts=padded)), shown(2))
    for model in (paper.load(folder, folder / "whisper.pt"), registry.renderer("omnisync", "paper", weights=folder)):
        assert isinstance(model, Paper)
        torch.testing.assert_close(render(model, shown(2)), wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(render(paper.load(folder / "omnisync.safetensors"), shown(2)), wanted, rtol=0, atol=1e-5)


def test_what_is_wrong_with_a_folder_is_said(folder: Path, parts: Parts) -> None:
    ours = folder / "omnisync.safetensors"
    base = {key: value for key, value in parts.network.state_dict().items() if inherited(key)}
    save_file(base, ours)
    with pytest.raises(BadCheckpoint, match="Wan's base weights: they hear nothing"):
        paper.load(folder)
    save_file(base | {"audio_proj.bias": torch.zeros(48)}, ours)
    with pytest.raises(BadCheckpoint, match="tensors that differ"):
        paper.load(folder)
    save_file(parts.network.state_dict(), ours)
    with pytest.raises(FileNotFoundError, match="no Whisper checkpoint"):
        paper.load(folder, folder / "large-v3.pt")
    (folder / "prompts.safetensors").unlink()
    with pytest.raises(FileNotFoundError):
        paper.load(folder)
