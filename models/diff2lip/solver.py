"""DPM-Solver++ for Diff2Lip: the picture that noise becomes, in fewer steps than DDIM needs.

Source: Lu et al., arXiv 2211.01095, second order, multistep; the solver is that of the library diffusers, which is
imported only when it is asked for. Deliberately not here: DDIM (diffusion.py).
"""

import torch
from torch import Tensor

from models.diff2lip.diffusion import STEPS, Network, Predicts, linear


def dpm(noise: Tensor, network: Network, count: int, predicts: Predicts) -> Tensor:
    """The picture (B, 3, H, W) in −1 … 1 after `count` calls of the network; nothing but the noise is random.

    The steps lie evenly in the logarithm of σ = √(1/ᾱ − 1), so most of them are spent on detail; x̂_0 is clamped before
    the solver sees it, as in DDIM.
    predicts  what the first three planes of the network's output are, as in `Diffusion`
    """
    from diffusers import DPMSolverMultistepScheduler

    solver = DPMSolverMultistepScheduler(
        num_train_timesteps=STEPS, trained_betas=linear(), prediction_type="sample", use_lu_lambdas=True
    )
    solver.set_timesteps(count)
    x = noise
    for t, sigma in zip(solver.timesteps.tolist(), solver.sigmas.tolist(), strict=False):  # one σ more: 0, the end
        out = network(x, torch.full((len(x),), t, device=x.device))[:, :3]
        picture = out if predicts == "picture" else (1 + sigma**2) ** 0.5 * x - sigma * out
        x = solver.step(picture.clamp(-1, 1), t, x).prev_sample
    return x
