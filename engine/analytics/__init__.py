"""From logs and trips to knowledge, in polars: trip metrics and run reports. Imports only from ``engine``."""
