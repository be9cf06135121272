"""Drawn talking puppets with an exact law from sound to lips.

`law.py` says which mouth a sound makes and `pose.py` where a head is; `kinds.py` names the species and styles,
`character.py` casts one of them by lot, `draw.py` films it: `heads.py`, `face.py`, `mouth.py` and `hand.py` draw its
parts on a `canvas.py`, `grounds.py` what lies behind it and on it. Two drawings of one puppet with the same poses and
another sound are an exact pair: they differ at the mouth (and chin) only.
"""
