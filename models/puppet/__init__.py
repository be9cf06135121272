"""Drawn talking puppets with an exact law from sound to lips.

`law.py` says which mouth a sound makes, `pose.py` where a head is, `draw.py` what it looks like. Two drawings of one
puppet with the same poses and another sound are an exact pair: they differ at the mouth (and chin) only.
"""
