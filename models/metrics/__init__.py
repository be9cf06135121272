"""Figures of a drawn mouth, one module a metric: arrays in, a number out.

lips       does the mouth move as far, when and as it should; does silence close it
sharpness  are lips and teeth as sharp as they can be through this crop
flicker    does anything jump from frame to frame that did not jump in the film
seam       is there an edge where the patch ends
"""
