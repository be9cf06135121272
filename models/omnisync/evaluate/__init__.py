"""How good drawn mouths of drawn characters are: measure.py says what is asked, tables.py prints it."""
