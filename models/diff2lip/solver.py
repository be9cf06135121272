"""DPM-Solver++ for Diff2Lip: the picture that noise becomes, in fewer steps than DDIM needs.

Source: Lu et al., arXiv 2211.01095, second order, multistep; the solver is that of the library diffusers, which is
imported only when it is asked for. The network's x̂_0 is clamped before the solver sees it, as DDIM does here.
"""

import torch
from torch import Tensor

from models.diff2lip.diffusion import STEPS, Diffusion, Network, Predicts, linear


def dpm(noise: Tensor, network: Network, count: int, predicts: Predicts) -> Tensor:
    """The picture (B, 3, H, W) in −1 … 1 after `count` calls of the network; nothing but the noise is random.

    predicts  what the first three planes of the network's output are, as in `Diffusion`
    """
    from diffusers import DPMSolverMultistepScheduler

    every = Diffusion(range(STEPS), predicts)
    solver = DPMSolverMultistepScheduler(
        num_train_timesteps=STEPS, trained_betas=linear(), prediction_type="sample", algorithm_type="dpmsolver++"
    )
    solver.set_timesteps(count)
    x = noise
    for t in solver.timesteps.tolist():
        out = network(x, torch.full((len(x),), t, device=x.device))
        x = solver.step(every.clean(out, x, t), t, x).prev_sample
    return x
