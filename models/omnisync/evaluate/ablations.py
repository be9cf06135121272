"""The starter drawn otherwise: each setting of the paper and of ours changed alone, and every prompt.

What a row is called is what was changed; the row without a change is the model's own name.
Source: the ablations of OmniSync, arXiv 2505.21448v2, §4.4, as far as they need no training.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from models.omnisync.drawing import Drawing
from models.omnisync.evaluate.shot import Way
from models.omnisync.guidance import Guidance
from models.omnisync.prompts import PROMPTS
from models.omnisync.render import OWN, Starter

EVERYWHERE: Final = 1e3  # width of a Gaussian that is one all over the crop: G ≡ 1, as without a mouth's centre

SETTINGS: Final[Mapping[str, Drawing]] = {
    "no progressive initialisation (τ = 1)": replace(OWN, tau=1.0),
    "τ = 0.8": replace(OWN, tau=0.8),
    "ω_peak 3": replace(OWN, guidance=Guidance(peak=3.0)),
    "ω_peak 4.5": replace(OWN, guidance=Guidance(peak=4.5)),
    "ω_peak 4.5 twice, as printed": replace(OWN, guidance=Guidance(peak=4.5, twice=True)),
    "ω_peak 4.5, no floor": replace(OWN, guidance=Guidance(peak=4.5, floor=False)),
    "ω_peak 4.5 everywhere (G ≡ 1)": replace(OWN, guidance=Guidance(peak=4.5, width=EVERYWHERE)),
    "static guidance 2": replace(OWN, guidance=Guidance(static=2.0)),
    "static guidance 4.5": replace(OWN, guidance=Guidance(static=4.5)),
    "1 step": replace(OWN, steps=1),
    "2 steps": replace(OWN, steps=2),
    "10 steps": replace(OWN, steps=10),
    "50 steps": replace(OWN, steps=50),
    "tail of a grid of 50": replace(OWN, steps=50, tail=True),
}


def ablations(model: Starter) -> dict[str, Way]:
    """Name of a row → how it is drawn."""
    ways = {name: Way(Starter(model.actor, model.device, drawing)) for name, drawing in SETTINGS.items()}
    return ways | {f"prompt {prompt!r}": Way(model, prompt=prompt) for prompt in PROMPTS if prompt}
