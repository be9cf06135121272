"""What the network of the paper hears: the frozen states of a Whisper encoder, fifty a second, eight for each latent.

Promises: sound is found by time, so every frame rate works; which state stands at a moment follows from the sound and
the moment, not from which frames are asked for; nothing in a checkpoint is run, and nothing is downloaded.
Source: Radford et al., arXiv 2212.04356; eight a latent: shared facts, §2.3.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.registry import BadCheckpoint, fill

HZ: Final = 16_000
RATE: Final = 50  # states a second
SAMPLES: Final = HZ // RATE  # of one state
TOKENS: Final = 8  # of a latent: 160 ms, four frames at 25 a second


def encoder(path: Path) -> nn.Module:
    """The encoder of an openai-whisper checkpoint, frozen; its decoder is left out.

    raises   FileNotFoundError, BadCheckpoint
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no Whisper checkpoint {path}; OmniSync's paper variant hears with one (.pt)")
    from whisper.model import AudioEncoder

    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a broken file ends torch's reader in many ways
        raise BadCheckpoint(f"{path} is not a file of tensors alone, so it is not opened: {error}") from error
    try:
        dims, tensors = found["dims"], found["model_state_dict"]
        sizes = [int(dims[f"n_{name}"]) for name in ("mels", "audio_ctx", "audio_state", "audio_head", "audio_layer")]
    except (KeyError, TypeError, ValueError) as error:
        raise BadCheckpoint(f"{path} is no checkpoint of openai-whisper: it has no dims and tensors") from error
    with torch.device("meta"):
        module: nn.Module = AudioEncoder(*sizes)
    prefix = "encoder."
    own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    fill(module, own, str(path))
    return module.eval().requires_grad_(False)


def width(heard_by: nn.Module) -> int:
    """Channels of a state."""
    return heard_by.get_buffer("positional_embedding").shape[1]


def tokens(heard_by: nn.Module, speech: Tensor, middles: Sequence[Fraction]) -> Tensor:
    """(F, 8, D) the states around F moments: those of the 160 ms nearest to each, of which it is the middle.

    speech   (N,) 16 kHz, −1 … 1; silent beyond its end. Before it begins nothing was heard: the tokens are zeros
    middles  seconds, 0 is the sound's first sample
    """
    firsts = [floor(middle * RATE - Fraction(TOKENS - 1, 2)) for middle in middles]
    wanted = sorted({first + n for first in firsts for n in range(TOKENS) if first + n >= 0})
    said = dict(zip(wanted, _states(heard_by, speech, wanted), strict=True)) if wanted else {}
    nothing = torch.zeros(width(heard_by))
    return torch.stack([torch.stack([said.get(first + n, nothing) for n in range(TOKENS)]) for first in firsts])


def _states(heard_by: nn.Module, speech: Tensor, wanted: Sequence[int]) -> Tensor:
    """(n, D) states by their number, rising.

    Whisper hears thirty seconds at once. Longer sound is heard in pieces that begin every twenty, and each state is
    taken from the piece in whose middle it lies, so it has five seconds of sound on either side. The floor of the
    spectrum is under the loudest moment of the whole sound, as in Whisper's own transcription.
    """
    from whisper.audio import log_mel_spectrogram

    place = heard_by.get_buffer("positional_embedding")
    long, bands = len(place), heard_by.get_parameter("conv1.weight").shape[1]
    step = 2 * long // 3
    length = max(ceil(len(speech) / SAMPLES), wanted[-1] + 1)
    last = max(0, ceil((length - long) / step))
    whole = (last * step + long) * SAMPLES
    mel = log_mel_spectrogram(F.pad(speech.float(), (0, whole - len(speech))).to(place.device), bands)
    pieces = [min(last, max(0, (n - (long - step) // 2) // step)) for n in wanted]
    said = []
    for piece in sorted(set(pieces)):
        with torch.inference_mode():
            states = heard_by(mel[None, :, 2 * piece * step : 2 * (piece * step + long)])[0].cpu()
        said += [states[n - piece * step] for n, its in zip(wanted, pieces, strict=True) if its == piece]
    return torch.stack(said)
