"""How a training ends that cannot go on."""


class Diverged(ArithmeticError):
    """A loss is no number any more. The last checkpoint is from before and stays."""
