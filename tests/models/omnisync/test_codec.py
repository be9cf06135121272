"""Film goes into latents and comes back as long and as large as it was; the published tensors fit."""

import json
from fractions import Fraction

import pytest
import torch

from models.omnisync import codec
from tests.media import shared


@pytest.mark.parametrize("frames", [1, 5, 9])
def test_a_small_codec_takes_4k_plus_1_frames_there_and_back(frames: int) -> None:
    torch.manual_seed(0)
    small = codec.build(8, 1)
    film = torch.rand(2, 3, frames, 16, 24) * 2 - 1
    with torch.inference_mode():
        latents = codec.encode(small, film)
        back = codec.decode(small, latents)
    assert latents.shape == (2, 16, (frames - 1) // 4 + 1, 2, 3) and back.shape == film.shape
    assert back.abs().max() <= 1
    assert torch.equal(codec.encode(small, film), latents), "chance has no part in it"


def test_latents_are_normalised_by_the_published_numbers_and_back_again() -> None:
    torch.manual_seed(0)
    small = codec.build(8, 1)
    published = json.loads(shared("facts/models/keys/ref_wan21_vae_diffusers.json").read_text())["config"]
    mean, spread = (torch.tensor(published[f"latents_{name}"]).view(1, 16, 1, 1, 1) for name in ("mean", "std"))
    film = torch.rand(1, 3, 5, 16, 16) * 2 - 1
    with torch.inference_mode():
        raw = small.encode(film).latent_dist.mode()
        latents = codec.encode(small, film)
        torch.testing.assert_close(latents * spread + mean, raw, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(codec.decode(small, latents), small.decode(raw).sample, rtol=1e-4, atol=1e-5)


def test_the_whole_codec_has_the_published_tensors() -> None:
    published = json.loads(shared("facts/models/keys/ref_wan21_vae_diffusers.json").read_text())["keys"]
    with torch.device("meta"):
        whole = codec.build()
    assert {key: list(value.shape) for key, value in whole.state_dict().items()} == published
    assert sum(parameter.numel() for parameter in whole.parameters()) == 126_892_531


def test_a_latent_knows_only_the_frames_it_covers_and_those_before() -> None:
    torch.manual_seed(0)
    small = codec.build(8, 1)
    film = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    with torch.inference_mode():
        latents = codec.encode(small, film)
        for latent in range(4):
            for frame in (codec.covered(latent)[0], codec.covered(latent)[-1]):
                other = film.clone()
                other[:, :, frame] *= -1
                moved = (codec.encode(small, other) - latents).abs().amax(dim=(0, 1, 3, 4))
                assert not moved[:latent].any() and moved[latent] > 0
    assert [frame for latent in range(4) for frame in codec.covered(latent)] == list(range(13))


@pytest.mark.parametrize("shape", [(4, 16, 16), (5, 12, 16), (5, 16, 20)])
def test_film_that_would_be_cut_off_unsaid_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        codec.encode(codec.build(8, 1), torch.zeros(1, 3, *shape))


@pytest.mark.parametrize(("frames", "held"), [(1, 1), (2, 5), (5, 5), (6, 9), (80, 81), (81, 81)])
def test_a_film_is_made_whole_by_the_fewest_frames(frames: int, held: int) -> None:
    assert codec.whole(frames) == held


def test_the_sound_of_a_latent_is_in_its_middle_over_the_frames_it_covers() -> None:
    rate = Fraction(24000, 1001)
    times = [3 + n / rate for n in range(9)]
    middles = codec.middles(times)
    assert middles[0] == times[0] - 1 / rate
    for latent in (1, 2):
        frames = codec.covered(latent)
        assert middles[latent] == (times[frames[0]] + times[frames[-1]] + 1 / rate) / 2
