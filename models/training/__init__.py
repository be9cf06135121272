"""What every training shares: numbers read strictly from a file, and what a run leaves to look at."""
