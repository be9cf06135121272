"""What is remembered and what lies on disk. Knows neither Prefect nor torch."""

VERSION = "0.1.0"  # pyproject.toml reads it here; a newer Dubline does an episode's steps anew
