"""The durable event log: the standard four columns as partitioned Parquet. Imports ``engine.events`` only."""
