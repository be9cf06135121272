"""What OmniSync sees of a frame: a square around the mouth, in which nothing is aligned to landmarks.

A mouth is known by its middle, its half width at rest and its roll. The square is six half widths a side, so a small
mouth is seen as large as any other.
"""

from typing import Final

SIZE: Final = 96  # pixels a side
SIDE: Final = 6.0  # half widths of the mouth
