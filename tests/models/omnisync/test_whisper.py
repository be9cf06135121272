"""Sound reaches the network by time, whoever asks for it and wherever Whisper's thirty seconds end."""

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from whisper.model import ModelDimensions, Whisper

from models.omnisync import codec
from models.omnisync.whisper import TOKENS, encoder, tokens, width
from models.registry import BadCheckpoint

LONG = 100  # states of this one's window: two seconds, in the place of thirty


def checkpoint(path: Path, long: int = LONG) -> Path:
    """A Whisper nobody taught, as openai-whisper saves one."""
    torch.manual_seed(0)
    dims = ModelDimensions(80, long, 16, 2, 2, 12, 8, 16, 2, 1)
    model = Whisper(dims)
    for module in (model.encoder, model.decoder):
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.2) if parameter.ndim > 1 else None
    torch.save({"dims": asdict(dims), "model_state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return encoder(checkpoint(tmp_path_factory.mktemp("whisper") / "small.pt"))


def sound(seconds: float, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.uniform(0, 0.5, int(seconds * 10)), 1600)
    return torch.from_numpy((loud * rng.normal(size=len(loud))).astype(np.float32))


def all_states(ear: nn.Module, speech: Tensor, count: int) -> Tensor:
    """(count, D) states 0, 1, 2, … through the same door."""
    middles = [Fraction(TOKENS * n + TOKENS // 2, 50) for n in range(count // TOKENS)]
    return tokens(ear, speech, middles).flatten(0, 1)


def test_eight_states_a_latent_and_at_25_frames_a_second_each_state_once(ear: nn.Module) -> None:
    speech = sound(1.5)
    times = [Fraction(n, 25) for n in range(13)]
    heard = tokens(ear, speech, codec.middles(times))
    assert heard.shape == (4, 8, 16) and width(ear) == 16
    states = all_states(ear, speech, 48)
    assert torch.equal(heard[1:].flatten(0, 1), states[2:26])  # 40 ms … 520 ms
    assert torch.equal(heard[0, -2:], states[:2]), "the first latent is one frame long"
    assert not heard[0, :-2].any() and heard[0, -2:].any(), "before the sound began there is nothing to tell"


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(30), Fraction(60)])
def test_at_any_rate_a_latent_hears_the_sound_around_its_middle(ear: nn.Module, rate: Fraction) -> None:
    speech = sound(2)
    states = all_states(ear, speech, 96)
    middles = codec.middles([Fraction(1, 3) + n / rate for n in range(17)])
    for middle, heard in zip(middles, tokens(ear, speech, middles), strict=True):
        first = next(n for n in range(90) if torch.equal(states[n], heard[0]))
        assert abs(Fraction(first + 4, 50) - middle) <= Fraction(1, 100)
        assert torch.equal(heard, states[first : first + 8])


def test_a_state_is_the_same_whoever_asks_for_it(ear: nn.Module) -> None:
    speech = sound(9)
    middles = [Fraction(n, 10) for n in range(1, 90)]
    together = tokens(ear, speech, middles)
    for n in (0, 17, 44, 88):
        assert torch.equal(tokens(ear, speech, middles[n : n + 1]), together[n : n + 1])


def test_a_state_knows_a_sixth_of_a_piece_on_either_side_and_nothing_a_piece_away(ear: nn.Module) -> None:
    speech = sound(10)
    speech[80000] = 1.0  # the loudest moment, by which all is measured, stays where it is
    states = all_states(ear, speech, 496)

    def moved(start: int, end: int) -> Tensor:
        other = speech.clone()
        other[start * 320 : end * 320] = 0
        return (all_states(ear, other, 496) - states).abs().amax(dim=1)

    for n in (30, 82, 83, 149, 215, 400):  # pieces change at 83, 149, 215, …
        assert moved(n - 12, n - 8)[n] > 0 < moved(n + 8, n + 12)[n]
    far = moved(0, 40)
    assert not far[40 + LONG :].any() and far[:40].all()


def test_the_same_sound_a_whole_step_later_is_heard_the_same(ear: nn.Module) -> None:
    """Elsewhere it need not be: Whisper adds a state's place in its piece to it."""
    step = 2 * LONG // 3
    speech = sound(7)
    states = all_states(ear, speech, 344)
    later = all_states(ear, torch.cat([torch.zeros(320 * step), speech]), 344 + 72)[step:]
    settled = slice(step + LONG // 6 + 1, 250)  # those of the first piece know that nothing was before it
    torch.testing.assert_close(later[settled], states[settled], rtol=1e-4, atol=1e-4)


def test_sound_as_long_as_a_piece_is_heard_in_one(ear: nn.Module) -> None:
    """A state near its end knows the beginning."""
    speech = sound(2)
    other = speech.clone()
    other[:3200] = 0
    assert not torch.equal(all_states(ear, speech, 96)[-1], all_states(ear, other, 96)[-1])


def test_beyond_its_end_the_sound_is_silent_and_no_sound_at_all_is_silence(ear: nn.Module) -> None:
    middles = [Fraction(n, 5) for n in range(1, 6)]
    short = sound(0.4)
    assert torch.equal(tokens(ear, short, middles), tokens(ear, torch.cat([short, torch.zeros(9600)]), middles))
    silence = tokens(ear, torch.zeros(0), middles)
    assert silence.any() and silence.isfinite().all()


def test_only_a_whisper_checkpoint_of_tensors_is_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Whisper checkpoint"):
        encoder(tmp_path / "large-v3.pt")
    path = tmp_path / "other.pt"
    for found, said in (
        ({"dims": {}, "model_state_dict": Path("code")}, "tensors alone"),
        ({"state_dict": {}}, "no dims"),
        ([], "no dims"),
        ({"dims": asdict(ModelDimensions(80, 10, 16, 2, 2, 12, 8, 16, 2, 1)), "model_state_dict": {}}, "differ"),
    ):
        torch.save(found, path)
        with pytest.raises(BadCheckpoint, match=said):
            encoder(path)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(BadCheckpoint, match="tensors alone"):
        encoder(path)
