"""The demo film: made at run time from nothing but installed packages, then dubbed.

`script.py` says what happens and what is said, `voices.py` speaks it, `pictures.py` shoots it, `film.py` puts film and
dub on disk.
"""
