"""OmniSync: new lips without a mask, without landmarks and without alignment.

A video diffusion transformer that hears (Peng et al., OmniSync, arXiv 2505.21448v2). No code or weights of it are
public; this is our own, and what the paper leaves open is decided in docs/decisions.
Way of a window: window.py (what is seen) → ear.py (what is heard) → flow.py and guidance.py around network.py.
"""
