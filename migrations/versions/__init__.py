"""One file a revision, named by its number. A revision that shipped is never edited."""
