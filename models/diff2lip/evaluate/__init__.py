"""How good drawn mouths of photographed people are: measure.py says what is asked, tables.py prints it."""
