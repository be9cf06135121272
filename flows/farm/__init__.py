"""The farm: how episodes and shots run on a Prefect server, on one machine or many. Nothing here knows a picture."""
