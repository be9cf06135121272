"""Which characters there are and how they are drawn; which half of each is learnt from, which half only judges."""

from typing import Final

SPECIES: Final = (
    "human", "cat", "bear", "rabbit", "robot", "mug", "fruit", "ghost", "fox", "television", "cloud", "car",
)  # fmt: skip
STYLES: Final = ("flat", "outline", "shaded", "grain", "ink", "paper")

LEARNT_SPECIES: Final = ("human", "cat", "robot", "ghost", "fruit", "television")
LEARNT_STYLES: Final = ("flat", "outline", "shaded")

MUZZLED: Final = ("cat", "bear", "rabbit", "fox")  # the mouth lies on a lighter muzzle
JAWED: Final = ("human", *MUZZLED)  # the chin follows the opening
EDGED: Final = ("outline", "ink")  # every part has a line round it
