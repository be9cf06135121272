"""The farm: a Prefect server, its workers, and what Dubline asks of them. Not needed on one machine (ADR 1)."""
