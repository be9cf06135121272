"""The janitor."""

from prefect import flow


@flow(name="janitor")
def janitor() -> str:
    """Placeholder."""
    return ""
