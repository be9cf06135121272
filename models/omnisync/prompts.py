"""The prompts a drawing may be asked with. Fixed, so that no text encoder is loaded to draw."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

PROMPTS: Final = ("", "calm", "lively", "clear teeth")  # "" is what a mouth does when nothing is asked
CALM: Final = 0.6  # of the opening
LIVELY: Final = 1.3
TEETH: Final = 0.6  # at least so much of them is shown …
SHOWN_FROM: Final = 0.15  # … by a mouth that is open so far


def number(prompt: str) -> int:
    """Its place in PROMPTS; raises ValueError naming those that are known."""
    if prompt not in PROMPTS:
        raise ValueError(f"there is no prompt {prompt!r}; there are {', '.join(repr(one) for one in PROMPTS)}")
    return PROMPTS.index(prompt)


def asked(mouths: NDArray[np.float32], prompt: str) -> NDArray[np.float32]:
    """(T, 4) a puppet's mouth numbers as the prompt wants them: the law the starter is taught for each prompt."""
    out = mouths.copy()
    if prompt in ("calm", "lively"):
        out[:, 0] = np.clip(out[:, 0] * (CALM if prompt == "calm" else LIVELY), 0, 1)
    if prompt == "clear teeth":
        out[:, 2] = np.where(out[:, 0] > SHOWN_FROM, np.maximum(out[:, 2], TEETH), out[:, 2])
    return out
