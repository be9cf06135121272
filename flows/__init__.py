"""What Prefect runs and how people start it. Only flows write the catalog."""
