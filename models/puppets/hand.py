"""The hand, paw or gripper that passes before the face."""

import numpy as np
from numpy.typing import NDArray

from models.puppets.canvas import Canvas, Points, mix, oval
from models.puppets.character import Character
from models.puppets.pose import HAND_TURN, HAND_X, HAND_Y

FINGERS = ((-0.21, -0.42), (-0.07, -0.52), (0.08, -0.5), (0.22, -0.4))  # tips, the palm is at (0, 0)
ARM = ((-0.17, 0.15), (0.17, 0.15), (0.24, 3.0), (-0.24, 3.0))


def draw_hand(c: Canvas, who: Character, q: NDArray[np.float32]) -> None:
    """The palm at HAND_X, HAND_Y of the pose, fingers up, turned by HAND_TURN; drawn over everything."""
    cos, sin = np.cos(q[HAND_TURN]), np.sin(q[HAND_TURN])
    turn = np.array([[cos, sin], [-sin, cos]])  # rows turned

    def placed(points: object) -> Points:
        return np.asarray(np.asarray(points, np.float64) @ turn + (q[HAND_X], q[HAND_Y]), np.float64)

    skin, line = mix(who.skin, who.dark, 0.2), mix(who.ink, who.dark, 0.3)
    c.part(placed(ARM), who.cloth)
    if who.species in ("human", "robot", "television", "car"):
        for x, y in (*FINGERS, (0.36, -0.12)):
            finger = placed([(x * 0.6, -0.05), (x, y)])
            c.line(finger, line, 0.0, 0.17)
            c.line(finger, skin, 0.0, 0.13)
        c.shape(placed(oval(0, 0, 0.24, 0.25)), skin)
        c.line(placed([(-0.1, 0.05), (0.02, 0.09), (0.13, 0.03)]), line, 0.0, 0.02)
    else:
        c.part(placed(oval(0, -0.08, 0.31, 0.33)), skin)
        for x in (-0.1, 0.1):
            c.line(placed([(x, -0.38), (x * 0.9, -0.2)]), line, 0.0, 0.03)
