"""How OmniSync's starter is taught: learn.py begins, run.py is one run, training.toml has every number."""
