"""Alembic's home. Inside the package, so an installed wheel can migrate a catalog far from any checkout."""

from typing import Final

HEAD: Final = "0004"  # the newest revision; opening a current catalog compares this and never imports Alembic
