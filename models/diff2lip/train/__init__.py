"""How Diff2Lip's weights are taught: learn.py begins, run.py is one run, training.toml has every number."""
